"""Inputs that fuzzing found (docs/fuzzing.md): each once ended in another way than by a refusal."""

import re
import struct
import tracemalloc
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from openstile.face import packs
from openstile.face.headers import png_is_whole
from openstile.face.images import decode_image
from openstile.face.packs.archives import extract_member
from openstile.face.packs.dlib_dat import read_dlib_network
from openstile.face.packs.errors import PackError
from openstile.face.packs.manifest import parse_manifest
from openstile.terms import BadInputError

WHOLE = (Path(packs.__file__).parent / "centerface_dual.toml").read_bytes()


def chunk(kind: bytes, content: bytes, *, length: int | None = None) -> bytes:
    size = struct.pack(">I", len(content) if length is None else length)
    return size + kind + content + struct.pack(">I", zlib.crc32(kind + content))


SIGNATURE = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 24, 20, 8, 2, 0, 0, 0))
PIXELS = chunk(b"IDAT", zlib.compress(bytes(20 * (1 + 3 * 24))))


@pytest.mark.parametrize("length", [1, 0x7FFFFFFF, 0xFF000000])
@pytest.mark.parametrize("kind", [b"IEND", b"tEXt", b"IDAT"])
def test_png_whose_chunk_says_it_is_longer_than_the_file_takes_no_memory(kind: bytes, length: int) -> None:
    data = SIGNATURE + chunk(kind, b"", length=length)
    assert not png_is_whole(data)
    tracemalloc.start()
    with pytest.raises(BadInputError):
        decode_image(data, name="picture")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_png_of_more_chunks_than_any_writer_makes_is_refused() -> None:
    assert not png_is_whole(SIGNATURE + chunk(b"tEXt", b"") * 2**17 + PIXELS + chunk(b"IEND", b""))


def test_whole_png_is_still_read() -> None:
    assert decode_image(SIGNATURE + PIXELS + chunk(b"IEND", b""), name="picture").width == 24


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_wheel_compressed_as_no_wheel_is_is_refused_before_it_is_unpacked(tmp_path: Path, method: int) -> None:
    archive = tmp_path / "a.whl"
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("member", b"content" * 99)
    with pytest.raises(PackError, match="compressed as no wheel is"):
        extract_member(archive, "member", sha256(b"content" * 99).hexdigest())


def test_wheel_with_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.whl"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("mémber", b"content")
    archive.write_bytes(archive.read_bytes().replace("é".encode(), b"\x80\x80"))
    with pytest.raises(PackError, match="is damaged"):
        extract_member(archive, "member", "0" * 64)


@pytest.mark.parametrize("digits", [b"1" + b"0" * 400, b"-1" + b"0" * 400, b"9" * 5000, b"nan", b"inf", b"true"])
def test_number_of_a_manifest_that_no_float_holds_is_refused(digits: bytes) -> None:
    data = re.sub(rb"distance_max = [0-9.]+", b"distance_max = " + digits, WHOLE)
    assert data != WHOLE
    with pytest.raises(PackError):
        parse_manifest(data, name="manifest")


def small_integers(*values: int) -> bytes:
    return b"".join(bytes([6]) + value.to_bytes(6, "little") for value in values)


def dlib_start(*mean: int) -> bytes:
    data = small_integers(1, 13) + b"loss_metric_2" + small_integers(0, 0, 0, 0) + small_integers(3, 21)
    data += b"input_rgb_image_sized" + b"".join(small_integers(colour, 0) for colour in mean)
    return data + small_integers(18, 18)


@pytest.mark.parametrize("shape", [(0, 2**40, 2**40, 1), (0, 2**26, 2**26, 2**26), (2**40, 0, 2**40, 0)])
def test_dlib_tensor_of_no_numbers_in_a_shape_that_is_too_large_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PackError, match="dimensions"):
        read_dlib_network(dlib_start(0, 0, 0) + small_integers(5) + b"relu_" + b"110" + small_integers(2, *shape))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 2.0**61])
def test_dlib_weight_that_is_no_number_to_compute_with_is_refused(number: float) -> None:
    weight = small_integers(2, 1, 1, 1, 1) + struct.pack("<f", number)
    with pytest.raises(PackError, match="size of the numbers"):
        read_dlib_network(dlib_start(0, 0, 0) + small_integers(5) + b"con_4" + weight)


def test_dlib_mean_that_no_picture_has_is_refused() -> None:
    with pytest.raises(PackError, match="mean of the input"):
        read_dlib_network(dlib_start(0, 0, 256))


def test_dlib_layer_of_less_than_no_inputs_is_refused() -> None:
    def integers(*values: int) -> bytes:
        return b"".join(bytes([0x81 if value < 0 else 1, abs(value)]) for value in values)

    data = integers(1, 13) + b"loss_metric_2" + integers(0, 0, 0, 0) + integers(3, 21) + b"input_rgb_image_sized"
    data += integers(0, 0, 0, 0, 0, 0, 18, 18) + integers(4) + b"fc_2" + integers(-3, -4) + integers(2, 12, 1, 1, 1)
    data += (
        bytes(48)
        + integers(1, 3, 4, 1, 1) * 2
        + integers(1)
        + integers(0, 0) * 4
        + b"110"
        + integers(2, 0, 0, 0, 0) * 3
    )
    with pytest.raises(PackError, match="dlib network"):
        read_dlib_network(data + integers(1))
