"""Times of steps, by a clock that the test turns."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from tests.lab.grey import GREY, write_people

from openstile.lab.dataset_folder import read_data_set
from openstile.lab.speed import STEPS, _times, measure_speed
from openstile.terms.errors import BadInputError


class TickingClock:
    """A millisecond passes between two looks at it."""

    def __init__(self) -> None:
        self._ticks = count()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_ns(self) -> int:
        return next(self._ticks) * 1_000_000


def test_steps_are_timed_one_by_one_and_a_face_not_found_ends_them(tmp_path: Path) -> None:
    people = [("a", "f", "x", 100, 100), ("b", "f", "x", 200, 0)]
    seen: list[tuple[int, int]] = []
    report = measure_speed(
        read_data_set(write_people(tmp_path, people)),
        GREY,
        clock=TickingClock(),
        comparisons=2_500,
        progress=lambda *done: seen.append(done),
    )
    assert [each.step for each in report.steps] == list(STEPS)
    assert {each.step: each.samples for each in report.steps} == {
        "read": 4, "locate": 4, "quality": 3, "template": 3, "compare": 3,
    }  # fmt: skip
    assert {(each.median_ms, each.p95_ms, each.max_ms) for each in report.steps} == {(1.0, 1.0, 1.0)}
    assert (report.photographs, report.compared, report.frame_ms) == (4, 3, 4.0)
    assert report.comparisons_per_s == pytest.approx(1_000_000 / 1e-3)
    assert seen[-1] == (4, 4)
    assert set(report.to_json()["steps"]) == set(STEPS)  # type: ignore[call-overload]


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100, 101])
def test_percentile_is_the_nearest_rank(count: int) -> None:
    samples = np.random.default_rng(count).permutation(count).astype(float).tolist()
    found = _times("read", samples)
    assert found.p95_ms == np.percentile(samples, 95, method="inverted_cdf")
    assert found.median_ms == np.median(samples)
    assert found.max_ms == count - 1


def test_nothing_is_timed_without_work(tmp_path: Path) -> None:
    data_set = read_data_set(write_people(tmp_path, [("a", "f", "x", 100, 100)]))
    for photographs, comparisons in ((0, 1), (100_001, 1), (1, 0)):
        with pytest.raises(BadInputError):
            measure_speed(data_set, GREY, clock=TickingClock(), photographs=photographs, comparisons=comparisons)
