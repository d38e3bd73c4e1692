"""The default pack as it is shipped and pulled."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from tests.face.london import Person

from openstile.face import FaceEngine, Frame, locate
from openstile.face.packs import list_packs, load_pack, pull_pack, verify_pack
from openstile.face.packs.known import known_picture
from openstile.face.packs.shelf import PackState, shipped_manifests
from openstile.terms.limits import FACES_PER_FRAME_MAX, TEMPLATE_BYTES_MAX


def test_embeddings_are_those_of_dlib_and_of_the_second_network_to_six_digits(dual: FaceEngine) -> None:
    verified = verify_pack("centerface-dual")
    assert verified.deviation is not None
    assert verified.deviation < 2e-6
    assert verified.files == ("detector.onnx", "embedder.onnx", "second.onnx")


def test_template_of_two_networks_is_within_the_limit(dual: FaceEngine) -> None:
    assert [part.dimensions for part in dual.parts] == [128, 128]
    assert dual.dimensions <= TEMPLATE_BYTES_MAX


def test_plain_pack_is_still_to_be_had_by_name_and_by_id(engine: FaceEngine) -> None:
    assert engine.pack_id == "cf-dual-1"
    pull_pack("centerface-dlib")
    for name in ("centerface-dlib", "cf-dlib-1"):
        plain = load_pack(name)
        assert (plain.pack_id, plain.dimensions, plain.distance_max) == ("cf-dlib-1", 128, 0.45)
    assert verify_pack("centerface-dlib").files == ("detector.onnx", "embedder.onnx")


def test_pulled_pack_is_there_without_a_network(engine: FaceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PATH", "/nowhere")
    assert not pull_pack().fetched
    assert list_packs()[0].state is PackState.READY


def test_every_shipped_manifest_names_licence_origin_hash_and_known_answers() -> None:
    for manifest in shipped_manifests():
        assert manifest.known is not None
        assert manifest.sources
        for weights in manifest.sources:
            assert weights.licence in ("MIT", "CC0-1.0")
            assert len(weights.origin) > 20


def test_frame_without_a_face_has_none(engine: FaceEngine) -> None:
    for pixels in (
        np.zeros((480, 640, 3), np.uint8),
        np.full((16, 16, 3), 255, np.uint8),
        known_picture(480, 640),
        np.random.default_rng(2).integers(0, 256, (480, 640, 3), dtype=np.uint8),
        np.zeros((16, 20_000, 3), np.uint8),
    ):
        assert locate(engine, Frame(pixels)) == ()


@pytest.mark.parametrize("width", [40, 60, 120])
def test_faces_from_forty_pixels_are_found_at_640x480(
    london: tuple[Person, ...], engine: FaceEngine, width: int
) -> None:
    for person in london[::4]:
        scale = width / person.smiling.face.box.width
        small = cv2.resize(person.smiling.frame.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.full((480, 640, 3), 128, np.uint8)
        canvas[60 : 60 + small.shape[0], 150 : 150 + small.shape[1]] = small[:420]
        (face,) = locate(engine, Frame(canvas))
        want = [(p.x * scale + 150, p.y * scale + 60) for p in person.smiling.face.landmarks]
        found = [(p.x, p.y) for p in face.landmarks]
        assert np.abs(np.array(found) - np.array(want)).max() < 0.08 * width + 1


def test_many_faces_are_limited_and_the_largest_come_first(london: tuple[Person, ...], engine: FaceEngine) -> None:
    tiles = [cv2.resize(person.neutral.frame.pixels, (53, 53), interpolation=cv2.INTER_AREA) for person in london]
    faces = locate(engine, Frame(np.vstack([np.hstack(tiles[i : i + 6]) for i in range(0, 36, 6)])))
    assert len(faces) == FACES_PER_FRAME_MAX
    areas = [face.box.area for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_same_frame_gives_the_same_embedding(london: tuple[Person, ...], engine: FaceEngine) -> None:
    for number, part in enumerate(engine.parts):
        picture = known_picture(part.chip.side, part.chip.side)
        assert np.array_equal(engine.embed(number, picture), engine.embed(number, picture))


def test_loading_is_quiet_and_brings_no_conversion_library(engine: FaceEngine) -> None:
    program = (
        "import sys\nfrom openstile.face.packs import load_pack\nload_pack()\n"
        "assert 'onnx' not in sys.modules, 'onnx is for conversion only'\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_importing_the_room_loads_no_runtime() -> None:
    program = "import sys, openstile.face, openstile.face.packs\nassert 'onnxruntime' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
