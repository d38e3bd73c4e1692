"""Building a trust bundle from a home: what its gates are to know of keys, passes and settings, in one signed file."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openstile.assembly.settings import Settings
from openstile.assembly.wire import Installation
from openstile.crossing import Policy
from openstile.passes.hpke import SoftwareKeyAgreement
from openstile.passes.keyfile import Role, decode_key
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateTransportPublicKey, IssuerPublicKey, OperatorPublicKey
from openstile.passes.keystate import KeyState
from openstile.passes.status_list import StatusListError, read_status_list
from openstile.terms.errors import BadInputError
from openstile.terms.files import write_private
from openstile.terms.limits import (
    BUNDLE_DAYS_MAX,
    BUNDLE_GROUP_KEYS_MAX,
    KEY_FILE_BYTES_MAX,
    SETTINGS_BYTES_MAX,
    STATUS_TOKEN_BYTES_MAX,
)
from openstile.trust import Bundle, TrustFolder, seal_group_key, sign_bundle
from openstile.trust.bundle import GroupKey, Product, Setting
from openstile.trust.contents import alone_in
from openstile.trust.sealed import SealedGroupKey


@dataclass(frozen=True, slots=True)
class BundleOrder:
    """What is wanted of a new bundle. `lists` None: those that the issuer of this home built last."""

    out: Path
    gates: tuple[Path, ...] = ()
    lists: tuple[Path, ...] | None = None
    days: int = 30
    sequence: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= BUNDLE_DAYS_MAX:
            raise BadInputError(f"--days {self.days}: give 1 to {BUNDLE_DAYS_MAX}")
        if self.out.exists():
            raise BadInputError(f"{self.out}: is there already; give another file")


@dataclass(frozen=True, slots=True)
class BuiltBundle:
    """A bundle in its file, the gates that get keys by it, and the ids of keys whose private half none of them gets."""

    bundle: Bundle
    file: Path
    bytes_count: int
    gates: tuple[str, ...]
    not_sealed: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Lists built here that were signed with a key that is revoked since: no gate would take them."""


def build_bundle(installation: Installation, order: BundleOrder) -> BuiltBundle:
    """Sign what this home knows, for its gates, and write it. Raises BadInputError; then there is no file."""
    audience = installation.settings.audience()
    now = installation.clock.now().astimezone(UTC).replace(microsecond=0)
    operator_key = installation.keys.operator_key(audience.operator, now=now)
    revoked = {info.kid for info in installation.keys.list_keys(now=now) if info.state is KeyState.REVOKED}
    gates = tuple(_read_gate(path, operator=audience.operator, now=now, revoked=revoked) for path in order.gates)
    _check_names(gates)
    issuers, group_keys = _issuers(installation, now), _group_keys(installation, now)
    paths, left_out = _paths_of_lists(installation, issuers) if order.lists is None else (order.lists, ())
    lists = _status_lists(paths, issuers, now)
    settings, products = settings_to_tell(installation.settings), _products(installation.settings)
    with _next_sequence(installation, order.sequence) as sequence:
        wanted = tuple(listed.key.kid for listed in group_keys if not listed.is_retired(now))
        sealed, not_sealed = _seal(installation, gates, wanted, sequence)
        bundle = Bundle(
            audience=audience,
            sequence=sequence,
            made=now,
            expires=min(now + timedelta(days=order.days), operator_key.public.not_after),
            operators=_operators(installation, now),
            issuers=issuers,
            group_keys=group_keys,
            status_lists=lists,
            settings=settings,
            products=products,
            sealed_keys=sealed,
        )
        data = sign_bundle(operator_key=operator_key, bundle=bundle)
    write_private(order.out, data)
    return BuiltBundle(bundle, order.out, len(data), tuple(gate.name for gate in gates), not_sealed, left_out)


def settings_to_tell(settings: Settings) -> tuple[Setting, ...]:
    """What this home's policy, zone and quality are, each as an environment variable holds it.

    The policy is told where it is the default too: else a gate whose own is laxer would stay so. Where a gate's camera
    looks, how well, and which products open it, is its own matter unless it is told.
    """
    policy, default = settings.to_policy(), Policy()
    products = {"products", "live_products"}
    own = {"zone", "quality"} | {name for name in products if settings.products or not getattr(policy, name)}
    told = [Setting(f"policy.{each.name}", text_of(getattr(policy, each.name)))
            for each in fields(policy) if each.name not in own]  # fmt: skip
    told += _differing("zone", policy.zone, default.zone)
    told += _differing("quality", policy.quality, default.quality)
    return tuple(told)


def text_of(value: object) -> str:
    """A value of a setting as text; empty for none of the operator's, but the default."""
    if value is None:
        return ""
    return json.dumps(list(value), ensure_ascii=False) if isinstance(value, tuple) else str(value)


def read_limited(path: Path, bytes_max: int, *, what: str) -> bytes:
    """The content of a file that a person named, at most a byte more than it may have. Raises BadInputError."""
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}; give {what}") from None


def _differing(table: str, value: object, default: object) -> Iterator[Setting]:
    for field in fields(value):  # type: ignore[arg-type]
        told = getattr(value, field.name)
        if told != getattr(default, field.name):
            yield Setting(f"{table}.{field.name}", text_of(told))


def _products(settings: Settings) -> tuple[Product, ...]:
    return tuple(Product(name, live=table.showing == "live") for name, table in settings.products.items())


def _operators(installation: Installation, now: datetime) -> tuple[OperatorPublicKey, ...]:
    """The keys that may sign the next bundle: all of this operator's, the next one too, that are neither revoked nor
    ended."""
    keys = installation.keys.public_keys(Role.OPERATOR, installation.settings.operator.id)
    usable = (key.public for key in keys if not key.revoked and key.public.not_after > now)
    return tuple(public for public in usable if isinstance(public, OperatorPublicKey))


def _issuers(installation: Installation, now: datetime) -> tuple[TrustedIssuer, ...]:
    """All issuers' keys of this home that have not ended; the revoked ones as revoked."""
    keys = [key for key in installation.keys.public_keys(Role.ISSUER) if key.public.not_after > now]
    issuers = tuple(TrustedIssuer(key.public, key.revoked) for key in keys if isinstance(key.public, IssuerPublicKey))
    if not issuers:
        raise BadInputError(f"{installation.home.keys}: has no issuer's key; create one, or import its public half")
    return issuers


def _group_keys(installation: Installation, now: datetime) -> tuple[GroupKey, ...]:
    """The newest keys of the gate group that are neither revoked nor ended, oldest first."""
    name = str(installation.settings.audience())
    keys = [key for key in installation.keys.public_keys(Role.GATE_GROUP, name) if not key.revoked]
    listed = [
        GroupKey(key.public, key.retired_at)  # type: ignore[arg-type]
        for key in keys
        if key.public.not_after > now
    ]
    if not listed:
        raise BadInputError(f"{installation.home.keys}: has no key of gate group {name}; create one, or import it")
    return tuple(listed[-BUNDLE_GROUP_KEYS_MAX:])


def _paths_of_lists(
    installation: Installation, issuers: tuple[TrustedIssuer, ...]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The lists built here; and apart those of a revoked key, so that gates can be told of it before a new list is."""
    as_before = [replace(issuer, revoked=False) for issuer in issuers]
    usable, left_out = [], []
    for path in sorted(installation.home.status_lists.glob("*.cwt")):
        data = read_limited(path, STATUS_TOKEN_BYTES_MAX, what="a status list")
        try:
            read_status_list(data, issuers=issuers)
        except StatusListError:
            with suppress(StatusListError):
                read_status_list(data, issuers=as_before)
                left_out.append(str(path))
                continue
        usable.append(path)
    return tuple(usable), tuple(left_out)


def _status_lists(paths: tuple[Path, ...], issuers: tuple[TrustedIssuer, ...], now: datetime) -> tuple[bytes, ...]:
    """The newest list of each issuer and address. Raises BadInputError naming the file that holds none of theirs."""
    newest: dict[tuple[str, str], tuple[datetime, bytes]] = {}
    for path in paths:
        data = read_limited(path, STATUS_TOKEN_BYTES_MAX, what="a status list")
        try:
            made = read_status_list(data, issuers=issuers, now=now)
        except StatusListError as error:
            raise BadInputError(f"{path}: {error}") from None
        known = newest.get((made.issuer, made.uri))
        if known is None or known[0] < made.issued_at:
            newest[made.issuer, made.uri] = (made.issued_at, data)
    return tuple(data for _, data in newest.values())


def _read_gate(path: Path, *, operator: str, now: datetime, revoked: set[str]) -> GateTransportPublicKey:
    key = decode_key(read_limited(path, KEY_FILE_BYTES_MAX, what="an exported key of a gate"), what=str(path))
    if not isinstance(key.public, GateTransportPublicKey):
        raise BadInputError(f"{path}: is the key of {key.role.value} {key.name}, not of a gate; export the gate's own")
    if key.public.operator != operator:
        raise BadInputError(f"{path}: is a gate of operator {key.public.operator}, this is {operator}")
    if key.revoked or key.public.kid.hex() in revoked or key.public.not_after <= now:
        raise BadInputError(f"{path}: this gate's key is revoked or has ended; leave the gate out")
    return key.public


def _check_names(gates: tuple[GateTransportPublicKey, ...]) -> None:
    """Two gates of one name would be mistaken for each other, when one of them is stolen say."""
    kids: dict[str, bytes] = {}
    for gate in gates:
        if kids.setdefault(gate.name, gate.kid) != gate.kid:
            raise BadInputError(
                f"--gate: two keys are of {gate.name}; give each gate its own gate.id, and of one gate the newest key"
            )


def _seal(
    installation: Installation, gates: tuple[GateTransportPublicKey, ...], kids: tuple[bytes, ...], sequence: int
) -> tuple[tuple[SealedGroupKey, ...], tuple[str, ...]]:
    """Each of these gate-group keys that is here in memory, for each gate; and the ids of the others."""
    if not gates:
        return (), ()
    here = {key.public.kid: key for key in installation.keys.gate_keyring().gate_group_keys}
    given = [here[kid] for kid in kids if kid in here and isinstance(here[kid].agreement, SoftwareKeyAgreement)]
    if not given:
        raise BadInputError("--gate: no private half of a gate-group key is in a file here, so there is none to give")
    sealed = tuple(
        seal_group_key(gate=gate, group_key=key, sequence=sequence, random=secrets.token_bytes)
        for gate in gates
        for key in given
    )
    sealed_kids = {key.public.kid for key in given}
    return sealed, tuple(kid.hex() for kid in kids if kid not in sealed_kids)


@contextmanager
def _next_sequence(installation: Installation, wanted: int | None) -> Iterator[int]:
    """The sequence of the bundle that is being built; remembered once that is signed."""
    path = installation.home.bundle_memory
    with alone_in(path.parent):
        floor = TrustFolder(installation.home.trust).floors().bundle
        last = max(_remembered(path), floor.sequence if floor is not None else 0)
        sequence = last + 1 if wanted is None else wanted
        if sequence <= last:
            raise BadInputError(f"--sequence {sequence}: gates never go back, the last one was {last}; give more")
        yield sequence
        write_private(path, json.dumps({"sequence": sequence}).encode())


def _remembered(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        content = json.loads(read_limited(path, SETTINGS_BYTES_MAX, what="it back"))
        sequence = content["sequence"] if isinstance(content, dict) and set(content) == {"sequence"} else None
    except (ValueError, RecursionError):
        sequence = None
    if type(sequence) is not int or sequence < 0:
        raise BadInputError(f'{path}: is damaged; write {{"sequence": N}} with the last N that gates accepted')
    return sequence
