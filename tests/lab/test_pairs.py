"""The lab's distances are those of the gate's comparison."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.lab.grey import LANDMARKS, SIDE

from openstile.face import LocatedFace, Template, compare
from openstile.face.engine import ChipGeometry, TemplatePart
from openstile.lab.pairs import cross_distances, distances
from openstile.terms.errors import BadInputError

CHIP = ChipGeometry(SIDE, LANDMARKS)
ONE = (TemplatePart(CHIP, 128, 0.6),)
TWO = (TemplatePart(CHIP, 128, 0.6), TemplatePart(CHIP, 96, 0.31, scale=0.47))


@dataclass(frozen=True)
class BytesEngine:
    """An engine as far as comparing needs one."""

    parts: tuple[TemplatePart, ...]
    pack_id: str = "bytes-1"
    distance_max: float = 1.0

    @property
    def dimensions(self) -> int:
        return sum(part.dimensions for part in self.parts)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        raise NotImplementedError

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise NotImplementedError


def _rows(parts: tuple[TemplatePart, ...], count: int, seed: int) -> NDArray[np.int8]:
    size = sum(part.dimensions for part in parts)
    return np.random.default_rng(seed).integers(-127, 128, (count, size), dtype=np.int8)


def _gate(parts: tuple[TemplatePart, ...], probe: NDArray[np.int8], reference: NDArray[np.int8]) -> float:
    one, other = (Template("bytes-1", row.tobytes()) for row in (probe, reference))
    return compare(engine=BytesEngine(parts), probe=one, reference=other).distance


@pytest.mark.parametrize("parts", [ONE, TWO], ids=["one part", "two parts"])
def test_distances_are_those_of_the_gates_comparison(parts: tuple[TemplatePart, ...]) -> None:
    probes, references = _rows(parts, 200, 1), _rows(parts, 200, 2)
    references[:100] = probes[:100]
    references[:100, :7] += 1  # near ones too
    gate = [_gate(parts, *pair) for pair in zip(probes, references, strict=True)]
    assert distances(parts, probes, references) == pytest.approx(gate, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("parts", [ONE, TWO], ids=["one part", "two parts"])
def test_all_against_all_are_the_same_distances(parts: tuple[TemplatePart, ...]) -> None:
    probes, references = _rows(parts, 30, 3), _rows(parts, 41, 4)
    references[5] = probes[2]
    found = cross_distances(parts, probes, references)
    assert found.shape == (30, 41)
    assert found[2, 5] == 0
    for row in range(30):
        assert np.array_equal(found[row], distances(parts, np.repeat(probes[row : row + 1], 41, axis=0), references))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 256), st.sampled_from([-127, -1, 0, 1, 127]), st.sampled_from([-127, 0, 126, 127]))
def test_sums_of_squares_are_exact_at_the_ends(dimensions: int, one: int, other: int) -> None:
    parts = (TemplatePart(CHIP, dimensions, 127.0),)
    probe, reference = (np.full((1, dimensions), value, np.int8) for value in (one, other))
    wanted = np.float32(np.sqrt(np.float32(dimensions * (one - other) ** 2)))
    assert distances(parts, probe, reference)[0] == wanted
    assert cross_distances(parts, probe, reference)[0, 0] == wanted


def test_more_rows_than_are_summed_at_once_keep_their_order() -> None:
    probes, references = _rows(ONE, 40_000, 5), _rows(ONE, 40_000, 6)
    found = distances(ONE, probes, references)
    for row in (0, 1023, 1024, 39_999):
        assert found[row] == pytest.approx(_gate(ONE, probes[row], references[row]), rel=1e-6)


def test_rows_that_do_not_fit_are_refused() -> None:
    rows = _rows(ONE, 2, 7)
    wrong: list[Any] = [rows[:, :-1], rows.astype(np.int16), rows[0], rows[:1]]
    for probes in wrong:
        with pytest.raises(BadInputError):
            distances(ONE, probes, rows)
