"""Colours of the report's pages, light and dark, against WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what a plot draws."""

import re
from pathlib import Path

import pytest

import openstile.lab

STYLE = (Path(openstile.lab.__file__).parent / "pages" / "style.css").read_text()
_BLOCKS = re.findall(r":root \{([^}]*)\}", STYLE)
TEXT = ("ink", "soft", "link", "good", "warn")


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definition) of "#rrggbb"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def test_contrast_is_that_of_the_definition() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the palest grey that passes
    assert [len(_colours(block)) for block in _BLOCKS] == [17, 17]


@pytest.mark.parametrize("block", _BLOCKS, ids=["light", "dark"])
def test_text_stands_out_from_the_page_and_its_boxes(block: str) -> None:
    colours = _colours(block)
    for name in TEXT:
        for ground in ("paper", "wash"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


@pytest.mark.parametrize("block", _BLOCKS, ids=["light", "dark"])
def test_lines_of_plots_stand_out_from_the_page(block: str) -> None:
    colours = _colours(block)
    series = {name: colour for name, colour in colours.items() if name.startswith("series")}
    assert len(series) == 8
    for name, colour in series.items():
        assert _contrast(colour, colours["paper"]) >= 3, name
