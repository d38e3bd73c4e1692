"""Error rates counted by hand on flat pictures, and the shipped threshold on consenting people."""

from pathlib import Path

import pytest
from tests.lab.grey import FOUR, GREY, write_people

from openstile.face import FaceEngine
from openstile.face.faults import FaceFault
from openstile.lab.accuracy import AccuracyReport, report_accuracy
from openstile.lab.capture import Apparatus, PackSource
from openstile.lab.claims import Measure
from openstile.lab.dataset import Group
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.groups import GroupRates, GroupsReport, report_groups
from openstile.lab.intervals import Proportion
from openstile.lab.scores import Scores
from openstile.lab.trials import measure
from openstile.terms.errors import BadInputError


def _scores(folder: Path) -> Scores:
    return measure(read_data_set(folder), GREY)


@pytest.fixture
def four(tmp_path: Path) -> Scores:
    return _scores(write_people(tmp_path, FOUR))


@pytest.fixture
def report(four: Scores) -> AccuracyReport:
    return report_accuracy(four)


def _of(report: GroupsReport, value: str) -> GroupRates:
    return next(each for each in report.groups if each.group.value == value)


def test_rates_are_those_counted_by_hand(report: AccuracyReport) -> None:
    assert report.rates.fta == Proportion(1, 8)
    assert report.rates.fnmr == Proportion(1, 3)  # d has no pair
    assert report.rates.fmr == Proportion(2, 18)  # 7 photographs in 21 pairs, 3 of them mated
    assert report.faults == ((FaceFault.NO_FACE, 1),)
    assert report.rates.farthest_mated == pytest.approx(0.30)
    assert report.rates.closest_non_mated == pytest.approx(0.04)
    assert report.band == pytest.approx((0.04 - 0.30) / 0.04, abs=1e-4)


def test_conditions_are_measured_pair_by_pair(report: AccuracyReport) -> None:
    found = {(each.first, each.second): each.rates for each in report.conditions}
    assert set(found) == {("neutral", "neutral"), ("neutral", "smiling"), ("smiling", "smiling")}
    across = found["neutral", "smiling"]
    assert (across.fta, across.fnmr, across.fmr) == (Proportion(1, 8), Proportion(1, 3), Proportion(1, 9))
    alike = found["neutral", "neutral"]
    assert (alike.fta, alike.fnmr, alike.fmr) == (Proportion(0, 4), Proportion(0, 0), Proportion(0, 6))
    assert found["smiling", "smiling"].fmr == Proportion(1, 3)


def test_pair_counts_in_a_group_only_with_both_its_people(four: Scores) -> None:
    report = report_groups(four)
    black = _of(report, "black").rates
    assert (black.people, black.fnmr, black.fmr) == (2, Proportion(1, 2), Proportion(2, 4))
    female = _of(report, "female").rates
    assert (female.people, female.fnmr, female.fmr) == (2, Proportion(1, 2), Proportion(0, 4))
    assert _of(report, "not stated").rates.fmr == Proportion(0, 0)
    assert _of(report, "not stated").rates.fta == Proportion(1, 2)


def test_groups_are_held_against_everybody_at_one_threshold(four: Scores) -> None:
    report = report_groups(four, fmr_wanted=(0.05,))
    black = _of(report, "black").at_wanted[0]
    assert black.threshold == pytest.approx(0.04, abs=1e-6)  # just below: 1 of 18 is more than 5 %
    assert black.threshold < 0.04
    assert (black.fmr, black.fnmr) == (Proportion(0, 4), Proportion(1, 2))
    shipped = next(d for d in report.disparities if d.attribute == "ethnicity" and d.fmr_wanted is None)
    assert (shipped.worst_fmr, shipped.worst_fnmr) == ("black", "black")
    assert shipped.fmr_ratio == pytest.approx((2 / 4) / (2 / 18))
    assert shipped.fnmr_ratio == pytest.approx((1 / 2) / (1 / 3))


def test_claims_on_false_matches_rest_on_pairs_that_share_nobody(report: AccuracyReport) -> None:
    assert report.rates.independent_fmr == Proportion(1, 2)  # 2 of 18, rounded up
    claim = report.rates.claim(Measure.FMR, 0.001)
    assert not claim.carried
    assert "at most" not in claim.sentence
    assert "no claim" in claim.sentence


def test_report_names_nobody_unless_it_is_asked_for_the_worst(four: Scores, report: AccuracyReport) -> None:
    for value in (repr(report), repr(report.to_json()), repr(four)):
        assert "smiling/b" not in value
        assert "array" not in value
    named = report_accuracy(four, worst=1).to_json()["worst"]
    assert named == [
        {"mated": True, "first": "neutral/b", "second": "smiling/b", "distance": pytest.approx(0.30)},
        {"mated": False, "first": "neutral/c", "second": "smiling/b", "distance": pytest.approx(0.04)},
    ]


def test_two_ethnicities_are_a_group_of_their_own(tmp_path: Path) -> None:
    folder = write_people(tmp_path, [("a", "female", "east_asian/white", 50, 55), ("b", "male", "white", 150, 155)])
    groups = [each.group for each in report_groups(_scores(folder)).groups]
    assert Group("ethnicity", "east_asian/white") in groups
    assert Group("ethnicity", "east_asian") not in groups


def test_data_set_without_attributes_has_no_groups(tmp_path: Path) -> None:
    folder = write_people(tmp_path, FOUR)
    (folder / "subjects.csv").write_text("subject\na\nb\nc\nd\n")
    with pytest.raises(BadInputError, match="no attributes"):
        report_groups(_scores(folder))


def test_list_of_worst_pairs_has_a_limit(four: Scores) -> None:
    for count in (-1, 1001):
        with pytest.raises(BadInputError):
            report_accuracy(four, worst=count)


def test_shipped_threshold_parts_sixty_people_in_every_group(shared_data: Path, engine: FaceEngine) -> None:
    from openstile.face.packs import DEFAULT_PACK

    scores = measure(read_data_set(shared_data / "london"), Apparatus(PackSource(DEFAULT_PACK)))
    report, groups = report_accuracy(scores), report_groups(scores)
    assert (report.measured.people, scores.pack_id) == (60, engine.pack_id)
    everyone = [report.rates, *(each.rates for each in report.conditions), *(each.rates for each in groups.groups)]
    for rates in everyone:
        assert rates.fta.events == 0
        assert rates.fmr.events == 0
        assert rates.fnmr.events * 100 <= rates.fnmr.trials
    assert report.rates.fmr.trials == 7080
    assert (report.eer is not None and report.eer.rate) == 0.0
