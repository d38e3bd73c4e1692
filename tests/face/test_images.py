"""Pictures from files nobody has vouched for."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.face.pictures import Pixels, corners, encoded, exif, png_of_claimed_size, with_exif

from openstile.face.headers import read_header
from openstile.face.images import decode_image, read_image
from openstile.terms import BadInputError
from openstile.terms.limits import IMAGE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MIN

SUFFIXES = (".png", ".jpg", ".webp", ".bmp", ".tiff")


def upright(picture: Pixels, orientation: int) -> Pixels:
    """The meaning of each orientation (where row 0 and column 0 of the stored picture are shown) in numpy."""
    turned = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: picture.transpose(1, 0, 2)[:, ::-1],
        7: picture.transpose(1, 0, 2)[::-1, ::-1],
        8: picture.transpose(1, 0, 2)[::-1],
    }
    return turned[orientation]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_comes_out_upright(orientation: int, suffix: str, order: str) -> None:
    data = with_exif(encoded(corners(), suffix, cv2.IMWRITE_JPEG_QUALITY, 95), exif(orientation, order=order))
    pixels = decode_image(data, name="turned").pixels
    want = upright(corners(), orientation)
    assert pixels.shape == want.shape
    assert np.abs(pixels.astype(int) - want.astype(int)).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_tiff_orientation_comes_out_upright(orientation: int) -> None:
    data = bytearray(encoded(corners(), ".tiff", cv2.IMWRITE_TIFF_COMPRESSION, 1))
    directory = int.from_bytes(data[4:8], "little")
    for index in range(int.from_bytes(data[directory : directory + 2], "little")):
        at = directory + 2 + 12 * index
        if int.from_bytes(data[at : at + 2], "little") == 0x0112:
            data[at + 8] = orientation
            break
    else:
        data = bytearray(_tiff_with_orientation(orientation))
    pixels = decode_image(bytes(data), name="turned").pixels
    assert np.array_equal(pixels, upright(corners(), orientation))


def _tiff_with_orientation(orientation: int) -> bytes:
    """A plain RGB TIFF, little-endian, one strip."""
    picture = corners()[:, :, ::-1].tobytes()
    entries = [
        (256, 3, 1, 80),
        (257, 3, 1, 60),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (274, 3, 1, orientation),
        (277, 3, 1, 3),
        (278, 3, 1, 60),
        (279, 4, 1, len(picture)),
    ]
    directory = len(entries).to_bytes(2, "little")
    for tag, kind, count, value in entries:
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little")
        directory += value.to_bytes(4, "little")
    return b"II*\0" + (8 + len(picture)).to_bytes(4, "little") + picture + directory + b"\0\0\0\0"


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_orientation_outside_the_standard_is_taken_as_upright(orientation: int) -> None:
    data = with_exif(encoded(corners(), ".png"), exif(orientation))
    assert np.array_equal(decode_image(data, name="x").pixels, corners())


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", bytes(range(60, 100))]
)
def test_damaged_exif_does_not_hinder_the_picture(block: bytes) -> None:
    assert np.array_equal(decode_image(with_exif(encoded(corners(), ".png"), block), name="x").pixels, corners())


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_transparent_parts_are_shown_on_white(suffix: str) -> None:
    picture = np.dstack([corners(), np.full((60, 80), 255, np.uint8)])
    picture[30:, 40:, 3] = 0
    picture[:30, :40, 3] = 128
    pixels = decode_image(encoded(picture, suffix, cv2.IMWRITE_WEBP_QUALITY, 101), name="alpha").pixels
    assert pixels[5, 75].tolist() == [0, 255, 0]
    assert pixels[55, 75].tolist() == [255, 255, 255]
    assert np.abs(pixels[5, 5].astype(int) - [127, 127, 255]).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp"])
def test_grey_becomes_three_equal_colours(suffix: str) -> None:
    grey = cv2.cvtColor(corners(), cv2.COLOR_BGR2GRAY)
    pixels = decode_image(encoded(grey, suffix), name="grey").pixels
    assert pixels.shape == (60, 80, 3)
    assert np.array_equal(pixels[:, :, 0], pixels[:, :, 2])


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_rounded_to_eight(suffix: str, channels: int) -> None:
    value = np.full((20, 30, channels), 0x8080, np.uint16)
    if channels == 4:
        value[:, :, 3] = 65535
    pixels = decode_image(encoded(value, suffix), name="16").pixels
    assert pixels.shape == (20, 30, 3)
    assert set(np.unique(pixels)) == {128}


def test_float_tiff_with_infinities_is_clipped() -> None:
    picture = np.full((20, 30, 3), 0.5, np.float32)
    picture[0, 0], picture[0, 1], picture[0, 2] = np.nan, np.inf, -5
    pixels = decode_image(encoded(picture, ".tiff"), name="float").pixels
    assert pixels[0, 0, 0] == 0
    assert pixels[0, 2, 0] == 0
    assert pixels[5, 5, 0] == 127


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (IMAGE_PIXELS_MAX // 1000 + 1, 1000),
        (IMAGE_SIDE_PIXELS_MAX + 1, 100),
        (100, IMAGE_SIDE_PIXELS_MAX + 1),
        (2**31 - 1, 2**31 - 1),
        (2**32 - 1, 1),
    ],
)
def test_picture_beyond_the_pixel_limit_is_refused_from_its_header(width: int, height: int) -> None:
    with pytest.raises(BadInputError, match=r"too large|too small"):
        decode_image(png_of_claimed_size(width, height), name="bomb")


def test_largest_side_is_still_read() -> None:
    picture = np.zeros((IMAGE_SIDE_PIXELS_MIN, IMAGE_SIDE_PIXELS_MAX, 3), np.uint8)
    assert decode_image(encoded(picture, ".png"), name="wide").width == IMAGE_SIDE_PIXELS_MAX


@pytest.mark.parametrize("side", [0, 1, IMAGE_SIDE_PIXELS_MIN - 1])
def test_picture_below_the_smallest_side_is_refused(side: int) -> None:
    with pytest.raises(BadInputError, match="too small"):
        decode_image(png_of_claimed_size(side, 100), name="thin")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.98])
def test_truncated_picture_is_refused(suffix: str, part: float) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encoded(noise, suffix)
    with pytest.raises(BadInputError, match=r"cut short|damaged|not a picture"):
        decode_image(data[: int(len(data) * part)], name="photo")


@pytest.mark.parametrize("data", [b"", b"\0", b"hello world, no picture", b"GIF89a" + b"\0" * 50, b"%PDF-1.7", b"BM"])
def test_what_is_no_picture_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(BadInputError, match=r"^photo 1: .*(empty|not a picture)"):
        decode_image(data, name="photo 1")


def test_folder_absent_file_and_unreadable_names_are_refused(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.png", "cannot be read"),
        (Path("a\0b"), "not a file"),
    ):
        with pytest.raises(BadInputError, match=words):
            read_image(path)


def test_header_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(encoded(corners(), ".bmp"))
    data[18:22] = (79).to_bytes(4, "little")
    try:
        frame = decode_image(bytes(data), name="liar")
    except BadInputError:
        return
    assert (frame.width, frame.height) == (79, 60)


@settings(max_examples=150, deadline=None)
@given(
    suffix=st.sampled_from(SUFFIXES),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 200),
)
def test_mutated_picture_is_read_or_refused_and_never_crashes(
    suffix: str, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(_SMALL[suffix])
    for at, value in changes:
        data[at % min(len(data), 300)] = value
    try:
        frame = decode_image(bytes(data[: len(data) - cut] if cut < 100 else data), name="mutant")
    except BadInputError:
        return
    assert frame.width * frame.height <= IMAGE_PIXELS_MAX


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"RIFF", b"BM", b"\x89PNG\r\n\x1a\n"]),
)
def test_header_reader_never_raises(data: bytes, start: bytes) -> None:
    read_header(start + data)


def test_decoders_write_nothing_to_the_terminal() -> None:
    data = encoded(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8), ".png")
    damaged = data[:200] + b"\xff" * 40 + data[240:]
    program = (
        "import sys\nfrom openstile.face.images import decode_image\nfrom openstile.terms import BadInputError\n"
        "data = sys.stdin.buffer.read()\n"
        "try:\n    decode_image(data, name='x')\nexcept BadInputError:\n    pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], input=damaged, capture_output=True, timeout=60, check=True)
    assert ended.stderr == b""
    assert ended.stdout == b""


_SMALL = {suffix: encoded(corners(), suffix) for suffix in SUFFIXES}
