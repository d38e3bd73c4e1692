"""The report: a page that needs nothing else, that anybody can read, and whose numbers are those of report.json."""

import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.lab.made_scores import all_pairs, make_scores
from tests.lab.test_unlinkability import NOW

from openstile.crossing import Policy
from openstile.face import quality_limits
from openstile.face.attack import thresholds as attack_thresholds
from openstile.face.packs import DEFAULT_PACK
from openstile.face.packs.shelf import shipped_manifests
from openstile.face.quality import QualityLimits
from openstile.face.zone import CaptureZone
from openstile.lab.accuracy import report_accuracy
from openstile.lab.bootstrap import Resampling
from openstile.lab.dataset import Group, Subject
from openstile.lab.discard import ConditionReport, DiscardReport, MeasureReport
from openstile.lab.discard_conditions import Kind
from openstile.lab.discard_curve import SHARES, Gain
from openstile.lab.groups import report_groups
from openstile.lab.intervals import Proportion
from openstile.lab.rates_among import proportion_json
from openstile.lab.report import NOT_TESTED, Found, PackFacts, assemble, card_markdown, report_page, write_report
from openstile.lab.report_numbers import WRITERS, Language, write_count, write_limit, write_number, write_percent
from openstile.lab.report_texts import TEXTS
from openstile.lab.report_thresholds import ADVICE, measure_of, shipped_thresholds
from openstile.lab.scores import Scores
from openstile.lab.speed import SpeedReport, StepTimes
from openstile.lab.unlinkability import Unlinkability, measure_unlinkability
from openstile.lab.unlinkability_trials import random_people, simulated_distance
from openstile.terms import BadInputError

HOSTILE = '<script>alert("x")</script> & {{ 7*7 }} $'
PACK = PackFacts("made-1", "made", "MIT", "made up", 128, (("embedder.onnx", "MIT", "nowhere"),))
SPEED = SpeedReport(
    "made-1", 10, 9, (StepTimes("read", 10, 5.0, 6.0, 7.5), StepTimes("locate", 10, 14.25, 15.0, 16.0)), 20.5, 1000, 1e6
)


def _scores() -> Scores:
    """24 people of whom two are failed and two matched, one group of them with a name that is an attack on the page."""
    rng = np.random.default_rng(2)
    pairs = all_pairs(24)
    mated, others = rng.uniform(0.1, 0.4, 24), rng.uniform(0.6, 1.1, len(pairs))
    mated[3], mated[8], others[5], others[40] = 0.55, 0.71, 0.42, 0.48
    scores = make_scores(mated, others, pairs)
    subjects = tuple(
        Subject(s.subject_id, (Group("sex", HOSTILE if n % 3 == 0 else "f"),))
        for n, s in enumerate(scores.data_set.subjects)
    )
    return replace(scores, data_set=replace(scores.data_set, subjects=subjects))


class _Attacks:
    """What a field kit counted."""

    def to_json(self) -> dict[str, object]:
        """As the report asks for it."""
        species = [{"species": "flat print", "apcer": proportion_json(Proportion(1, 40))}]
        return {"simulated": True, "species": species, "bpcer": proportion_json(Proportion(2, 50))}


def _quality() -> DiscardReport:
    """A line for every limit of quality, and one kind of fault."""
    limits = [field.name for field in fields(QualityLimits)]
    advice = {measure_of(name.lower()) for name in ADVICE}
    names = dict.fromkeys([*map(measure_of, limits), *sorted(advice)])
    level = tuple(0.1 for _ in SHARES)
    measures = tuple(
        MeasureReport(
            measure=name, kinds=(Kind.BLUR,), rejects=name not in advice, at_least=0.4, at_most=None, gain=None,
            own_gain=Gain(0.6, 0.4, 0.7), curve=level, own_curve=level, rejected=Proportion(9, 30),
            passing=Proportion(0, 30), alone=Proportion(2, 30), clean_rejected=Proportion(0, 24),
            enrolment_at_least=0.42, enrolment_at_most=None, enrolment_rejected=Proportion(11, 34),
            enrolment_clean_rejected=Proportion(1, 24), earns=name == "sharpness",
        )
        for name in names
    )  # fmt: skip
    blurred = ConditionReport(
        Kind.BLUR, "blur 2", Proportion(0, 24), Proportion(5, 24), Proportion(20, 24), Proportion(0, 4)
    )
    return DiscardReport("made-1", 0.5, 24, 0, measures, (blurred,), Proportion(9, 60), Proportion(0, 30))


def _linking() -> Unlinkability:
    rng = np.random.default_rng(12)
    people = random_people(8, dimensions=128, pack_id="made-1", rng=np.random.default_rng(5))
    return measure_unlinkability(
        people, distance=simulated_distance, now=NOW, random=rng.bytes, rng=rng, pairs=64, simulated_people=True
    )


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What a run would write, from scores that were made up."""
    scores, how = _scores(), Resampling(100)
    found = Found(
        accuracy=report_accuracy(scores, how=how),
        groups=report_groups(scores, how=how),
        quality=_quality(),
        attacks=_Attacks(),
        speed=SPEED,
        unlinkability=_linking(),
    )
    measures = tuple(each.measure for each in _quality().measures)
    thresholds = shipped_thresholds(
        distance_max=scores.distance_max, quality=QualityLimits(), zone=CaptureZone(), pack_id="cf-dual-1",
        measures=measures, attacks=True,
    )  # fmt: skip
    return assemble(
        found, pack=PACK, thresholds=thresholds, data_set="made up", made_at="2026-06-01 12:00 UTC", machine="none"
    )


@pytest.fixture(scope="module")
def written(report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `openstile lab report` fills."""
    out = tmp_path_factory.mktemp("report")
    write_report(report, out)
    return out


PAGES = ("report.html", "report.de.html", "model-card.html", "model-card.de.html")


class _Seen(HTMLParser):
    """Elements with their attributes, and the text inside `data`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.data: list[tuple[dict[str, str], str]] = []
        self._in_data: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.elements.append((tag, named))
        self._in_data = named if tag == "data" else None

    def handle_data(self, data: str) -> None:
        if self._in_data is not None:
            self.data.append((self._in_data, data))
            self._in_data = None

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _at(report: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        report = report[int(part)] if isinstance(report, list) else report[part]
    return report


@pytest.mark.parametrize("name", PAGES)
def test_page_is_well_formed_and_needs_nothing_from_elsewhere(written: Path, name: str) -> None:
    page = (written / name).read_text()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert "://" not in page
    seen = _Seen(page)
    assert not [tag for tag, _ in seen.elements if tag in {"script", "link", "iframe", "object", "img", "base"}]
    targets = {attributes["href"].partition("#")[0] for attributes in seen.all("a")}
    assert targets <= {"", "report.json", *PAGES}
    assert not re.search(r"url\((?!#)|@import", page)


@pytest.mark.parametrize("name", PAGES)
def test_anchors_exist_and_ids_are_there_once(written: Path, name: str) -> None:
    pages = {each: _Seen((written / each).read_text()) for each in PAGES}
    ids = {each: [a["id"] for _, a in seen.elements if "id" in a] for each, seen in pages.items()}
    assert len(set(ids[name])) == len(ids[name])
    for attributes in [*pages[name].all("a"), *pages[name].all("use")]:
        page, _, anchor = attributes["href"].partition("#")
        if anchor:
            assert anchor in ids[page or name], attributes["href"]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_readable_without_seeing_it(written: Path, name: str) -> None:
    seen = _Seen((written / name).read_text())
    (html,) = seen.all("html")
    assert html["lang"] == ("de" if ".de." in name else "en")
    assert len(seen.all("main")) == len(seen.all("h1")) == len(seen.all("header")) == len(seen.all("footer")) == 1
    assert seen.all("a")[0]["href"] == "#main", "the first link skips to the content"
    plots = [a for a in seen.all("div") if a.get("class") == "plot"]
    assert all(a["role"] == "img" and len(a["aria-label"]) > 30 for a in plots)
    assert len(plots) == len(seen.all("svg")) == len(seen.all("details")) == len(seen.all("figure"))
    assert all(a.get("aria-hidden") == "true" for a in seen.all("svg")), "the words beside it say what it shows"
    assert all("scope" in a for a in seen.all("th"))
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_every_number_is_the_one_in_the_json_beside_it(written: Path, report: dict[str, Any], name: str) -> None:
    assert json.loads((written / "report.json").read_text()) == report
    language = Language.DE if ".de." in name else Language.EN
    seen = _Seen((written / name).read_text())
    assert len(seen.data) >= (300 if name.startswith("report") else 40)
    for attributes, text in seen.data:
        value = _at(report, attributes["data-at"])
        assert json.loads(attributes["value"]) == value, attributes["data-at"]
        assert text in {write(value, language) for write in WRITERS.values()}, attributes["data-at"]


def test_report_shows_errors_with_sample_and_interval(written: Path) -> None:
    page = re.sub(r"<[^>]+>", "", (written / "report.html").read_text()).replace("\N{NO-BREAK SPACE}", " ")
    assert "2 of 276; 95 %: 0.0879 % to 2.59 %" in page  # scipy.stats.binomtest(2, 276).proportion_ci()
    assert "2 of 24; 95 %: 1.03 % to 27 %" in page


def test_intervals_over_people_of_eer_and_thresholds_are_shown(written: Path, report: dict[str, Any]) -> None:
    page = (written / "report.html").read_text()
    assert report["accuracy"]["eer"]["over_people"] is not None
    assert [each["threshold_over_people"] is None for each in report["accuracy"]["thresholds"]] == [
        False,
        True,
        True,
        True,
    ]
    for pointer in ("eer/over_people/0", "rates/d_prime_over_people/1", "thresholds/0/threshold_over_people/1"):
        assert f'data-at="/accuracy/{pointer}"' in page, pointer


def test_comparisons_within_parts_are_said_to_be_so(report: dict[str, Any]) -> None:
    words = "were drawn into"
    assert words not in report_page(report, Language.EN)
    parts = {**report["accuracy"], "measured": {**report["accuracy"]["measured"], "blocks": 5}}
    assert words in report_page({**report, "accuracy": parts}, Language.EN)


def test_upright_labels_fit_beside_their_plots(written: Path) -> None:
    """Plots are 4 inches high or more: at 10 points about 45 letters stand upright beside them."""
    for name in ("report.html", "report.de.html"):
        upright = re.findall(r"<text[^>]*rotate\(-90[^>]*>([^<]*)<", (written / name).read_text())
        assert upright
        assert max(map(len, upright)) <= 45, upright


def test_sample_that_carries_no_claim_is_told_what_it_would_take(written: Path, report: dict[str, Any]) -> None:
    page = (written / "report.html").read_text()
    assert not any(claim["carried"] for claim in report["accuracy"]["claims"])
    assert "No promise of an FMR of at most 0.1" in page
    assert write_count(report["accuracy"]["claims"][0]["needed"], Language.EN) in page
    assert "at most 0.1\N{NO-BREAK SPACE}% (95" not in page


def test_names_from_a_data_set_are_text_and_never_markup(written: Path) -> None:
    for name in PAGES:
        page = (written / name).read_text()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
    assert "<script>" not in (written / "model-card.md").read_text()


def _numbers_of(module: object, prefix: str = "") -> dict[str, float]:
    """Constants of a module by the names that a report gives them."""
    found = {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, int | float)}
    return {prefix + name.lower(): float(value) for name, value in found.items() if not name.startswith("_")}


def _fields_of(limits: object, prefix: str = "") -> dict[str, float]:
    return {prefix + field.name: float(getattr(limits, field.name)) for field in fields(type(limits))}  # type: ignore[arg-type]


def _shipped() -> dict[str, float]:
    """Every limit that the code ships with, read from where it is set; the detector's from the default pack."""
    (default,) = [each for each in shipped_manifests() if each.name == DEFAULT_PACK]
    detector = {name: value for name, value in _fields_of_numbers(default.detector).items() if name != "side_max"}
    return {
        "distance_max": 0.5,
        **_fields_of(Policy().quality),
        **_numbers_of(quality_limits),
        **_fields_of(quality_limits.ENROLMENT_LIMITS, "enrolment_"),
        **_fields_of(Policy().zone, "zone_"),
        **{f"detector_{name}": value for name, value in detector.items()},
        **_numbers_of(attack_thresholds),
    }


def _fields_of_numbers(value: Any) -> dict[str, float]:
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {
        name: float(n) for name, n in found.items() if isinstance(n, int | float) and name.endswith(("_min", "_max"))
    }


@pytest.mark.parametrize("limit", _shipped())
def test_each_shipped_threshold_has_its_line(written: Path, report: dict[str, Any], limit: str) -> None:
    (threshold,) = [each for each in report["thresholds"] if each["name"] == limit]
    assert threshold["value"] == _shipped()[limit]
    page = (written / "report.html").read_text()
    row = page[page.index(f'id="threshold-{limit}"') :].partition("</tr>")[0]
    assert f'href="#{threshold["line"]}"' in row
    assert re.search(f'<(tr|section) id="{threshold["line"]}"', page)
    card = (written / "model-card.md").read_text()
    line = card[card.index(f'id="threshold-{limit}"') :].partition("\n")[0]
    assert f"| {write_limit(threshold['value'], Language.EN)} |" in line
    assert "not shown by this report" not in line


def test_report_lists_no_threshold_that_the_code_does_not_have(report: dict[str, Any]) -> None:
    assert [each["name"] for each in report["thresholds"]] == list(dict.fromkeys(_shipped()))


def test_threshold_without_a_line_in_the_report_is_said_to_have_none() -> None:
    thresholds = shipped_thresholds(
        distance_max=0.5, quality=QualityLimits(), zone=CaptureZone(), pack_id="made-1", measures=()
    )
    found = Found(report_accuracy(_scores(), how=Resampling(100)))
    bare = assemble(found, pack=PACK, thresholds=thresholds, data_set="made up", made_at="now", machine="none")
    assert not [each for each in thresholds if each.kind == "detector"], "no pack that ships"
    for text in (report_page(bare, Language.EN), card_markdown(bare)):
        assert "not shown by this report" in text
        assert "docs/presentation-attacks.md (simulated)" in text


def test_simulated_attacks_are_called_simulated(written: Path) -> None:
    page = (written / "report.html").read_text()
    assert "All of them are simulated" in page
    assert '<section id="attacks"' in page


@pytest.mark.parametrize("name", [*PAGES, "model-card.md"])
def test_what_was_not_tested_is_said_on_every_page(written: Path, name: str) -> None:
    page = (written / name).read_text()
    words = TEXTS[Language.DE if ".de." in name else Language.EN]
    for each in NOT_TESTED:
        assert words[f"not_tested_{each}"] in page, each


def test_report_without_the_other_parts_has_no_section_of_them() -> None:
    found = Found(report_accuracy(_scores(), how=Resampling(100)))
    report = assemble(found, pack=PACK, thresholds=(), data_set="made up", made_at="now", machine="none")
    page = report_page(report, Language.EN)
    for name in ("groups", "quality", "attacks", "speed", "unlinkability"):
        assert f'<section id="{name}"' not in page
    assert "made up" in card_markdown(report)


def test_texts_have_the_same_keys_and_places_in_every_language() -> None:
    keys = {
        language: {k: sorted(re.findall(r"{(\w+)}", v)) for k, v in words.items()} for language, words in TEXTS.items()
    }
    assert keys[Language.EN] == keys[Language.DE]


def test_numbers_are_written_as_their_language_does() -> None:
    assert write_percent(0.0005213, Language.EN) == "0.0521\N{NO-BREAK SPACE}%"
    assert write_percent(0.0005213, Language.DE) == "0,0521\N{NO-BREAK SPACE}%"
    assert write_percent(0, Language.DE) == "0\N{NO-BREAK SPACE}%"
    assert write_count(7080, Language.DE) == "7.080"
    assert write_number(1234.5, Language.EN) == "1,234" or write_number(1234.5, Language.EN) == "1,235"


def test_report_holds_nothing_of_people(report: dict[str, Any]) -> None:
    text = json.dumps(report)
    assert not re.search(r"\bp\d+\b", text), "ids of the data set"
    assert "OS1:" not in text


def test_folder_that_cannot_be_written_to_is_said_so(report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="give another --out"):
        write_report(report, tmp_path / "file")
