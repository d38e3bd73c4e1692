"""Error rates counted by hand on flat pictures, and the shipped threshold on consenting people."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openstile.face import FaceEngine, Frame, LocatedFace
from openstile.face.engine import ChipGeometry, TemplatePart
from openstile.face.faults import FaceFault
from openstile.face.located import Box, Point
from openstile.face.quality import QualityLimits
from openstile.lab.accuracy import AccuracyReport, GroupRates, measure_accuracy
from openstile.lab.dataset import Group
from openstile.lab.intervals import Proportion
from openstile.terms.errors import BadInputError

SIDE = 64
LANDMARKS = (Point(22, 26), Point(42, 26), Point(32, 36), Point(24, 46), Point(40, 46))
ANYTHING = QualityLimits(
    eye_distance_min=0,
    visible_min=0,
    bright_part_min=0,
    blown_out_max=1,
    noise_max=1e9,
    sharpness_min=0,
    steadiness_min=0,
    yaw_max=9,
    pitch_min=0,
    pitch_max=9,
    roll_max=90,
)
BLACK_IS_NO_FACE = 2


class GreyEngine:
    """Takes each picture for one face in its middle and its greyness for the face: distance 0.01 a grey level."""

    pack_id = "grey-1"
    dimensions = 16
    distance_max = 0.105
    parts: tuple[TemplatePart, ...] = (TemplatePart(ChipGeometry(SIDE, LANDMARKS), 16, 3.0),)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        if pixels.max() <= BLACK_IS_NO_FACE:
            return []
        return [LocatedFace(Box(16, 16, 32, 40), LANDMARKS, 0.9)]

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        embedding = np.zeros(16, np.float32)
        embedding[0] = np.rint(chip.mean()) / 100
        return embedding


def _write(folder: Path, people: list[tuple[str, str, str, int, int]]) -> Path:
    """People as (id, gender, ethnicity, grey when neutral, grey when smiling)."""
    lines = ["subject,age,gender,ethnicity"]
    for name, gender, ethnicity, neutral, smiling in people:
        lines.append(f"{name},30,{gender},{ethnicity}")
        for condition, grey in (("neutral", neutral), ("smiling", smiling)):
            (folder / condition).mkdir(exist_ok=True)
            picture = np.full((SIDE, SIDE, 3), grey, np.uint8)
            cv2.imwrite(str(folder / condition / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 100])
    (folder / "subjects.csv").write_text("\n".join(lines) + "\n")
    return folder


def _measure(folder: Path) -> AccuracyReport:
    return measure_accuracy(folder, engine=GreyEngine(), quality=ANYTHING)


def _of(rates: tuple[GroupRates, ...], value: str) -> GroupRates:
    return next(rate for rate in rates if rate.group.value == value)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return _write(
        tmp_path,
        [
            ("a", "female", "white", 50, 55),  # mated at 0.05
            ("b", "female", "black", 100, 130),  # mated at 0.30: a false non-match
            ("c", "male", "black", 135, 136),  # 0.05 and 0.06 from b smiling: false matches
            ("d", "male", "NA", 200, 0),  # no face found when smiling
        ],
    )


def test_rates_are_those_counted_by_hand(people: Path) -> None:
    report = _measure(people)
    everybody = _of(report.pooled, "everybody")
    assert everybody.fta == Proportion(1, 8)
    assert everybody.fnmr == Proportion(1, 3)  # d has no pair
    assert everybody.fmr == Proportion(2, 18)  # 7 photographs in 21 pairs, 3 of them mated
    assert report.faults == ((FaceFault.NO_FACE, 1),)
    assert report.mated_max == pytest.approx(0.30, abs=0.03)
    assert report.non_mated_min == pytest.approx(0.05, abs=0.03)


def test_pair_counts_in_a_group_only_with_both_its_people(people: Path) -> None:
    report = _measure(people)
    black = _of(report.pooled, "black")
    assert (black.people, black.fnmr, black.fmr) == (2, Proportion(1, 2), Proportion(2, 4))
    female = _of(report.pooled, "female")
    assert (female.people, female.fnmr, female.fmr) == (2, Proportion(1, 2), Proportion(0, 4))
    assert _of(report.pooled, "not stated").fmr == Proportion(0, 0)


def test_scenarios_take_each_side_as_enrolled_once(people: Path) -> None:
    forth, back = _measure(people).scenarios
    assert (forth.enrolled, forth.presented) == ("neutral", "smiling")
    assert (back.enrolled, back.presented) == ("smiling", "neutral")
    assert _of(forth.rates, "everybody").fta == Proportion(1, 4)
    assert _of(back.rates, "everybody").fta == Proportion(0, 4)
    for scenario in (forth, back):
        assert _of(scenario.rates, "everybody").fnmr == Proportion(1, 3)
        assert _of(scenario.rates, "everybody").fmr == Proportion(1, 9)


def test_claims_on_false_matches_rest_on_pairs_that_share_nobody(people: Path) -> None:
    everybody = _of(_measure(people).pooled, "everybody")
    assert everybody.disjoint_fmr == Proportion(2, 2)


def test_quantisation_that_moves_a_pair_over_the_threshold_is_counted(tmp_path: Path) -> None:
    folder = _write(tmp_path, [("a", "female", "white", 48, 58), ("b", "male", "white", 150, 200)])
    effect = _measure(folder).quantisation
    assert effect.comparisons == 6
    assert effect.decisions_changed == 1  # 0.100 becomes five steps of 3 / 127: 0.118
    assert effect.distance_change_max == pytest.approx(0.018, abs=0.005)


def test_report_holds_no_person_and_no_template(people: Path) -> None:
    shown = repr(_measure(people))
    assert "subject" not in shown
    assert "Template" not in shown
    assert "array" not in shown


def test_two_ethnicities_are_a_group_of_their_own(tmp_path: Path) -> None:
    folder = _write(tmp_path, [("a", "female", "east_asian/white", 50, 55), ("b", "male", "white", 150, 155)])
    groups = [rates.group for rates in _measure(folder).pooled]
    assert Group("ethnicity", "east_asian/white") in groups
    assert Group("ethnicity", "east_asian") not in groups


def _drop_photograph(folder: Path) -> None:
    (folder / "smiling" / "a.jpg").unlink()


def _list_twice(folder: Path) -> None:
    with (folder / "subjects.csv").open("a") as file:
        file.write("a,31,female,white\n")


def _climb_out(folder: Path) -> None:
    with (folder / "subjects.csv").open("a") as file:
        file.write("../a,31,female,white\n")


def _drop_list(folder: Path) -> None:
    (folder / "subjects.csv").unlink()


def _empty_list(folder: Path) -> None:
    (folder / "subjects.csv").write_text("subject,age\n")


@pytest.mark.parametrize("damage", [_drop_photograph, _list_twice, _climb_out, _drop_list, _empty_list])
def test_data_set_that_is_not_whole_is_refused(people: Path, damage: Callable[[Path], None]) -> None:
    damage(people)
    with pytest.raises(BadInputError):
        _measure(people)


def test_shipped_threshold_parts_sixty_people_in_every_group(shared_data: Path, engine: FaceEngine) -> None:
    report = measure_accuracy(shared_data / "london", engine=engine)
    assert report.people == 60
    for rates in (*report.pooled, *(rates for scenario in report.scenarios for rates in scenario.rates)):
        assert rates.fta.events == 0
        assert rates.fmr.events == 0
        assert rates.fnmr.events * 100 <= rates.fnmr.trials
    assert _of(report.pooled, "everybody").fmr.trials == 7080
    assert report.quantisation.decisions_changed == 0


def test_photographs_can_be_made_worse_before_they_are_measured(people: Path) -> None:
    def darken(frame: Frame) -> Frame:
        return Frame(np.zeros_like(frame.pixels))

    report = measure_accuracy(people, engine=GreyEngine(), quality=ANYTHING, prepare=darken)
    assert report.faults == ((FaceFault.NO_FACE, 8),)
    assert (report.mated_max, report.non_mated_min) == (None, None)
    assert _of(report.pooled, "everybody").fnmr == Proportion(0, 0)
