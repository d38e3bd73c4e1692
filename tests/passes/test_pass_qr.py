"""The QR code of a pass: drawn so that it reads, and reading that survives any image."""

import xml.etree.ElementTree as ET
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from tests.passes.pass_workshop import issue, steady

from openstile.passes.pin import make_pin_reference
from openstile.passes.qr import QUIET_MODULES, Level, qr_modules, read_qr, render_qr_png, render_qr_svg
from openstile.terms import BadInputError
from openstile.terms.limits import (
    PASS_TEXT_CHARS_MAX,
    QR_CLOSER_LOOK_SIDE_PIXELS_MAX,
    QR_CODES_PER_FRAME_MAX,
    QR_MODULE_PIXELS_MAX,
)

TEXT = issue().text
LEVELS: tuple[Level, ...] = ("L", "M", "Q")
Pixels = NDArray[np.uint8]


def decoded(png: bytes, flag: int = cv2.IMREAD_COLOR) -> Pixels:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), flag)
    assert image is not None
    return image.astype(np.uint8)


def drawn_svg(svg: str, scale: int) -> Pixels:
    """The SVG's second path as pixels: every `Mx yhWv1h-Wz` is a run of dark modules."""
    root = ET.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    image = np.full((side, side), 255, np.uint8)
    for run in root[1].attrib["d"].split("z")[:-1]:
        corner, width = run[1:].split("h", 1)
        left, top = (int(number) for number in corner.split())
        image[top, left : left + int(width.split("v")[0])] = 0
    return image.repeat(scale, 0).repeat(scale, 1)


@pytest.mark.parametrize("level", LEVELS)
def test_png_and_svg_read_back_at_every_level(level: Level) -> None:
    assert read_qr(decoded(render_qr_png(TEXT, level=level))) == (TEXT,)
    assert read_qr(decoded(render_qr_png(TEXT, level=level), cv2.IMREAD_GRAYSCALE)) == (TEXT,)
    assert read_qr(drawn_svg(render_qr_svg(TEXT, level=level), scale=6)) == (TEXT,)


@pytest.mark.parametrize("module_pixels", [1, 2, 3, 5, 8, 13])
def test_png_has_the_size_asked_for(module_pixels: int) -> None:
    side = (len(qr_modules(TEXT)) + 2 * QUIET_MODULES) * module_pixels
    image = decoded(render_qr_png(TEXT, module_pixels=module_pixels), cv2.IMREAD_UNCHANGED)
    assert image.shape == (side, side)
    assert set(np.unique(image)) == {0, 255}
    border = QUIET_MODULES * module_pixels
    assert image[:border].min() == image[:, :border].min() == image[-border:].min() == image[:, -border:].min() == 255


def test_a_pass_uses_the_alphanumeric_mode_and_fits_a_small_code() -> None:
    def version(text: str, level: Level) -> int:
        return (len(qr_modules(text, level=level)) - 17) // 4

    assert [version(TEXT, level) for level in LEVELS] == [15, 17, 21]
    pin = issue(reference=make_pin_reference("4711", random=steady("pin"))).text
    assert [version(pin, level) for level in LEVELS] == [13, 15, 18]
    # Lower case forces the byte mode of 8 bits a character instead of 5.5: the code grows.
    in_bytes = zxingcpp.create_barcode(TEXT.lower(), zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    assert len(np.array(in_bytes.to_image(add_quiet_zones=False))) > len(qr_modules(TEXT))


def test_a_code_reads_when_turned_small_and_blurred() -> None:
    image = decoded(render_qr_png(TEXT, module_pixels=4), cv2.IMREAD_GRAYSCALE)
    scene = np.full((720, 1280), 200, np.uint8)
    scene[100 : 100 + len(image), 300 : 300 + len(image)] = image
    turned = cv2.warpAffine(scene, cv2.getRotationMatrix2D((460, 260), 17, 1.0), (1280, 720), borderValue=(200,))
    assert read_qr(cv2.GaussianBlur(turned, (0, 0), 1.0).astype(np.uint8)) == (TEXT,)


def held_up(module_pixels: float, blur: float, *, left: int = 400, top: int = 100) -> Pixels:
    """A pass in a frame of 1280x720, out of focus; where it passes the edge of the frame, cut off."""
    drawn = decoded(render_qr_png(TEXT, module_pixels=8), cv2.IMREAD_GRAYSCALE)
    side = round(len(drawn) / 8 * module_pixels)
    small = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
    matrix = np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
    frame = cv2.warpAffine(small, matrix, (1280, 720), borderValue=(200,))
    return cv2.GaussianBlur(frame, (0, 0), blur).astype(np.uint8)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of what the library was given to read, which it then does."""
    shapes: list[tuple[int, ...]] = []
    read = zxingcpp.read_barcodes

    def noted(image: Pixels, **options: Any) -> list[zxingcpp.Barcode]:
        shapes.append(image.shape)
        return read(image, **options)

    monkeypatch.setattr(zxingcpp, "read_barcodes", noted)
    return shapes


@pytest.mark.parametrize(("module_pixels", "blur"), [(2.5, 1.2), (3.5, 1.8), (4.0, 2.0)])
def test_small_code_out_of_focus_reads_at_a_closer_look(
    module_pixels: float, blur: float, looks: list[tuple[int, ...]]
) -> None:
    frame = held_up(module_pixels, blur)
    assert read_qr(frame) == (TEXT,)
    assert read_qr(np.repeat(frame[:, :, None], 3, axis=2)) == (TEXT,)
    assert len(looks) == 4


def test_frame_without_a_code_or_with_one_that_reads_is_looked_at_once(looks: list[tuple[int, ...]]) -> None:
    clutter = np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)
    assert read_qr(cv2.resize(clutter, (1280, 720), interpolation=cv2.INTER_CUBIC).astype(np.uint8)) == ()
    assert read_qr(held_up(4.0, 0.8)) == (TEXT,)
    assert read_qr(other_code("https://metro.example")) == ()
    assert len(looks) == 3


@pytest.mark.parametrize(("left", "top"), [(400, 100), (-60, -40), (1100, 500), (0, 300)])
def test_unreadable_code_costs_one_more_look_of_bounded_size(left: int, top: int, looks: list[tuple[int, ...]]) -> None:
    assert read_qr(held_up(4.0, 3.6, left=left, top=top)) == ()
    assert len(looks) <= 2
    assert max(max(shape) for shape in looks[1:] or [(0,)]) <= 2 * (QR_CLOSER_LOOK_SIDE_PIXELS_MAX + 2)


def worn(module_pixels: int) -> Pixels:
    """The patterns by which a code is located are whole, every fourth module elsewhere is wrong."""
    dark = qr_modules(TEXT)
    wrong = np.random.default_rng(4).random(dark.shape) < 0.25
    wrong[:9] = wrong[-9:] = wrong[:, :9] = wrong[:, -9:] = False
    drawn = np.pad(~(dark ^ wrong), QUIET_MODULES, constant_values=True).astype(np.uint8) * 255
    return drawn.repeat(module_pixels, 0).repeat(module_pixels, 1)


def test_code_too_large_for_a_closer_look_gets_none(looks: list[tuple[int, ...]]) -> None:
    largest = QR_CLOSER_LOOK_SIDE_PIXELS_MAX // len(qr_modules(TEXT))
    assert read_qr(worn(largest - 3)) == ()
    assert len(looks) == 2
    assert read_qr(worn(largest + 1)) == ()
    assert len(looks) == 3


def test_damaged_code_beside_one_that_reads_changes_nothing(looks: list[tuple[int, ...]]) -> None:
    ours = decoded(render_qr_png(TEXT, module_pixels=4), cv2.IMREAD_GRAYSCALE)
    assert read_qr(side_by_side([worn(4), ours])) == (TEXT,)
    assert len(looks) == 1


def other_code(text: str, kind: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.QRCode) -> Pixels:
    return np.array(zxingcpp.create_barcode(text, kind).to_image(scale=4)).astype(np.uint8)


def side_by_side(images: list[Pixels]) -> Pixels:
    height = max(len(image) for image in images)
    padded = [np.pad(image, ((0, height - len(image)), (20, 20)), constant_values=255) for image in images]
    return np.hstack(padded)


def test_other_codes_are_passed_over() -> None:
    ours = decoded(render_qr_png(TEXT, module_pixels=3), cv2.IMREAD_GRAYSCALE)
    for text in ("https://metro.example", "OS2:ABC", "os1:abc", "WIFI:T:WPA;S:x;;", "x" * 500):
        assert read_qr(other_code(text)) == ()
        assert read_qr(side_by_side([other_code(text), ours])) == (TEXT,)


def test_a_pass_in_another_symbology_is_not_read() -> None:
    for kind in (zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Aztec):
        assert read_qr(other_code(TEXT, kind)) == ()


def test_codes_at_the_limit_and_one_past_it_and_each_once() -> None:
    codes = [other_code(f"OS1:{at}") for at in range(QR_CODES_PER_FRAME_MAX + 1)]
    assert set(read_qr(side_by_side(codes[:-1]))) == {f"OS1:{at}" for at in range(QR_CODES_PER_FRAME_MAX)}
    assert len(read_qr(side_by_side(codes))) == QR_CODES_PER_FRAME_MAX
    assert read_qr(side_by_side([codes[0], codes[0]])) == ("OS1:0",)


def test_text_too_long_for_the_level_says_so() -> None:
    longest = "OS1:" + "A" * 4292
    qr_modules(longest, level="L")
    with pytest.raises(BadInputError, match="too many at level L"):
        qr_modules(longest + "A", level="L")
    with pytest.raises(BadInputError, match="too many at level Q"):
        render_qr_svg(longest, level="Q")


@pytest.mark.parametrize("text", ["", "hello", "OS2:ABC", "OS1:\u00df", "OS1:" + "A" * PASS_TEXT_CHARS_MAX])
def test_only_a_pass_is_drawn(text: str) -> None:
    with pytest.raises(BadInputError, match="not that of a pass"):
        render_qr_png(text)


def test_level_and_module_size_outside_their_range_are_refused() -> None:
    with pytest.raises(BadInputError, match="use L, M or Q"):
        render_qr_png(TEXT, level="H")  # type: ignore[arg-type]
    for pixels in (0, QR_MODULE_PIXELS_MAX + 1):
        with pytest.raises(BadInputError, match="pixels a module"):
            render_qr_png(TEXT, module_pixels=pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4), np.uint16),
    ],
)
def test_array_that_is_no_image_is_refused(pixels: Pixels) -> None:
    with pytest.raises(BadInputError, match="must be"):
        read_qr(pixels)


def test_image_with_too_many_pixels_is_refused_without_reading_it() -> None:
    huge = np.broadcast_to(np.zeros((), np.uint8), (10_000, 5_001))
    with pytest.raises(BadInputError, match="at most 50000000"):
        read_qr(huge)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0, 3), (1, 1), (1, 1, 3), (2, 1000), (1000, 2, 3)])
def test_image_with_hardly_a_pixel_holds_no_pass(shape: tuple[int, ...]) -> None:
    assert read_qr(np.zeros(shape, np.uint8)) == ()


def test_views_that_are_not_contiguous_read_too() -> None:
    image = decoded(render_qr_png(TEXT))
    assert read_qr(np.asfortranarray(image)) == (TEXT,)
    assert read_qr(image[:, :, ::-1]) == (TEXT,)
    assert read_qr(image.repeat(2, 0)[::2]) == (TEXT,)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=64)))
def test_noise_holds_no_pass(pixels: Pixels) -> None:
    assert read_qr(pixels) == ()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_a_damaged_code_reads_right_or_not_at_all(seed: int, spots: int) -> None:
    image = decoded(render_qr_png(TEXT, module_pixels=3), cv2.IMREAD_GRAYSCALE).copy()
    dice = np.random.default_rng(seed)
    for top, left in dice.integers(0, len(image) - 6, (spots, 2)):
        image[top : top + 6, left : left + 6] = dice.integers(0, 2) * 255
    assert read_qr(image) in ((), (TEXT,))
