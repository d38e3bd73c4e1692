"""The packs there are: those that ship as manifests, those in the cache, and a deployer's own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path

from openstile.face.packs.cache import MANIFEST_FILE, models_folder, read_model_file, read_pack_files
from openstile.face.packs.errors import PackError
from openstile.face.packs.known import check_known_answers
from openstile.face.packs.manifest import Manifest, Weights, parse_manifest, read_manifest
from openstile.face.packs.onnx_engine import OnnxEngine
from openstile.terms.limits import PACKS_MAX

DEFAULT_PACK = "centerface-dual"


class PackState(StrEnum):
    """What `load_pack` would find."""

    READY = "ready"
    NOT_PULLED = "not_pulled"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class PackInfo:
    """One pack as a list shows it. size_bytes: on this disk; sources: empty for a deployer's own pack."""

    pack_id: str
    name: str
    licence: str
    origin: str
    folder: Path
    size_bytes: int
    state: PackState
    problem: str | None
    sources: tuple[Weights, ...]


@dataclass(frozen=True, slots=True)
class VerifiedPack:
    """A pack whose files have their hashes and whose networks gave their known answers.

    deviation: largest difference of the embedding from the known one; None when the manifest names no known answers.
    """

    pack_id: str
    name: str
    files: tuple[str, ...]
    deviation: float | None


@dataclass(frozen=True, slots=True)
class _Found:
    manifest: Manifest
    folder: Path


def load_pack(
    name: str = DEFAULT_PACK,
    *,
    cache_dir: Path | None = None,
    pack_folders: Sequence[Path] = (),
    threads: int = 1,
) -> OnnxEngine:
    """The engine of the pack `name`: a shipped pack's name or id, the folder of an own pack, or the name of a folder in
    one of `pack_folders` or in the cache.

    Hashes are checked on each load. Raises PackError: not pulled, damaged, unknown, or a manifest that is wrong.
    """
    found = _find(name, cache_dir, pack_folders)
    return OnnxEngine(found.manifest, _read_files(found), threads=threads)


def find_pack_id(name: str, *, pack_folders: Sequence[Path] = ()) -> str:
    """The id of the pack `name`, from its manifest alone: nothing needs to have been pulled. Raises PackError."""
    return _find(name, None, pack_folders).manifest.pack_id


def verify_pack(
    name: str = DEFAULT_PACK, *, cache_dir: Path | None = None, pack_folders: Sequence[Path] = ()
) -> VerifiedPack:
    """Read every file of the pack again, check its hash, run the networks on the known picture. Raises PackError."""
    found = _find(name, cache_dir, pack_folders)
    manifest = found.manifest
    engine = OnnxEngine(manifest, _read_files(found))
    deviation = check_known_answers(engine, manifest)
    return VerifiedPack(manifest.pack_id, manifest.name, manifest.files, None if manifest.known is None else deviation)


def list_packs(*, cache_dir: Path | None = None, pack_folders: Sequence[Path] = ()) -> tuple[PackInfo, ...]:
    """Every pack in sight, shipped ones first, each with its state; never raises for a damaged one."""
    models = models_folder(cache_dir)
    shipped = shipped_manifests()
    infos = [_describe(_Found(manifest, models / manifest.pack_id)) for manifest in shipped]
    known = {manifest.pack_id for manifest in shipped}
    folders = [path.parent for parent in (*pack_folders, models) for path in sorted(parent.glob(f"*/{MANIFEST_FILE}"))]
    for folder in folders[:PACKS_MAX]:
        if folder.name.startswith(".") or (folder.parent == models and folder.name in known):
            continue
        try:
            infos.append(_describe(_Found(read_manifest(folder / MANIFEST_FILE), folder)))
        except PackError as error:
            infos.append(
                PackInfo(folder.name, folder.name, "unknown", "unknown", folder, 0, PackState.DAMAGED, str(error), ())
            )
    return tuple(infos)


def shipped_manifests() -> tuple[Manifest, ...]:
    """The manifests in this package: the default one, then the others by name."""
    folder = resources.files("openstile.face.packs")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    manifests = [parse_manifest(file.read_bytes(), name=file.name) for file in files]
    return tuple(sorted(manifests, key=lambda manifest: (manifest.name != DEFAULT_PACK, manifest.name)))


def shipped_manifest(name: str) -> Manifest | None:
    """The shipped manifest of the pack with this name or id, if there is one."""
    return next((manifest for manifest in shipped_manifests() if name in (manifest.name, manifest.pack_id)), None)


def _find(name: str, cache_dir: Path | None, pack_folders: Sequence[Path]) -> _Found:
    models = models_folder(cache_dir)
    shipped = shipped_manifest(name)
    if shipped is not None:
        return _Found(shipped, models / shipped.pack_id)
    if "/" in name or name in (".", ".."):
        folders = [Path(name)]
    else:
        folders = [parent / name for parent in (*pack_folders, models)]
    for folder in folders:
        if (folder / MANIFEST_FILE).is_file():
            return _Found(read_manifest(folder / MANIFEST_FILE), folder)
    names = ", ".join(manifest.name for manifest in shipped_manifests())
    raise PackError(
        f"model pack {name!r}: is unknown; name one of {names}, or a folder that holds a {MANIFEST_FILE} "
        f"(looked in {', '.join(map(str, folders))})"
    )


def _read_files(found: _Found) -> dict[str, bytes]:
    """Files of a pulled pack, checked against its lock file; of a deployer's own pack the stages have their hashes."""
    if found.manifest.sources:
        return read_pack_files(found.folder, found.manifest)
    advice = f"put the file beside {MANIFEST_FILE}"
    files = {name: read_model_file(found.folder / name, advice) for name in found.manifest.files}
    for stage in (embedder.stage for embedder in found.manifest.embedders if embedder.stage is not None):
        if hashlib.sha256(files[stage.file]).hexdigest() != stage.sha256:
            raise PackError(f"{found.folder / stage.file}: has another SHA-256 than {MANIFEST_FILE} says; refused")
    return files


def _describe(found: _Found) -> PackInfo:
    manifest, problem, size = found.manifest, None, 0
    state = PackState.READY
    try:
        size = sum(len(data) for data in _read_files(found).values())
    except PackError as error:
        problem = str(error)
        state = PackState.DAMAGED if found.folder.is_dir() else PackState.NOT_PULLED
    return PackInfo(
        pack_id=manifest.pack_id,
        name=manifest.name,
        licence=manifest.licence,
        origin=manifest.origin,
        folder=found.folder,
        size_bytes=size,
        state=state,
        problem=problem,
        sources=manifest.sources,
    )
