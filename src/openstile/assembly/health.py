"""What works on this machine: the findings behind `openstile doctor`. Reads; changes nothing in the home."""

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from openstile import __version__
from openstile.assembly.detectors import AddedDetectors, detectors_in_words
from openstile.assembly.home import Home
from openstile.assembly.settings import Settings, load_settings
from openstile.assembly.trust import load_trust
from openstile.assembly.wire import Installation
from openstile.face.packs import verify_pack
from openstile.face.sources import CameraLostError, open_frames
from openstile.gate.fetch import check_address
from openstile.journal import GateKey, verify_journal
from openstile.passes.hpke import SoftwareKeyAgreement
from openstile.passes.keystore import KeyStore
from openstile.terms.errors import OpenstileError
from openstile.terms.instants import SystemClock
from openstile.terms.limits import JOURNAL_BYTES_FREE_MIN
from openstile.trust import TrustFolder


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `needed`: a gate cannot run without it."""

    what: str
    works: bool
    needed: bool
    detail: str


def examine(folder: Path | None, *, camera: str | None) -> tuple[Finding, ...]:
    """Try everything once. `folder` is the home; None, or one not made yet, leaves keys and journal untried."""
    home = Home(folder.expanduser().absolute()) if folder is not None and folder.is_dir() else None
    findings = [_try("Openstile and Python", True, lambda: f"{__version__}, Python {sys.version.split()[0]}")]
    settings = Settings()
    if home is not None:
        findings.append(_try("settings", True, lambda: _settings(home)))
        if findings[-1].works and home.settings.exists():
            settings = load_settings(home.settings)
    packs = (home.packs,) if home else ()
    findings.append(_try("model pack", True, lambda: _pack(settings.gate.model_pack, packs)))
    folder_of = home.folder if home else Path()
    findings.append(_try("attack detectors", True, lambda: _detectors(settings, folder_of)))
    findings.append(_try("SQLite", True, lambda: f"version {sqlite3.sqlite_version}"))
    findings.append(_try("disk", True, lambda: _disk(home.folder if home else Path(tempfile.gettempdir()))))
    if home is None:
        findings.append(Finding("home", True, False, "none given, or not made yet: the first enrol makes it"))
    else:
        findings.append(_try("keys", True, lambda: _keys(home)))
        findings.append(_try("tokens", True, lambda: _tokens(home)))
        findings.append(_trust(home))
        findings.append(_try("servers", True, lambda: _servers(Installation(home, settings, SystemClock()))))
        findings.append(_try("journal", True, lambda: _journal(home)))
    findings.append(_try("camera", False, lambda: _camera(camera or settings.gate.camera)))
    return tuple(findings)


def _try(what: str, needed: bool, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, needed, look())
    except (OpenstileError, OSError) as error:
        return Finding(what, False, needed, " ".join(str(error).split()))


def _settings(home: Home) -> str:
    if not home.settings.exists():
        return "none yet: the defaults"
    return f"{home.settings}: {len(load_settings(home.settings).to_policy().products) or 'all'} products"


def _pack(name: str, packs: tuple[Path, ...]) -> str:
    verified = verify_pack(name, pack_folders=packs)
    return f"{verified.name} ({verified.pack_id}) is whole"


def _detectors(settings: Settings, home: Path) -> str:
    """What would tell a picture from a living face; a network of the deployer's is loaded once."""
    AddedDetectors(settings, home).load()
    policy = settings.to_policy()
    with suppress(OpenstileError, OSError):  # what is wrong with keys and bundle has findings of its own
        policy = load_trust(Home(home), settings).policy
    return detectors_in_words(settings, policy)


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    if free < JOURNAL_BYTES_FREE_MIN:
        raise OSError(f"{folder}: only {free / 2**20:.0f} MiB free; a gate needs {JOURNAL_BYTES_FREE_MIN / 2**20:.0f}")
    return f"{folder}: {free / 2**30:.1f} GiB free"


def _keys(home: Home) -> str:
    infos = KeyStore(home.keys).list_keys(now=SystemClock().now())
    if not infos:
        raise OSError(f"{home.keys}: no keys yet; run: openstile keys create, or enrol a rider")
    return f"{len(infos)} keys: " + ", ".join(f"{i.role.value} {i.name} {i.state.value}" for i in infos)


def _tokens(home: Home) -> str:
    """Each gate-group key in a token does once what it does for each pass: agree on a secret."""
    in_tokens = [
        key for key in KeyStore(home.keys).gate_keyring().gate_group_keys
        if not isinstance(key.agreement, SoftwareKeyAgreement)
    ]  # fmt: skip
    for key in in_tokens:
        key.agreement.agree(key.public.point)
    return f"{len(in_tokens)} keys answer" if in_tokens else "no gate-group key is in a token"


def _servers(installation: Installation) -> str:
    """Whether the gate could ask: its certificates and addresses can be used. It asks nothing."""
    installation.fetcher().close()
    trust = installation.settings.trust
    addresses = [*([trust.bundle_url] if trust.bundle_url else []), *trust.status_lists]
    for address in addresses:
        check_address(address)
    return f"{len(addresses)} addresses to fetch from" if addresses else "none: bundles and lists come by file"


def _trust(home: Home) -> Finding:
    """What the gate was told. One that expired while in use works on: that is said, and stops nothing."""
    try:
        bundle = TrustFolder(home.trust).bundle()
    except (OpenstileError, OSError) as error:
        return Finding("trust bundle", False, True, " ".join(str(error).split()))
    if bundle is None:
        return Finding("trust bundle", True, False, "none: this home goes by its own keys and settings")
    if bundle.is_old(SystemClock().now()):
        detail = f"{bundle.sequence} expired {bundle.expires:%Y-%m-%d}; it works on, but apply a newer one"
        return Finding("trust bundle", False, False, detail)
    return Finding("trust bundle", True, False, f"{bundle.sequence}, to be renewed by {bundle.expires:%Y-%m-%d}")


def _journal(home: Home) -> str:
    if not home.journal.exists():
        return "no taps yet"
    report = verify_journal(home.journal, public_key=GateKey.open(home.gate_key, make=False).public_key)
    return f"verified: {report.taps} taps, {report.faded} faded"


def _camera(name: str) -> str:
    with closing(open_frames(name)) as frames:
        frame = next(frames, None)
    if frame is None:
        raise CameraLostError(f"{frames.name}: gives no frame")
    height, width = frame.pixels.shape[:2]
    return f"{frames.name}: {width} x {height}"  # the source's own name: an address without its password
