"""Every file on disk after the demo, and what it is."""

import stat
from dataclasses import dataclass
from pathlib import Path

from openstile.demo.folder import MARKER, DemoFolder

_KINDS = (
    ("*/settings.toml", "thresholds and names"),
    ("*/keys/issuer*.json", "key that signs passes"),
    ("*/keys/gate-group*.json", "key that opens passes"),
    ("*/keys/gate.*.json", "the gate's own key, for bundles"),
    ("gates/*/keys/operator*.json", "public half: whose bundles count"),
    ("*/keys/operator*.json", "key that signs bundles"),
    ("gates/*/operator.pub.json", "public half, as it was brought"),
    ("gates/*/gate.pub.json", "public half, as it was brought"),
    ("*/operator/bundle.json", "the last bundle's number"),
    ("*/operator/.lock", "one writer at a time"),
    ("*/office/office.db", "the office: accounts, amounts, days"),
    ("*/office/office.db-wal", "the office: its newest pages"),
    ("*/office/office.db-shm", "the office: index of those"),
    ("*/office/bundle.osb", "what the office tells its gates"),
    ("*/office/log.jsonl", "the office's log: routes, no riders"),
    ("*/office/demo-provider.secret", "shared with the payment provider"),
    ("*/city/*.txt", "fares of the city (GTFS)"),
    ("*/fares.toml", "caps and maximum fares"),
    ("*/gate/uplink.pem", "key that signs requests to the office"),
    ("*/gate/uplink.json", "which office the gate has joined"),
    ("*/gate/uplink-fault.json", "why the last sync failed"),
    ("*/issuer/register.db", "passes issued: no rider, no face"),
    ("*/gate/gate.pem", "key that signs the journal"),
    ("*/gate/journal.db", "journal: taps, no face"),
    ("*/gate/journal.db-wal", "journal: its newest pages"),
    ("*/gate/journal.db-shm", "journal: index of those"),
    ("*/gate/journal.db-lock", "journal: its one writer's lock"),
    ("*/issuer/status/*.cwt", "status list: a bit a pass"),
    ("*/trust/floors.json", "what the gate never goes back behind"),
    ("*/trust/.lock", "one writer at a time"),
    ("*/trust/*", "list or bundle that the gate goes by"),
    ("passes/*/pass.wallet", "the pass on its rider's phone"),
    ("passes/*/holder.json", "the phone's key"),
    ("passes/*/holder.pub.json", "its public half, for the desk"),
    ("passes/*/pass.png", "code; face or PIN only sealed"),
    ("passes/*/pass.svg", "code; face or PIN only sealed"),
    ("passes/*/pass.pdf", "card to print; no photograph"),
    ("passes/*/pass.txt", "text of the code"),
    (MARKER, "says what this folder is"),
)
UNKNOWN = "not known to the demo"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: its path in the demo's folder, its size in bytes, its mode and what it is."""

    path: str
    size: int
    mode: str
    what: str


def list_files(folder: DemoFolder) -> tuple[StoredFile, ...]:
    """Every file of the demo but the pictures, by path."""
    paths = sorted(path for path in folder.root.rglob("*") if not path.is_relative_to(folder.pictures))
    return tuple(_stored(path, folder.root) for path in paths if not path.is_dir())


def _stored(path: Path, root: Path) -> StoredFile:
    status = path.lstat()
    inside = path.relative_to(root)
    what = next((what for pattern, what in _KINDS if inside.match(pattern)), UNKNOWN)
    return StoredFile(str(inside), status.st_size, stat.filemode(status.st_mode), what)
