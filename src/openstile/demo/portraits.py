"""The demo's riders: public-domain portraits that come inside packages of the index, taken by version and hash."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from openstile.face.packs.archives import extract_member
from openstile.face.packs.index import fetch_archive
from openstile.terms.files import write_private

_IMAGE_BYTES_MAX = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """One archive of the package index that holds portraits."""

    package: str
    version: str
    kind: str
    sha256: str
    platform: str | None
    python_version: str | None
    licence: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """One portrait: where it comes from, its SHA-256, and who is shown."""

    name: str
    member: str
    sha256: str
    shows: str


WHITE_HOUSE = Source(
    package="face_recognition",
    version="1.3.0",
    kind="sdist",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    platform=None,
    python_version=None,
    licence="photographs by the White House, public domain (works of the US government)",
)
NASA = Source(
    package="scikit-image",
    version="0.26.0",
    kind="wheel",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    platform="manylinux_2_28_x86_64",
    python_version="3.11",
    licence="photograph by NASA, public domain",
)
_TESTS = "face_recognition-1.3.0/tests/test_images"
PORTRAITS: dict[Source, tuple[Portrait, ...]] = {
    WHITE_HOUSE: (
        Portrait(
            "president-1.jpg",
            f"{_TESTS}/obama.jpg",
            "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
            "President Obama, official portrait",
        ),
        Portrait(
            "president-2.jpg",
            f"{_TESTS}/obama2.jpg",
            "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
            "President Obama, speaking",
        ),
        Portrait(
            "president-3.jpg",
            f"{_TESTS}/obama3.jpg",
            "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
            "President Obama, standing",
        ),
        Portrait(
            "vice-president.jpg",
            f"{_TESTS}/biden.jpg",
            "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
            "Vice President Biden",
        ),
    ),
    NASA: (
        Portrait(
            "astronaut.png",
            "skimage/data/astronaut.png",
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "Eileen Collins, astronaut",
        ),
    ),
}


def pull_portraits(folder: Path, *, progress: Callable[[str, int, int], None] | None = None) -> dict[str, Path]:
    """Name to path of every portrait in `folder`; those missing or damaged are fetched first.

    Raises `PackError` when they cannot be fetched, and leaves nothing half-written.
    """
    paths: dict[str, Path] = {}
    for source, portraits in PORTRAITS.items():
        missing = [portrait for portrait in portraits if not _is_whole(folder / portrait.name, portrait.sha256)]
        if missing:
            _pull(source, missing, folder, progress)
        paths |= {portrait.name: folder / portrait.name for portrait in portraits}
    return paths


def _pull(
    source: Source, portraits: list[Portrait], folder: Path, progress: Callable[[str, int, int], None] | None
) -> None:
    with tempfile.TemporaryDirectory(prefix="openstile-portraits-") as work:
        archive = fetch_archive(
            package=source.package,
            version=source.version,
            kind=source.kind,
            sha256=source.sha256,
            dest=Path(work),
            platform=source.platform,
            python_version=source.python_version,
            progress=partial(progress, f"{source.package} {source.version}") if progress else None,
        )
        for portrait in portraits:
            data = extract_member(archive, portrait.member, portrait.sha256, _IMAGE_BYTES_MAX)
            write_private(folder / portrait.name, data)


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
