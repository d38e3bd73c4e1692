"""Model cards that are kept with the documents: their limits are those of the code, and what points to them arrives."""

import re
from pathlib import Path

import pytest
from tests.lab.test_report import _shipped

from openstile.face.packs.shelf import shipped_manifests
from openstile.lab.report import NOT_TESTED
from openstile.lab.report_numbers import Language, write_limit
from openstile.lab.report_texts import TEXTS

REPOSITORY = Path(__file__).resolve().parents[2]
CARDS = REPOSITORY / "docs" / "model-cards"
POINTERS = [*(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "src").rglob("*.py"), *REPOSITORY.glob("*.md")]
DEFAULT = "cf-dual-1"


def _card(name: str) -> str:
    path = CARDS / f"{name}.md"
    if not path.is_file():
        pytest.skip(f"{path.relative_to(REPOSITORY)} is not measured yet: openstile lab report")
    return path.read_text()


def _pointed_at() -> set[tuple[str, str]]:
    """Card and anchor, of every mention of one in the documents and in the code."""
    found = set[tuple[str, str]]()
    for path in POINTERS:
        found |= set(re.findall(r"model-cards/([\w.-]+)\.md#([\w-]+)", path.read_text()))
    return found


def test_code_and_documents_point_to_the_line_of_each_kind_of_limit() -> None:
    anchors = {anchor for card, anchor in _pointed_at() if card == DEFAULT}
    assert {"threshold-distance_max", "threshold-sharpness_min", "threshold-enrolment_sharpness_min"} <= anchors
    limits = (REPOSITORY / "src" / "openstile" / "face" / "quality_limits.py").read_text()
    assert f"docs/model-cards/{DEFAULT}.md#threshold-" in limits


def test_anchors_that_are_pointed_at_are_those_of_limits() -> None:
    names = {f"threshold-{name}" for name in _shipped()}
    assert {anchor for _, anchor in _pointed_at()} <= names


def test_every_anchor_that_is_pointed_at_is_in_its_card() -> None:
    for card, anchor in _pointed_at():
        assert f'<a id="{anchor}"></a>' in _card(card), anchor


@pytest.mark.parametrize("limit", _shipped())
def test_limits_of_the_default_packs_card_are_those_of_the_code(limit: str) -> None:
    """When this fails a limit was changed and not measured again: openstile lab report writes the card."""
    (line,) = [line for line in _card(DEFAULT).splitlines() if f'<a id="threshold-{limit}"></a>' in line]
    assert f"| {write_limit(_shipped()[limit], Language.EN)} |" in line
    assert TEXTS[Language.EN]["line_none"] not in line


def test_card_says_which_pack_it_is_of_and_what_was_not_tested() -> None:
    card = _card(DEFAULT)
    assert f"(`{DEFAULT}`)" in card.splitlines()[0]
    assert DEFAULT in {manifest.pack_id for manifest in shipped_manifests()}
    for each in NOT_TESTED[:5]:
        assert TEXTS[Language.EN][f"not_tested_{each}"] in card
