"""The content of a bundle as strict CBOR and back (docs/trust-bundle.md): exactly the entries of version 1.

Order of arrays is kept, so that a value that was read is written to the same bytes.
"""

from datetime import datetime
from typing import TypeVar

from openstile.passes.cbor import Cbor, CborError, CborKey, decode, encode
from openstile.passes.claims import Audience
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import Algorithm, GateGroupPublicKey, IssuerPublicKey, OperatorPublicKey
from openstile.terms import BadInputError, utc_from_epoch
from openstile.terms.limits import BUNDLE_BYTES_MAX, BUNDLE_ITEMS_MAX, EPOCH_SECONDS_MAX
from openstile.trust.bundle import Bundle, BundleError, GroupKey, Product, Setting
from openstile.trust.sealed import SealedGroupKey

BUNDLE_VERSION = 1
VERSION, AUDIENCE, SEQUENCE, MADE, EXPIRES, OPERATORS, ISSUERS, GROUP_KEYS = range(1, 9)
STATUS_LISTS, SETTINGS, PRODUCTS, SEALED_KEYS = range(9, 13)
_ALGORITHMS = {algorithm.number: algorithm for algorithm in Algorithm}

T = TypeVar("T")


def encode_bundle(bundle: Bundle) -> bytes:
    """The bundle as deterministic CBOR: the payload that its operator signs."""
    content: dict[CborKey, Cbor] = {
        VERSION: BUNDLE_VERSION,
        AUDIENCE: str(bundle.audience),
        SEQUENCE: bundle.sequence,
        MADE: _seconds(bundle.made),
        EXPIRES: _seconds(bundle.expires),
        OPERATORS: [_encode_operator(key) for key in bundle.operators],
        ISSUERS: [_encode_issuer(issuer) for issuer in bundle.issuers],
        GROUP_KEYS: [_encode_group_key(listed) for listed in bundle.group_keys],
        STATUS_LISTS: list(bundle.status_lists),
        SETTINGS: {setting.key: setting.value for setting in bundle.settings},
        PRODUCTS: [[product.name, int(product.live)] for product in bundle.products],
        SEALED_KEYS: [[key.gate_kid, key.group_kid, key.enc, key.ciphertext] for key in bundle.sealed_keys],
    }
    return encode(content)


def decode_bundle(payload: bytes) -> Bundle:
    """The bundle of a payload whose signature was verified. Raises BundleError, whatever the bytes are."""
    try:
        content = decode(payload, what="content", bytes_max=BUNDLE_BYTES_MAX, items_max=BUNDLE_ITEMS_MAX)
        if not isinstance(content, dict):
            raise BundleError("trust bundle: its content is not a map")
        version = _take(content, VERSION, int)
        if version != BUNDLE_VERSION:
            raise BundleError(f"trust bundle: version {version}, known is {BUNDLE_VERSION}; update Openstile")
        if set(content) != set(range(VERSION, SEALED_KEYS + 1)):
            raise BundleError(f"trust bundle: its entries are not those of version {BUNDLE_VERSION}")
        return _decode(content)
    except (CborError, BadInputError) as error:
        raise BundleError(f"trust bundle: {error}") from None


def _decode(content: dict[CborKey, Cbor]) -> Bundle:
    audience = Audience.parse(_take(content, AUDIENCE, str))
    return Bundle(
        audience=audience,
        sequence=_take(content, SEQUENCE, int),
        made=_instant(_take(content, MADE, int)),
        expires=_instant(_take(content, EXPIRES, int)),
        operators=tuple(_operator(item, audience.operator) for item in _take(content, OPERATORS, list)),
        issuers=tuple(_issuer(item) for item in _take(content, ISSUERS, list)),
        group_keys=tuple(_group_key(item, audience) for item in _take(content, GROUP_KEYS, list)),
        status_lists=tuple(_bytes(item) for item in _take(content, STATUS_LISTS, list)),
        settings=tuple(_setting(key, value) for key, value in _take(content, SETTINGS, dict).items()),
        products=tuple(_product(item) for item in _take(content, PRODUCTS, list)),
        sealed_keys=tuple(_sealed_key(item) for item in _take(content, SEALED_KEYS, list)),
    )


def _encode_operator(key: OperatorPublicKey) -> list[Cbor]:
    return [key.algorithm.number, key.public, _seconds(key.not_after)]


def _operator(item: Cbor, name: str) -> OperatorPublicKey:
    match item:
        case [int() as algorithm, bytes() as public, int() as not_after]:
            return OperatorPublicKey(name, _algorithm(algorithm), public, _instant(not_after))
        case _:
            raise BundleError("trust bundle: an operator's key is not [alg, public key, last moment]")


def _encode_issuer(issuer: TrustedIssuer) -> list[Cbor]:
    key = issuer.key
    return [key.name, key.algorithm.number, key.public, _seconds(key.not_after), int(issuer.revoked)]


def _issuer(item: Cbor) -> TrustedIssuer:
    match item:
        case [str() as name, int() as algorithm, bytes() as public, int() as not_after, int() as revoked]:
            key = IssuerPublicKey(name, _algorithm(algorithm), public, _instant(not_after))
            return TrustedIssuer(key, _truth(revoked))
        case _:
            raise BundleError("trust bundle: an issuer's key is not [name, alg, public key, last moment, revoked]")


def _encode_group_key(listed: GroupKey) -> list[Cbor]:
    encoded: list[Cbor] = [listed.key.point, _seconds(listed.key.not_after)]
    return encoded if listed.retired_at is None else [*encoded, _seconds(listed.retired_at)]


def _group_key(item: Cbor, audience: Audience) -> GroupKey:
    match item:
        case [bytes() as point, int() as not_after]:
            return GroupKey(GateGroupPublicKey(audience, point, _instant(not_after)))
        case [bytes() as point, int() as not_after, int() as retired_at]:
            return GroupKey(GateGroupPublicKey(audience, point, _instant(not_after)), _instant(retired_at))
        case _:
            raise BundleError("trust bundle: a gate-group key is not [point, last moment] or that with its retirement")


def _setting(key: CborKey, value: Cbor) -> Setting:
    if not isinstance(key, str) or not isinstance(value, str):
        raise BundleError("trust bundle: its settings are not text to text")
    return Setting(key, value)


def _product(item: Cbor) -> Product:
    match item:
        case [str() as name, int() as live]:
            return Product(name, _truth(live))
        case _:
            raise BundleError("trust bundle: a product is not [name, 0 or 1]")


def _sealed_key(item: Cbor) -> SealedGroupKey:
    match item:
        case [bytes() as gate_kid, bytes() as group_kid, bytes() as enc, bytes() as ciphertext]:
            return SealedGroupKey(gate_kid, group_kid, enc, ciphertext)
        case _:
            raise BundleError("trust bundle: a sealed key is not [gate, gate-group key, ek, ciphertext]")


def _take(content: dict[CborKey, Cbor], key: int, kind: type[T]) -> T:
    value = content.get(key)
    if not isinstance(value, kind):
        raise BundleError(f"trust bundle: entry {key} is missing or not of type {kind.__name__}")
    return value


def _bytes(item: Cbor) -> bytes:
    if not isinstance(item, bytes):
        raise BundleError("trust bundle: a status list is not a byte string")
    return item


def _algorithm(number: int) -> Algorithm:
    if number not in _ALGORITHMS:
        raise BundleError(f"trust bundle: algorithm {number} of a key is unknown")
    return _ALGORITHMS[number]


def _truth(number: int) -> bool:
    if number not in (0, 1):
        raise BundleError(f"trust bundle: {number} stands where only 0 or 1 may")
    return number == 1


def _instant(seconds: int) -> datetime:
    if not 0 <= seconds <= EPOCH_SECONDS_MAX:
        raise BundleError("trust bundle: a time is not between 1970 and 2242")
    return utc_from_epoch(seconds)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
