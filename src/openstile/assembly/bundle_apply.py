"""Taking a trust bundle into use at a gate's home, or only looking whether it would be taken."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from openstile.assembly.bundle_changes import Change, Told, changes_between
from openstile.assembly.bundles import read_limited
from openstile.assembly.wire import Installation
from openstile.passes.keyfile import Role
from openstile.passes.keyring import GateKeyring
from openstile.passes.keys import GateGroupKey, OperatorPublicKey
from openstile.passes.status_list import StatusList
from openstile.terms.errors import BadInputError
from openstile.terms.limits import BUNDLE_BYTES_MAX
from openstile.trust import Bundle, BundleError, TrustError, TrustFolder, open_group_key
from openstile.trust.floors import Floors


@dataclass(frozen=True, slots=True)
class JudgedBundle:
    """A bundle that this home accepts, and what it changes here. `keys` are gate-group keys that came in it."""

    bundle: Bundle
    changes: tuple[Change, ...]
    cannot_open: tuple[str, ...]
    keys: tuple[GateGroupKey, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrustInUse:
    """What this home goes by. `is_old`: the bundle expired while in use; it goes on working."""

    bundle: Bundle | None
    is_old: bool
    floors: Floors
    lists: tuple[StatusList, ...]
    cannot_open: tuple[str, ...]


def verify_bundle(installation: Installation, path: Path) -> JudgedBundle:
    """What applying the bundle would do; changes nothing. Raises what `apply_bundle` raises."""
    folder = TrustFolder(installation.home.trust)
    pinned, revoked = _operators(installation)
    bundle = folder.check_bundle(
        read_limited(path, BUNDLE_BYTES_MAX, what="a file made by openstile bundle build"),
        operators=pinned,
        revoked=revoked,
        audience=installation.settings.audience(),
        now=installation.clock.now(),
    )
    return _judge(installation, folder, bundle)


def apply_bundle(installation: Installation, path: Path) -> JudgedBundle:
    """Take the bundle into use, with the gate-group keys that it holds for this gate.

    Keys are stored first, then the bundle becomes visible: a gate that runs never goes by a bundle without its keys.
    Raises BundleError, SealedKeyError, TrustError and BadInputError; then what was in use still is.
    """
    data = read_limited(path, BUNDLE_BYTES_MAX, what="a file made by openstile bundle build")
    return accept_bundle(installation, data)


def accept_bundle(installation: Installation, data: bytes) -> JudgedBundle:
    """As `apply_bundle`, for bytes that came another way."""
    folder = TrustFolder(installation.home.trust)
    pinned, revoked = _operators(installation)
    judged: list[JudgedBundle] = []

    def prepare(bundle: Bundle) -> None:
        judged.append(_judge(installation, folder, bundle))
        token = installation.settings.hardware_token(installation.home.folder)
        for key in judged[-1].keys:
            installation.keys.add_gate_group_private(key, now=installation.clock.now(), hardware=token)

    folder.accept_bundle(
        data,
        operators=pinned,
        revoked=revoked,
        audience=installation.settings.audience(),
        now=installation.clock.now(),
        before=prepare,
    )
    return judged[-1]


def trust_in_use(installation: Installation) -> TrustInUse:
    """What this home goes by now. Raises TrustError when it is lost or damaged."""
    folder = TrustFolder(installation.home.trust)
    bundle, keyring = folder.bundle(), installation.keys.gate_keyring()
    held = {key.public.kid for key in keyring.gate_group_keys}
    issuers = keyring.issuers if bundle is None else bundle.issuers
    return TrustInUse(
        bundle=bundle,
        is_old=bundle is not None and bundle.is_old(installation.clock.now()),
        floors=folder.floors(),
        lists=folder.status_lists(issuers),
        cannot_open=() if bundle is None else _missing(bundle, held, installation.clock.now()),
    )


def _operators(installation: Installation) -> tuple[tuple[OperatorPublicKey, ...], tuple[bytes, ...]]:
    """The keys pinned at this gate, and the ids of those that were revoked here."""
    revoked = (key.public.kid for key in installation.keys.public_keys(Role.OPERATOR) if key.revoked)
    return installation.keys.operators(), tuple(revoked)


def _judge(installation: Installation, folder: TrustFolder, bundle: Bundle) -> JudgedBundle:
    """What the bundle would change. Raises for settings and keys that this gate cannot use."""
    settings, keyring = installation.settings, installation.keys.gate_keyring()
    keys = _received(installation, bundle, installation.clock.now())
    held = {key.public.kid for key in (*keyring.gate_group_keys, *keys)}
    now = installation.clock.now()
    missing = _missing(bundle, held, now)
    if not any(listed.key.kid in held and not listed.is_retired(now) for listed in bundle.group_keys):
        raise BundleError(
            "trust bundle: this gate could open no pass by it; build it with --gate and this gate's exported key"
        )
    after = Told.by_bundle(bundle, keyring, settings)
    before = _told_now(installation, folder, keyring)
    changes = changes_between(before, after, opens=frozenset(kid.hex() for kid in held))
    return JudgedBundle(bundle, changes, missing, keys)


def _told_now(installation: Installation, folder: TrustFolder, keyring: GateKeyring) -> Told:
    """What this gate goes by; its own keys and settings before the first bundle, and where the last is of no use."""
    try:
        last = folder.bundle()
        if last is not None:
            return Told.by_bundle(last, keyring, installation.settings)
    except (TrustError, BadInputError):
        pass  # lost, or against settings that were changed since: the new one takes its place
    return Told.by_home(keyring, installation.keys.operators(), installation.settings)


def _received(installation: Installation, bundle: Bundle, now: datetime) -> tuple[GateGroupKey, ...]:
    """The gate-group keys that the bundle holds for this gate, opened. Keys that have ended are left."""
    settings = installation.settings
    own = {
        key.public.kid: key for key in installation.keys.transport_keys(f"{settings.operator.id}/{settings.gate.id}")
    }
    keys = []
    for sealed in bundle.sealed_keys:
        listed = bundle.group_key(sealed.group_kid)
        if sealed.gate_kid in own and listed is not None and listed.key.not_after > now.astimezone(UTC):
            gate_key = own[sealed.gate_kid]
            keys.append(open_group_key(sealed=sealed, gate_key=gate_key, listed=listed.key, sequence=bundle.sequence))
    return tuple(keys)


def _missing(bundle: Bundle, held: set[bytes], now: datetime) -> tuple[str, ...]:
    """The ids of gate-group keys, not retired yet, whose private half this gate lacks."""
    in_use = (listed.key.kid for listed in bundle.group_keys if not listed.is_retired(now))
    return tuple(kid.hex() for kid in in_use if kid not in held)
