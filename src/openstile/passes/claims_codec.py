"""Claims as a CWT claims set (RFC 8392) and back, strictly: exactly the claims of version 1, each of its own type."""

from collections.abc import Mapping
from typing import TypeVar

from openstile.passes.cbor import Cbor, CborKey, decode, encode
from openstile.passes.claims import PASS_VERSION, Assurance, Audience, Claims, Entitlement, StatusReference
from openstile.passes.holder import HolderPublicKey
from openstile.passes.hpke import POINT_BYTES
from openstile.passes.reference import ReferenceClaim, ReferenceKind
from openstile.passes.signing import p256_cose_key
from openstile.terms import BadInputError, OpenstileError, PassId, utc_from_epoch
from openstile.terms.limits import EPOCH_SECONDS_MAX

ISS, AUD, EXP, NBF, CTI, CNF = 1, 3, 4, 5, 7, 8
CNF_KEY = 1
"""The one confirmation method: a COSE_Key (RFC 8747, section 3.1)."""
STATUS = 65535
"""Claim `status` (draft-ietf-oauth-status-list)."""
PASS = -65537
"""The one private claim, from the range that RFC 8392 leaves for private use: a map of what only a pass has."""
VERSION, PRODUCT, CATEGORY, ZONES, FROM, UNTIL, ASSURANCE, REFERENCE = range(1, 9)

T = TypeVar("T")

_KINDS = {1: ReferenceKind.FACE, 2: ReferenceKind.PIN}
_ASSURANCES = {0: Assurance.SELF_ENROLLED, 1: Assurance.SUPERVISED}


class ClaimsError(OpenstileError):
    """A claims set that is not one of a pass of version 1."""


class VersionUnknownError(ClaimsError):
    """A claims set of another version."""


def encode_claims(claims: Claims) -> bytes:
    """The claims set as deterministic CBOR: the payload of the signed token."""
    entitlement = claims.entitlement
    reference: list[Cbor] = [_number(_KINDS, claims.reference.kind), claims.reference.commitment]
    if claims.reference.pack_id is not None:
        reference.append(claims.reference.pack_id)
    inner: dict[CborKey, Cbor] = {
        VERSION: PASS_VERSION,
        PRODUCT: entitlement.product,
        ASSURANCE: _number(_ASSURANCES, claims.assurance),
        REFERENCE: reference,
    }
    if entitlement.rider_category is not None:
        inner[CATEGORY] = entitlement.rider_category
    if entitlement.zones:
        inner[ZONES] = list(entitlement.zones)
    if entitlement.valid_from is not None:
        inner[FROM] = int(entitlement.valid_from.timestamp())
    if entitlement.valid_until is not None:
        inner[UNTIL] = int(entitlement.valid_until.timestamp())
    outer: dict[CborKey, Cbor] = {
        ISS: claims.issuer,
        AUD: str(claims.audience),
        EXP: int(claims.expires.timestamp()),
        NBF: int(claims.not_before.timestamp()),
        CTI: claims.pass_id.value,
        PASS: inner,
    }
    if claims.status is not None:
        outer[STATUS] = {"status_list": {"idx": claims.status.index, "uri": claims.status.uri}}
    if claims.holder is not None:
        outer[CNF] = {CNF_KEY: p256_cose_key(claims.holder.point)}
    return encode(outer)


def decode_claims(payload: bytes) -> Claims:
    """The claims of a payload whose signature was verified.

    Raises CborError, VersionUnknownError or ClaimsError: missing, unknown and ill-typed claims are all refused.
    """
    outer = _Fields(decode(payload, what="claims"), "claims")
    inner = _Fields(outer.take(PASS, dict), "pass claim")
    version = inner.take(VERSION, int)
    if version != PASS_VERSION:
        raise VersionUnknownError(f"pass claim: version {version}, known is {PASS_VERSION}")
    try:
        claims = Claims(
            issuer=outer.take(ISS, str),
            audience=Audience.parse(outer.take(AUD, str)),
            not_before=utc_from_epoch(outer.seconds(NBF)),
            expires=utc_from_epoch(outer.seconds(EXP)),
            pass_id=PassId(outer.take(CTI, bytes)),
            entitlement=_entitlement(inner),
            assurance=_assurance(inner.take(ASSURANCE, int)),
            reference=_reference(inner.take(REFERENCE, list)),
            status=_status(outer),
            holder=_holder(outer),
        )
    except BadInputError as error:
        raise ClaimsError(f"claims: {error}") from None
    inner.finish()
    outer.finish()
    return claims


class _Fields:
    """The entries of a map, taken out one by one; what is left over at the end is refused."""

    def __init__(self, value: Cbor, what: str) -> None:
        if not isinstance(value, dict):
            raise ClaimsError(f"{what}: is not a map")
        self._left: dict[CborKey, Cbor] = dict(value)
        self._what = what

    def has(self, key: CborKey) -> bool:
        return key in self._left

    def take(self, key: CborKey, kind: type[T]) -> T:
        value = self._left.pop(key, None)
        if not isinstance(value, kind):
            raise ClaimsError(f"{self._what}: {key} is missing or not of type {kind.__name__}")
        return value

    def seconds(self, key: CborKey) -> int:
        value = self.take(key, int)
        if not 0 <= value <= EPOCH_SECONDS_MAX:
            raise ClaimsError(f"{self._what}: {key} is not a time between 1970 and 2242")
        return value

    def finish(self) -> None:
        if self._left:
            raise ClaimsError(f"{self._what}: has {len(self._left)} entries that version {PASS_VERSION} does not know")


def _entitlement(inner: _Fields) -> Entitlement:
    zones: tuple[str, ...] = ()
    if inner.has(ZONES):
        listed = inner.take(ZONES, list)
        zones = tuple(zone for zone in listed if isinstance(zone, str))
        if not zones or len(zones) != len(listed):
            raise ClaimsError("pass claim: zones are not a filled list of texts")
    return Entitlement(
        product=inner.take(PRODUCT, str),
        rider_category=inner.take(CATEGORY, str) if inner.has(CATEGORY) else None,
        zones=zones,
        valid_from=utc_from_epoch(inner.seconds(FROM)) if inner.has(FROM) else None,
        valid_until=utc_from_epoch(inner.seconds(UNTIL)) if inner.has(UNTIL) else None,
    )


def _reference(value: list[Cbor]) -> ReferenceClaim:
    match value:
        case [int() as kind, bytes() as commitment] if kind in _KINDS:
            return ReferenceClaim(_KINDS[kind], None, commitment)
        case [int() as kind, bytes() as commitment, str() as pack_id] if kind in _KINDS:
            return ReferenceClaim(_KINDS[kind], pack_id, commitment)
        case _:
            raise ClaimsError("pass claim: reference is not [kind, commitment] with a pack for a face")


def _assurance(number: int) -> Assurance:
    if number not in _ASSURANCES:
        raise ClaimsError(f"pass claim: assurance {number} is unknown")
    return _ASSURANCES[number]


def _status(outer: _Fields) -> StatusReference | None:
    if not outer.has(STATUS):
        return None
    status = _Fields(outer.take(STATUS, dict), "status claim")
    listed = _Fields(status.take("status_list", dict), "status list")
    reference = StatusReference(uri=listed.take("uri", str), index=listed.take("idx", int))
    listed.finish()
    status.finish()
    return reference


def _holder(outer: _Fields) -> HolderPublicKey | None:
    if not outer.has(CNF):
        return None
    confirmation = _Fields(outer.take(CNF, dict), "holder claim")
    key = _Fields(confirmation.take(CNF_KEY, dict), "holder key")
    x, y = key.take(-2, bytes), key.take(-3, bytes)
    if (key.take(1, int), key.take(-1, int)) != (2, 1) or not len(x) == len(y) == POINT_BYTES // 2:
        raise ClaimsError("holder key: is not a P-256 key")
    key.finish()
    confirmation.finish()
    return HolderPublicKey(b"\x04" + x + y)


def _number(numbers: Mapping[int, T], value: T) -> int:
    return next(number for number, member in numbers.items() if member is value)
