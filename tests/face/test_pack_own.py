"""A deployer's own pack: a folder with a manifest and two networks."""

from pathlib import Path

import numpy as np
import pytest
from tests.face.archives import TINY_MANIFEST, tiny_detector, tiny_embedder

from openstile.face import Frame, Template, compare, extract_template, locate
from openstile.face.packs import PackError, list_packs, load_pack, verify_pack
from openstile.face.packs.manifest import parse_manifest
from openstile.face.packs.shelf import PackState
from openstile.terms.limits import MANIFEST_BYTES_MAX


@pytest.fixture
def own_pack(tmp_path: Path) -> Path:
    """`tmp_path`/packs/tiny, whole."""
    folder = tmp_path / "packs" / "tiny"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(TINY_MANIFEST)
    (folder / "detector.onnx").write_bytes(tiny_detector())
    (folder / "embedder.onnx").write_bytes(tiny_embedder())
    return folder


def test_own_pack_runs_from_pixels_to_comparison(own_pack: Path) -> None:
    engine = load_pack(str(own_pack))
    frame = Frame(np.full((64, 64, 3), (127, 191, 255), np.uint8))
    (face,) = locate(engine, frame)
    assert (face.box.left, face.box.top, face.box.width, face.box.height) == (8, 8, 32, 40)
    assert (face.landmarks[2].x, face.landmarks[2].y) == (24, 28)
    template = extract_template(engine, frame, face)
    assert template.pack_id == "tiny-1"
    assert np.frombuffer(template.data, np.int8).tolist() == [0, 63, 127]  # (pixel - 127.5) / 128, in 127 steps
    assert compare(engine=engine, probe=template, reference=template).mated


def test_boxes_are_in_pixels_of_a_frame_of_any_size(own_pack: Path) -> None:
    engine = load_pack(str(own_pack))
    (face,) = locate(engine, Frame(np.zeros((100, 128, 3), np.uint8)))
    assert (face.box.left, face.box.width) == (16.5, 64)  # twice as large; pixel centres
    assert face.box.top == pytest.approx(16.5)


def test_own_pack_is_found_by_name_in_the_folders_given_and_in_the_cache(own_pack: Path, tmp_path: Path) -> None:
    assert load_pack("tiny", pack_folders=[own_pack.parent], cache_dir=tmp_path / "c").pack_id == "tiny-1"
    (tmp_path / "c").mkdir()
    own_pack.rename(tmp_path / "models-tiny")
    (tmp_path / "c" / "models").mkdir()
    (tmp_path / "models-tiny").rename(tmp_path / "c" / "models" / "tiny")
    assert load_pack("tiny", cache_dir=tmp_path / "c").pack_id == "tiny-1"


def test_own_pack_is_listed_with_licence_and_origin(own_pack: Path, tmp_path: Path) -> None:
    *shipped, own = list_packs(cache_dir=tmp_path / "c", pack_folders=[own_pack.parent])
    assert [info.name for info in shipped] == ["centerface-dual", "centerface-dlib"]
    assert (own.name, own.licence, own.origin, own.state) == ("tiny", "CC0-1.0", "made by a test", PackState.READY)
    assert own.size_bytes == len(tiny_detector()) + len(tiny_embedder())


def test_damaged_own_pack_is_listed_as_damaged(own_pack: Path, tmp_path: Path) -> None:
    (own_pack / "embedder.onnx").unlink()
    assert list_packs(cache_dir=tmp_path, pack_folders=[own_pack.parent])[-1].state is PackState.DAMAGED
    (own_pack / "pack.toml").write_text("[pack")
    damaged = list_packs(cache_dir=tmp_path, pack_folders=[own_pack.parent])[-1]
    assert damaged.state is PackState.DAMAGED
    assert "TOML" in (damaged.problem or "")


def test_own_pack_without_known_answers_is_verified_by_loading(own_pack: Path) -> None:
    verified = verify_pack(str(own_pack))
    assert verified.deviation is None
    (own_pack / "embedder.onnx").write_bytes(b"no network")
    with pytest.raises(PackError, match=r"embedder\.onnx: ONNX Runtime cannot load it"):
        verify_pack(str(own_pack))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "tiny-1"', 'id = "Tiny 1"', r"\[pack\]: id"),
        ('id = "tiny-1"', 'id = "' + "x" * 25 + '"', r"\[pack\]: id"),
        ('id = "tiny-1"', "", r"\[pack\]: id: is missing"),
        ('licence = "CC0-1.0"', "", "licence: is missing"),
        ('licence = "CC0-1.0"', 'licence = "CC0-1.0"\nlicense = "MIT"', "unknown key: license"),
        ("distance_max = 0.5", "distance_max = 0.5\ndistance_min = 0.1", "unknown key: distance_min"),
        ("distance_max = 0.5", "distance_max = true", "must be a number"),
        ("distance_max = 0.5", "distance_max = nan", "must be a number"),
        ("distance_max = 0.5", "distance_max = inf", "must be a number"),
        ("distance_max = 0.5", "distance_max = 0", "must be a number"),
        ("distance_max = 0.5", 'distance_max = "0.5"', "must be a number"),
        ("dimensions = 3", "dimensions = 257", "whole number"),
        ("dimensions = 3", "dimensions = 3.0", "whole number"),
        ("dimensions = 3", "dimensions = true", "whole number"),
        ("side = 32", "side = 15", "whole number"),
        ("side = 32", "side = 1025", "whole number"),
        ("[21, 23]]", "]", "5 points"),
        ("[21, 23]]", "[21, 33]]", "number in 0"),
        ("[21, 23]]", "[21, 23, 1]]", "5 points"),
        ("[21, 23]]", "21]", "5 points"),
        ("mean = [0, 0, 0]", "mean = [0, 0]", "list of 3"),
        ("mean = [0, 0, 0]", 'mean = "0"', "list of 3"),
        ('decoder = "boxes-landmarks"', 'decoder = "yolo"', "must be one of centerface, boxes-landmarks"),
        ('outputs = ["boxes", "marks", "scores"]', 'outputs = ["boxes"]', "list of 3 names"),
        ('file = "embedder.onnx"', 'file = "../embedder.onnx"', "plain file name"),
        ('file = "embedder.onnx"', 'file = "/etc/passwd"', "plain file name"),
        ('file = "embedder.onnx"', 'file = ".hidden"', "plain file name"),
        ('shape = "square"', 'shape = "round"', "must be one of"),
        ("[embedder]", "[embedding]", r"embedder: is missing"),
        ("[pack]", "pack = 3\n[packs]", "must be a table"),
        ("[pack]", "weights = 3\n[pack]", "must be a list"),
        ("[pack]", "[[weights]]\nfile = 'x'\n[pack]", r"\[\[weights\]\]: licence: is missing"),
    ],
)
def test_wrong_manifest_is_refused_with_its_table_and_key(old: str, new: str, words: str) -> None:
    assert old in TINY_MANIFEST
    with pytest.raises(PackError, match=words) as caught:
        parse_manifest(TINY_MANIFEST.replace(old, new, 1).encode(), name="pack.toml")
    assert str(caught.value).startswith("pack.toml")


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[pack", b"a = [" + b"[" * 3000, b"#" * (MANIFEST_BYTES_MAX + 1), b""])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(PackError):
        parse_manifest(text, name="pack.toml")


def test_manifest_of_exactly_the_largest_size_is_read() -> None:
    text = TINY_MANIFEST.encode()
    parse_manifest(text + b"#" * (MANIFEST_BYTES_MAX - len(text)), name="pack.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dimensions = 3", "dimensions = 4", "the embedder gave 3 numbers, expected 4"),
        ("side = 32", "side = 40", "does not take the shape"),
        ("side_max = 64", "side_max = 96", "does not take the shape"),
        ('input = "chip"', 'input = "face"', "the manifest names"),
        ('outputs = ["boxes", "marks", "scores"]', 'outputs = ["marks", "boxes", "scores"]', "do not fit the decoder"),
        ('decoder = "boxes-landmarks"', 'decoder = "centerface"', "list of 4 names"),
    ],
)
def test_manifest_that_does_not_fit_its_networks_is_one_clear_error(
    own_pack: Path, old: str, new: str, words: str
) -> None:
    (own_pack / "pack.toml").write_text(TINY_MANIFEST.replace(old, new))
    with pytest.raises(PackError, match=words):
        templates_of(own_pack, Frame(np.zeros((64, 64, 3), np.uint8)))


def templates_of(folder: Path, frame: Frame) -> list[Template]:
    engine = load_pack(str(folder))
    return [extract_template(engine, frame, face) for face in locate(engine, frame)]


def test_unit_length_scales_the_embedding(own_pack: Path) -> None:
    (own_pack / "pack.toml").write_text(TINY_MANIFEST.replace("dimensions = 3", "dimensions = 3\nunit_length = true"))
    embedding = load_pack(str(own_pack)).embed(0, np.full((32, 32, 3), (127, 191, 255), np.uint8))
    assert np.linalg.norm(embedding) == pytest.approx(1)


@pytest.mark.parametrize("threads", [0, 65, -1])
def test_threads_outside_the_limits_are_refused(own_pack: Path, threads: int) -> None:
    with pytest.raises(PackError, match="threads"):
        load_pack(str(own_pack), threads=threads)
