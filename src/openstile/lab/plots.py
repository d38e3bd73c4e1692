"""Plots as SVG that becomes part of a page: no script, no font, no address of anything outside.

Colours are the page's (CSS variables), so that a plot is light or dark as the page is and prints in black; lines differ
in their dashes too, for colours alone tell some people nothing. matplotlib comes with the extra `lab`, and is imported
when a plot is drawn.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_INK, _GRID = "#111213", "#d0d1d2"
_SERIES = ("#1f5fa8", "#b3471b", "#2f7d32", "#7a3fa0", "#8a6d00", "#00737a", "#a0245e", "#5b5b5c")
"""Stand-ins that are replaced by the page's variables."""
_VARIABLES = {_INK: "--ink", _GRID: "--grid", **{colour: f"--series-{i}" for i, colour in enumerate(_SERIES, 1)}}
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)), (0, (8, 3)), (0, (3, 1, 1, 1, 1, 1)))

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis says, how its numbers are written, and whether it is logarithmic. `low` to `high` where fixed."""

    label: str
    format: Format
    log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot; `steps` where values hold until the next x, `band` its lower and upper limits."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    steps: bool = False
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a plot at `at`: a threshold, or chance."""

    label: str
    at: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a plot of intervals. `rate` is None where nothing was measured: then nothing is drawn."""

    label: str
    rate: float | None
    low: float
    high: float
    strong: bool = False
    """Drawn filled: what stands out."""
    wide: tuple[float, float] | None = None
    """A second, wider interval, drawn thin."""


def draw_lines(
    name: str,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    *,
    marks: Sequence[Mark] = (),
    size: tuple[float, float] = (7, 4),
) -> str:
    """A plot of lines, with a legend where there are several. `name` begins the ids in the picture."""

    def paint(axes: Any) -> None:
        for number, line in enumerate(lines):
            colour, dash = _SERIES[number % len(_SERIES)], _DASHES[number % len(_DASHES)]
            style = "steps-post" if line.steps else "default"
            axes.plot(line.x, line.y, color=colour, linestyle=dash, linewidth=1.8, drawstyle=style, label=line.label)
            if line.filled:
                step = "post" if line.steps else None
                axes.fill_between(line.x, line.y, color=colour, alpha=0.15, step=step, linewidth=0)
        _mark(axes, marks, upright=True)
        if len(lines) + len(marks) > 1:
            _legend(axes)

    return _drawn(name, paint, x, y, size)


def draw_intervals(name: str, rows: Sequence[Row], x: Axis, *, marks: Sequence[Mark] = ()) -> str:
    """Rates as dots with their intervals, one row each, the first on top."""
    places = list(range(len(rows)))[::-1]

    def paint(axes: Any) -> None:
        floor = x.low if x.low is not None else 0.0
        for place, row in zip(places, rows, strict=True):
            colour = _SERIES[1] if row.strong else _SERIES[0]
            low, high = max(row.low, floor), max(row.high, floor)
            if row.rate is None:
                continue
            if row.wide is not None:
                axes.plot([max(each, floor) for each in row.wide], [place, place], color=colour, linewidth=0.9)
            axes.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
            face = colour if row.strong else "none"
            axes.plot([max(row.rate, floor)], [place], "o", color=colour, markerfacecolor=face, markersize=6)
        _mark(axes, marks, upright=True)
        axes.set_yticks(places, [row.label for row in rows])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.grid(axis="y", visible=False)
        if marks:
            _legend(axes)

    return _drawn(name, paint, x, None, (7, 1.3 + 0.3 * len(rows)))


def draw_bars(name: str, bars: Sequence[tuple[str, float]], x: Axis) -> str:
    """Horizontal bars, the first on top, each with its number."""
    places = list(range(len(bars)))[::-1]

    def paint(axes: Any) -> None:
        axes.barh(places, [value for _, value in bars], color=_SERIES[0], height=0.6)
        for place, (_, value) in zip(places, bars, strict=True):
            axes.annotate(x.format(value), (value, place), xytext=(4, 0), textcoords="offset points", va="center")
        axes.set_yticks(places, [label for label, _ in bars])
        axes.margins(x=0.14)
        axes.grid(axis="y", visible=False)

    return _drawn(name, paint, x, None, (7, 1.1 + 0.33 * len(bars)))


def _mark(axes: Any, marks: Sequence[Mark], *, upright: bool) -> None:
    for number, mark in enumerate(marks):
        line = axes.axvline if upright else axes.axhline
        line(mark.at, color=_INK, linewidth=1.2, linestyle=_DASHES[1 + number % 3], label=mark.label)


def _legend(axes: Any) -> None:
    axes.figure.legend(loc="outside lower center", ncols=2, frameon=False)


def _drawn(name: str, paint: Callable[[Any], None], x: Axis, y: Axis | None, size: tuple[float, float]) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "text.parse_math": False,
        "font.size": 10,
        "text.color": _INK,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "grid.color": _GRID,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.grid(visible=True, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        paint(axes)
        _scale(axes.xaxis, x)
        if y is not None:
            _scale(axes.yaxis, y)
        written = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Glyph .* missing", UserWarning
            )  # only measures the text: the page has it
            figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return part_of_page(written.getvalue(), name)


def _scale(axis: Any, wanted: Axis) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes, which = axis.axes, axis.axis_name
    getattr(axes, f"set_{which}label")(wanted.label)
    if wanted.log:
        getattr(axes, f"set_{which}scale")("log")
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: wanted.format(float(value))))
    if wanted.low is not None or wanted.high is not None:
        getattr(axes, f"set_{which}lim")(wanted.low, wanted.high)


def part_of_page(svg: str, name: str) -> str:
    """`svg` of matplotlib as an element of a page: no prologue, namespaces or metadata, ids that begin with `name`,
    colours of the page, and a size that follows the column. The element around it says what it shows.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = (
        re.sub(r'\s(?:xmlns(?::\w+)?|version|width|height)="[^"]*"', "", svg[: svg.index(">") + 1])
        + (svg[svg.index(">") + 1 :])
    )
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"\s*font-family: [^;\"]*;", "", svg)
    return svg.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1).strip()
