"""Error against discard: curves, gains and reports held against values worked out by hand."""

import numpy as np
import pytest

from openstile.face.quality_limits import ENROLMENT_LIMITS
from openstile.face.quality_table import Measured
from openstile.lab.discard import report_discard
from openstile.lab.discard_conditions import CONDITIONS, MEANT_FOR, Condition, Kind
from openstile.lab.discard_curve import SHARES, error_against_discard, gain_of, gain_with_interval
from openstile.lab.discard_trials import ANYTHING, DiscardTrial, DiscardTrials
from openstile.terms import BadInputError


def errors(*flags: int) -> np.ndarray:
    return np.array(flags, bool)


def test_curve_is_that_of_four_comparisons_worked_out_by_hand() -> None:
    """Worst quality first: error, right, error, right. FNMR 2/4; without the worst 1/3; without two 1/2; of one 0/1."""
    quality, wrong = np.array([3.0, 1.0, 4.0, 2.0]), errors(1, 1, 0, 0)
    curve = error_against_discard(quality, wrong, np.array([0, 0.25, 0.5, 0.75]))
    assert curve == pytest.approx([2 / 4, 1 / 3, 1 / 2, 0])


def test_share_between_two_comparisons_takes_part_of_one() -> None:
    """A discard of 1/8 of four takes half of the worst, an error: (2 - 0.5) / 3.5."""
    curve = error_against_discard(np.arange(4.0), errors(1, 0, 1, 0), np.array([0.125]))
    assert curve == pytest.approx([1.5 / 3.5])


def test_measure_that_says_the_same_of_everything_leaves_the_curve_level() -> None:
    wrong = errors(1, 0, 0, 1, 0)
    assert error_against_discard(np.zeros(5), wrong) == pytest.approx(np.full(SHARES.size, 0.4))
    assert gain_of(np.zeros(5), wrong) == pytest.approx(0.0)


def test_order_of_equal_qualities_does_not_matter() -> None:
    quality = np.array([1.0, 1.0, 2.0, 2.0])
    one, other = (error_against_discard(quality, wrong) for wrong in (errors(1, 0, 0, 0), errors(0, 1, 0, 0)))
    assert one == pytest.approx(other)


def test_perfect_order_gains_all_chance_nothing_and_the_reverse_less_than_nothing() -> None:
    wrong = errors(*[1] * 10, *[0] * 90)
    assert gain_of(np.arange(100.0), wrong) == pytest.approx(1.0)
    reverse = gain_of(-np.arange(100.0), wrong)
    assert reverse is not None
    assert reverse < 0


@pytest.mark.parametrize("wrong", [errors(0, 0, 0), errors(1, 1, 1)])
def test_without_an_error_or_with_nothing_else_no_gain_is_claimed(wrong: np.ndarray) -> None:
    assert gain_of(np.arange(3.0), wrong) is None


@pytest.mark.parametrize(
    ("quality", "shares"),
    [(np.array([]), [0.0]), (np.array([1.0, np.nan]), [0.0]), (np.array([1.0, 2.0]), [1.0]), (np.zeros(3), [0.0])],
)
def test_curve_of_nothing_or_nonsense_is_refused(quality: np.ndarray, shares: list[float]) -> None:
    with pytest.raises(BadInputError, match="error against discard"):
        error_against_discard(quality, errors(*[0] * min(2, quality.size)), np.array(shares))


def test_interval_is_over_subjects_and_widens_when_all_errors_are_of_one() -> None:
    quality = np.tile(np.arange(5.0), 20)
    subjects = np.repeat(np.arange(20), 5)
    of_all = np.tile(errors(1, 0, 0, 0, 0), 20)
    of_one = np.where(subjects < 2, of_all, False)
    random = np.random.default_rng(1)
    narrow, wide = (
        gain_with_interval(quality, wrong, subjects, random=random, samples=100) for wrong in (of_all, of_one)
    )
    assert narrow is not None
    assert wide is not None
    assert narrow.low == pytest.approx(narrow.high) == pytest.approx(narrow.value)
    assert wide.high - wide.low > 0.01


def trial(subject: int, kind: Kind, sharpness: float, evenness: float, wrong: bool | None) -> DiscardTrial:
    condition = next(condition for condition in CONDITIONS if condition.kind is kind)
    measures = (Measured("sharpness", sharpness, 0.4), Measured("evenness", evenness, 0.5, rejects=False))
    return DiscardTrial(subject, condition, () if wrong is None else measures, wrong)


def test_measure_that_knows_earns_its_place_and_one_that_does_not_is_said_not_to() -> None:
    random = np.random.default_rng(5)
    trials = [trial(person, Kind.CLEAN, 0.6, float(random.uniform(0.4, 1)), False) for person in range(40)]
    trials += [trial(person, Kind.BLUR, 0.3, float(random.uniform(0.4, 1)), person < 30) for person in range(40)]
    trials += [trial(person, Kind.SIDE_LIGHT, 0.6, 0.2, False) for person in range(40)]
    trials += [trial(0, Kind.DARK, 0, 0, None)]
    report = report_discard(DiscardTrials("pack-1", 0.45, 40, 0, tuple(trials)), samples=50)
    sharpness, evenness = report.measures
    assert (sharpness.measure, sharpness.earns, sharpness.rejects) == ("sharpness", True, True)
    assert (sharpness.rejected.events, sharpness.rejected.trials) == (30, 40)
    assert (sharpness.passing.events, sharpness.passing.trials) == (0, 40)
    assert (sharpness.clean_rejected.events, sharpness.clean_rejected.trials) == (0, 40)
    assert (evenness.measure, evenness.earns, evenness.own_gain) == ("evenness", False, None)
    assert (report.passing.events, report.passing.trials) == (0, 80)
    assert (report.all_frames.events, report.all_frames.trials) == (30, 120)
    dark = next(one for one in report.conditions if one.kind is Kind.DARK)
    assert (dark.no_face.events, dark.no_face.trials, dark.fnmr.trials) == (1, 1, 0)


def test_measure_that_rejects_one_persons_failing_frames_earns_nothing_by_them() -> None:
    """30 failing frames of one person look like much when they are counted one by one."""
    trials = [trial(person, Kind.CLEAN, 0.6, 1.0, False) for person in range(40)]
    trials += [trial(0, Kind.BLUR, 0.3, 1.0, True) for _ in range(30)]
    trials += [trial(person, Kind.BLUR, 0.38, 1.0, False) for person in range(1, 6)]
    report = report_discard(DiscardTrials("pack-1", 0.45, 40, 0, tuple(trials)), samples=200)
    sharpness = report.measures[0]
    assert sharpness.rejected.interval.low > sharpness.passing.interval.high
    assert not sharpness.earns


def test_enrolment_is_held_against_its_own_stricter_limit() -> None:
    trials = [trial(person, Kind.CLEAN, 0.415 if person < 3 else 0.6, 0.2, False) for person in range(10)]
    trials += [trial(person, Kind.BLUR, 0.41, 1.0, person < 6) for person in range(10)]
    sharpness, evenness = report_discard(DiscardTrials("pack-1", 0.45, 10, 0, tuple(trials)), samples=20).measures
    assert (sharpness.at_least, sharpness.rejected.trials, sharpness.clean_rejected.events) == (0.4, 0, 0)
    assert sharpness.enrolment_at_least == ENROLMENT_LIMITS.sharpness_min == 0.42
    assert (sharpness.enrolment_rejected.events, sharpness.enrolment_rejected.trials) == (6, 10)
    assert (sharpness.enrolment_clean_rejected.events, sharpness.enrolment_clean_rejected.trials) == (3, 10)
    assert (evenness.enrolment_at_least, evenness.enrolment_clean_rejected.trials) == (None, 0), "advice only"


def test_gain_of_one_person_has_no_interval_and_is_not_told() -> None:
    quality, wrong = np.arange(8.0), errors(1, 1, 1, 0, 0, 0, 0, 0)
    random = np.random.default_rng(1)
    assert gain_of(quality, wrong) == pytest.approx(1.0)
    assert gain_with_interval(quality, wrong, np.zeros(8, int), random=random, samples=50) is None


def test_report_as_json_holds_curves_and_counts_and_nobody() -> None:
    trials = [trial(person, Kind.BLUR, person / 10, 1.0, person < 3) for person in range(10)]
    value = report_discard(DiscardTrials("pack-1", 0.45, 10, 0, tuple(trials)), samples=20).to_json()
    measures = value["measures"]
    assert isinstance(measures, list)
    assert len(measures[0]["curve"]) == len(measures[0]["own_curve"]) == SHARES.size
    assert measures[0]["rejected"] == [3, 4]
    assert not any("subject" in key for key in value if key != "subjects")


def test_trials_without_any_comparison_are_refused() -> None:
    with pytest.raises(BadInputError, match="no frame could be compared"):
        DiscardTrials("pack-1", 0.45, 1, 0, (trial(0, Kind.DARK, 0, 0, None),))


def test_conditions_have_names_of_their_own_and_every_measure_its_fault() -> None:
    names = [condition.name for condition in CONDITIONS]
    assert len(set(names)) == len(names)
    kinds = {condition.kind for condition in CONDITIONS}
    assert kinds == set(Kind)
    assert {kind for meant in MEANT_FOR.values() for kind in meant} == set(Kind) - {Kind.CLEAN}


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_every_simulated_fault_changes_a_picture_and_nothing_else_of_it(condition: Condition) -> None:
    from openstile.face.located import Box, LocatedFace, Point
    from openstile.lab.discard_conditions import present

    marks = tuple(Point(float(x), float(y)) for x, y in ((120, 120), (180, 120), (150, 155), (125, 185), (175, 185)))
    face = LocatedFace(Box(85.0, 60.0, 130.0, 170.0), marks, 0.9)
    smooth = np.linspace(40, 210, 300)[:, None, None] * np.linspace(0.7, 1, 320)[None, :, None] * np.ones((1, 1, 3))
    pixels = (smooth + np.random.default_rng(2).normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)
    before = pixels.copy()
    spoilt = present(pixels, face, condition)
    assert spoilt.dtype == np.uint8
    assert spoilt.shape[2:] == (3,)
    assert spoilt.shape[0] >= 480
    assert spoilt.shape[1] >= 640
    assert np.array_equal(pixels, before)
    clean = present(pixels, face, CONDITIONS[0])
    same = spoilt.shape == clean.shape and np.array_equal(spoilt, clean)
    assert same == (condition.kind is Kind.CLEAN)
    assert np.array_equal(spoilt, present(pixels, face, condition)), "seeded"


def test_limits_that_reject_nothing_reject_nothing() -> None:
    assert ANYTHING.sharpness_min == ANYTHING.pitch_min == 0
    assert ANYTHING.noise_max == ANYTHING.pitch_max == 1e9
