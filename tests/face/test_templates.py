"""Templates and their comparison, on an engine that is plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from openstile.face import Comparison, LocatedFace, Template, compare
from openstile.face.engine import ChipGeometry
from openstile.face.located import Point
from openstile.face.template import dequantise, quantise
from openstile.terms import BadInputError
from openstile.terms.limits import PACK_ID_CHARS_MAX, TEMPLATE_BYTES_MAX


class PlainEngine:
    """Four numbers, range 0.6, threshold 0.45."""

    pack_id = "plain-1"
    dimensions = 4
    distance_max = 0.45
    quantisation_range = 0.6
    chip_geometry = ChipGeometry(16, (Point(1, 1),) * 5)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        """None."""
        return []

    def embed(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Zeros."""
        return np.zeros(4, np.float32)


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=TEMPLATE_BYTES_MAX))
def test_quantised_value_is_within_half_a_step_and_clipped(values: list[float]) -> None:
    back = dequantise(quantise(np.array(values, np.float32), 0.6), 0.6)
    assert np.abs(back - np.clip(values, -0.6, 0.6)).max() <= 0.6 / 127 / 2 + 1e-6


def test_quantised_bytes_are_the_documented_ones() -> None:
    data = quantise(np.array([0.6, -0.6, 0, 0.3, 9, -9], np.float32), 0.6)
    assert np.frombuffer(data, np.int8).tolist() == [127, -127, 0, 64, 127, -127]


def test_text_of_a_template_does_not_show_it() -> None:
    template = Template("plain-1", b"\x41\x42\x43\x44")
    for text in (repr(template), str(template), f"{template}"):
        assert "ABCD" not in text
        assert "A" not in text.replace("Template", "").replace("plain-1", "")


@pytest.mark.parametrize(
    ("pack_id", "data"),
    [("", b"a"), ("x" * (PACK_ID_CHARS_MAX + 1), b"a"), ("x", b""), ("x", b"a" * (TEMPLATE_BYTES_MAX + 1))],
)
def test_template_outside_its_limits_is_refused(pack_id: str, data: bytes) -> None:
    with pytest.raises(BadInputError):
        Template(pack_id, data)


def test_template_at_its_limits_is_taken() -> None:
    Template("x" * PACK_ID_CHARS_MAX, b"a" * TEMPLATE_BYTES_MAX)


def test_templates_of_different_packs_or_lengths_are_never_compared() -> None:
    good = Template("plain-1", bytes(4))
    for wrong in (Template("plain-2", bytes(4)), Template("plain-1", bytes(5)), Template("plain-1", bytes(3))):
        with pytest.raises(BadInputError, match="probe"):
            compare(engine=PlainEngine(), probe=wrong, reference=good)
        with pytest.raises(BadInputError, match="reference"):
            compare(engine=PlainEngine(), probe=good, reference=wrong)


def test_distance_is_euclidean_in_units_of_the_embedding() -> None:
    one = Template("plain-1", quantise(np.array([0.6, 0, 0, 0], np.float32), 0.6))
    other = Template("plain-1", quantise(np.array([0, -0.6, 0, 0], np.float32), 0.6))
    found = compare(engine=PlainEngine(), probe=one, reference=other)
    assert found.distance == pytest.approx(0.6 * 2**0.5)
    assert found.distance == compare(engine=PlainEngine(), probe=other, reference=one).distance
    assert compare(engine=PlainEngine(), probe=one, reference=one).distance == 0


@pytest.mark.parametrize(("distance", "mated"), [(0.4499, True), (0.45, True), (0.4501, False), (float("nan"), False)])
def test_threshold_belongs_to_the_mated_side_and_nan_does_not(distance: float, mated: bool) -> None:
    assert Comparison(distance, 0.45).mated is mated
