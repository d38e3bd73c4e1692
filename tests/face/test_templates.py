"""Templates and their comparison, on an engine that is plain arithmetic."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from openstile.face import Comparison, Frame, LocatedFace, Template, compare, extract_template
from openstile.face.engine import REFERENCE_SOFTENING_MAX, ChipGeometry, TemplatePart, check_parts
from openstile.face.located import Box, Point
from openstile.face.template import dequantise, extract_reference, quantise
from openstile.terms import BadInputError
from openstile.terms.limits import PACK_ID_CHARS_MAX, TEMPLATE_BYTES_MAX, TEMPLATE_PARTS_MAX


class PlainEngine:
    """Four numbers, range 0.6, threshold 0.45."""

    pack_id = "plain-1"
    dimensions = 4
    distance_max = 0.45
    parts: tuple[TemplatePart, ...] = (TemplatePart(ChipGeometry(16, (Point(1, 1),) * 5), 4, 0.6),)

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        """None."""
        return []

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
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


CHIP = ChipGeometry(16, (Point(1, 1),) * 5)
EYES = (Point(3, 4), Point(13, 4), Point(8, 8), Point(4, 12), Point(12, 12))
ONE, OTHER = TemplatePart(CHIP, 2, 0.5, scale=2.0), TemplatePart(CHIP, 3, 1.0)


class TwoEngine(PlainEngine):
    """Two networks: two numbers whose distances count double, and three."""

    pack_id = "two-1"
    dimensions = 5
    parts = (ONE, OTHER)

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As many times a quarter as the part has numbers."""
        return np.full(self.parts[part].dimensions, 0.25, np.float32)


def test_template_of_two_parts_is_the_bytes_of_one_after_the_other() -> None:
    frame = Frame(np.zeros((32, 32, 3), np.uint8))
    face = LocatedFace(Box(1, 1, 9, 9), tuple(Point(x, x * x) for x in range(5)), 0.5)
    template = extract_template(TwoEngine(), frame, face)
    assert np.frombuffer(template.data, np.int8).tolist() == [64, 64, 32, 32, 32]


@pytest.mark.parametrize(
    ("probe", "distance"),
    [([0, 0, 0, 0, 0], 0.0), ([127, 0, 0, 0, 0], 1.0), ([0, 0, 127, 0, 0], 1.0), ([127, 0, 0, 127, 127], 2**0.5)],
)
def test_distance_of_two_parts_is_the_larger_of_their_scaled_distances(probe: list[int], distance: float) -> None:
    seen = Template("two-1", np.array(probe, np.int8).tobytes())
    found = compare(engine=TwoEngine(), probe=seen, reference=Template("two-1", bytes(5)))
    assert found.distance == pytest.approx(distance)


class SoftEngine(PlainEngine):
    """Its one number is the brightest dot of the chip, a hundredth of it."""

    pack_id = "soft-1"
    dimensions = 1
    parts = (TemplatePart(ChipGeometry(16, EYES), 1, 4.0, reference_softening=0.1),)

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of the green channel."""
        return np.array([chip[:, :, 1].max() / 100], np.float32)


def test_reference_lies_in_the_middle_between_sharp_and_softened() -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[8, 8] = 255
    frame, face = Frame(pixels), LocatedFace(Box(1, 1, 9, 9), EYES, 0.5)
    sigma = 0.1 * 10  # the eyes are 10 pixels apart
    softened = cv2.GaussianBlur(pixels, (0, 0), sigma)[8, 8, 1]
    assert softened < 100
    engine = SoftEngine()
    probe, reference = extract_template(engine, frame, face), extract_reference(engine, frame, face)
    assert probe.data == quantise(np.array([2.55], np.float32), 4.0)
    assert reference.data == quantise(np.array([(2.55 + softened / 100) / 2], np.float32), 4.0)


def test_reference_without_softening_is_the_probe() -> None:
    frame = Frame(np.zeros((32, 32, 3), np.uint8))
    face = LocatedFace(Box(1, 1, 9, 9), EYES, 0.5)
    engine = TwoEngine()
    assert extract_reference(engine, frame, face) == extract_template(engine, frame, face)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference_softening": -0.01},
        {"reference_softening": REFERENCE_SOFTENING_MAX + 0.01},
        {"reference_softening": float("nan")},
        {"reference_softening": 0.1},  # of a chip whose eyes are in one place
    ],
)
def test_softening_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInputError, match="reference_softening"):
        TemplatePart(CHIP, 4, 1.0, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"dimensions": 0}, {"dimensions": TEMPLATE_BYTES_MAX + 1}, {"scale": 0.0}, {"quantisation_range": -1.0}]
)
def test_part_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInputError):
        TemplatePart(**({"chip": CHIP, "dimensions": 4, "quantisation_range": 1.0} | wrong))  # type: ignore[arg-type]


def test_parts_together_keep_the_limit_of_a_template() -> None:
    half = TemplatePart(CHIP, TEMPLATE_BYTES_MAX // 2, 1.0)
    assert check_parts((half, half)) == TEMPLATE_BYTES_MAX
    for parts in ((), (half, half, OTHER), (OTHER,) * (TEMPLATE_PARTS_MAX + 1)):
        with pytest.raises(BadInputError):
            check_parts(parts)
