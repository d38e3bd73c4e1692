"""A stage behind a network: its file, its hash, and the whitening that makes one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.face.archives import TINY_MANIFEST, sha256, tiny_detector, tiny_embedder

from openstile.face.packs import PackError, list_packs, load_pack, verify_pack
from openstile.face.packs.manifest import parse_manifest
from openstile.face.packs.shelf import PackState
from openstile.face.packs.stage import Stage, read_stage, write_stage
from openstile.lab.whitening import fit_whitening, split_by_subject
from openstile.terms import BadInputError

SECOND = TINY_MANIFEST[TINY_MANIFEST.index("[embedder]") : TINY_MANIFEST.index("[comparison]")]
TWO = TINY_MANIFEST.replace("quantisation_range = 1.0\n", "").replace(
    SECOND,
    SECOND.replace("[embedder]", "[[embedder]]\nquantisation_range = 1.0\ndistance_scale = 1.0")
    + SECOND.replace("[embedder]", "[[embedder]]\nquantisation_range = 2.0\ndistance_scale = 0.5").replace(
        "dimensions = 3", 'dimensions = 2\nstage = "stage.bin"\nstage_sha256 = "@"'
    ),
)
STAGE = Stage(np.array([0, 0.5, 0], np.float32), np.array([[2, 0, 0], [0, 0, 1]], np.float32))


def own_pack(folder: Path, stage: bytes = write_stage(STAGE), digest: str | None = None) -> Path:
    (folder / "pack.toml").write_text(TWO.replace("@", digest or sha256(stage)))
    (folder / "detector.onnx").write_bytes(tiny_detector())
    (folder / "embedder.onnx").write_bytes(tiny_embedder())
    (folder / "stage.bin").write_bytes(stage)
    return folder


def test_pack_of_two_parts_gives_both_and_the_second_goes_through_its_stage(tmp_path: Path) -> None:
    engine = load_pack(str(own_pack(tmp_path)))
    assert [(part.dimensions, part.quantisation_range, part.scale) for part in engine.parts] == [(3, 1, 1), (2, 2, 0.5)]
    assert engine.dimensions == 5
    chip = np.full((32, 32, 3), (127, 191, 255), np.uint8)
    first, second = engine.embed(0, chip), engine.embed(1, chip)
    assert second == pytest.approx([2 * first[0], first[2]])


def test_stage_of_another_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"stage\.bin: has another SHA-256"):
        load_pack(str(own_pack(tmp_path, digest="0" * 64)))


@pytest.mark.parametrize("damage", [lambda d: d[:-4], lambda d: d[:-1] + b"\1", lambda d: b"", lambda d: d + d])
def test_stage_cut_short_or_changed_is_found_by_list_and_verify(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "packs" / "own").mkdir(parents=True)
    folder = own_pack(tmp_path / "packs" / "own")
    cache, own = tmp_path / "cache", [folder.parent]
    assert list_packs(cache_dir=cache, pack_folders=own)[-1].state is PackState.READY
    assert verify_pack(str(folder)).files == ("detector.onnx", "embedder.onnx", "stage.bin")
    (folder / "stage.bin").write_bytes(damage(write_stage(STAGE)))
    found = list_packs(cache_dir=cache, pack_folders=own)[-1]
    assert (found.state, "stage.bin" in (found.problem or "")) == (PackState.DAMAGED, True)
    with pytest.raises(PackError, match=r"stage\.bin"):
        verify_pack(str(folder))


def test_stage_that_does_not_fit_its_network_is_refused(tmp_path: Path) -> None:
    wide = write_stage(Stage(np.zeros(4, np.float32), np.zeros((2, 4), np.float32)))
    engine = load_pack(str(own_pack(tmp_path, wide)))
    with pytest.raises(PackError, match="takes 4 numbers"):
        engine.embed(1, np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize("data", [b"", b"\0" * 4, b"\0" * 35, b"\0" * 37, np.full(9, np.nan, "<f4").tobytes()])
def test_file_that_is_no_stage_is_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        read_stage(data, outputs=2, name="stage.bin")


def test_stage_is_read_as_it_was_written() -> None:
    back = read_stage(write_stage(STAGE), outputs=2, name="stage.bin")
    assert np.array_equal(back.mean, STAGE.mean)
    assert np.array_equal(back.matrix, STAGE.matrix)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("distance_scale = 0.5", "distance_scale = 0"),
        ("distance_scale = 0.5\n", ""),
        ("quantisation_range = 2.0\n", ""),
        ('stage = "stage.bin"\n', ""),
        ("distance_max = 0.5", "distance_max = 0.5\nquantisation_range = 1.0"),
        ("dimensions = 3", "dimensions = 255"),
        ('stage = "stage.bin"', 'stage = "../stage.bin"'),
    ],
)
def test_wrong_manifest_of_two_parts_is_refused(old: str, new: str) -> None:
    assert old in TWO
    with pytest.raises(PackError):
        parse_manifest(TWO.replace("@", "0" * 64).replace(old, new, 1).encode(), name="pack.toml")


def test_whitening_makes_every_direction_alike_and_groups_count_alike() -> None:
    rng = np.random.default_rng(3)
    spread = np.array([3.0, 1.0, 0.2])
    large, small = (rng.normal(size=(size, 3)) * spread + centre for size, centre in ((4000, 0.0), (400, 8.0)))
    rows = np.concatenate([large, small]).astype(np.float32)
    stage = fit_whitening(rows, ["large"] * 4000 + ["small"] * 400, shrinkage=1e-6)
    assert stage.mean == pytest.approx([4, 4, 4], abs=0.3)
    white = np.array([stage.apply(row) for row in rows[:4000]])
    variances = np.var(white, axis=0)
    assert variances.max() / variances.min() < 1.2
    assert variances.mean() == pytest.approx(np.mean(spread**2), rel=0.1)


def test_whitening_shrunk_all_the_way_only_takes_off_the_mean() -> None:
    rows = np.random.default_rng(4).normal(size=(50, 3)).astype(np.float32)
    assert np.allclose(fit_whitening(rows, ["one"] * 50, shrinkage=1.0).matrix, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 1.1, -1.0, float("nan")])
def test_whitening_with_a_shrinkage_that_cannot_be_is_refused(shrinkage: float) -> None:
    with pytest.raises(BadInputError):
        fit_whitening(np.zeros((4, 2), np.float32), ["one"] * 4, shrinkage=shrinkage)


def test_whitening_of_no_group_is_refused() -> None:
    with pytest.raises(BadInputError, match="no group"):
        fit_whitening(np.zeros((2, 2), np.float32), ["one", "other"], shrinkage=0.5)


def test_split_keeps_each_subject_in_one_part_and_spreads_the_groups() -> None:
    groups = ["a"] * 8 + ["b"] * 4 + ["c"]
    split = split_by_subject(groups, parts=2, rng=np.random.default_rng(0))
    assert split.shape == (13,)
    assert [int(np.sum(split[:8])), int(np.sum(split[8:12]))] == [4, 2]
