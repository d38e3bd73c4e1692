"""Targets of what gates fetch: status lists, trust bundles, the keys sealed in them, and what is kept of both."""

from datetime import timedelta
from functools import cache
from pathlib import Path

from fuzz.target import Target, demand
from fuzz.workshop import AUDIENCE, GROUP, ISSUER, KEYS_END, NOW, OPERATOR, RING, TRANSPORT, steady, token_of
from openstile.passes import cbor, hpke, status_bits, status_list
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateGroupKey
from openstile.terms import BadInputError
from openstile.terms.limits import CLOCK_SKEW_S_MAX, STATUS_BITS_BYTES_MAX
from openstile.trust import bundle, bundle_codec, floors, sealed, signed

_URI = "https://metro.example/status/1"
_SEQUENCE = 7


@cache
def _lists() -> tuple[bytes, ...]:
    """Signed lists, small and larger."""
    return tuple(
        status_list.sign_status_list(
            issuer_key=ISSUER,
            uri=_URI,
            bits=status_list.pack_bits(entries=entries, indices=range(0, entries, 3)),
            issued_at=NOW,
            expires=NOW + timedelta(days=7),
            ttl_s=3600,
        )
        for entries in (8, 1024)
    )


def _list_payloads() -> tuple[bytes, ...]:
    claims: dict[cbor.CborKey, cbor.Cbor] = {2: _URI, 4: 1773000000, 6: 1772354000, 65534: 60}
    contents: tuple[dict[cbor.CborKey, cbor.Cbor], ...] = (
        {"bits": 1, "lst": status_bits.deflate_bits(bytes(9))},
        {"bits": 1, "lst": status_bits.deflate_bits(bytes(2**20)), "aggregation_uri": "https://a.example"},
        {"bits": 2, "lst": status_bits.deflate_bits(b"\x01")},
        {"bits": 1, "lst": status_bits.deflate_bits(b"\x01")[:-1]},
    )
    return tuple(cbor.encode({**claims, 65533: content}) for content in contents)


def _read_list(data: bytes) -> object:
    return status_list.read_status_list(data, issuers=RING.issuers, now=NOW)


def _check_list(data: bytes, value: object) -> None:
    demand(data in _lists(), "a status list was read that no issuer signed")
    _check_list_form(data, value)


def _check_list_form(data: bytes, value: object) -> None:
    demand(isinstance(value, status_list.StatusList), "not a StatusList")
    assert isinstance(value, status_list.StatusList)
    demand(0 < len(value.bits) <= STATUS_BITS_BYTES_MAX, "more bits than the limit")
    demand(value.issuer == "metro" and value.issued_at < value.expires <= KEYS_END, "a list outlives its key")
    demand(value.issued_at <= NOW + timedelta(seconds=CLOCK_SKEW_S_MAX), "a list from the future was read")
    demand(value.is_set(value.entries - 1) in (True, False), "the last entry cannot be asked for")


def _check_bits(data: bytes, value: object) -> None:
    demand(isinstance(value, bytes), "not bytes")
    assert isinstance(value, bytes)
    demand(len(value) <= STATUS_BITS_BYTES_MAX, "more bits than the limit")
    demand(status_bits.inflate_bits(status_bits.deflate_bits(value)) == value, "bits do not survive being packed")


@cache
def _bundles() -> tuple[bundle.Bundle, ...]:
    """A bundle with as little in it as can be, and one with everything."""
    small = bundle.Bundle(
        audience=AUDIENCE,
        sequence=_SEQUENCE,
        made=NOW,
        expires=NOW + timedelta(days=30),
        operators=(OPERATOR.public,),
        issuers=(TrustedIssuer(ISSUER.public),),
        group_keys=(bundle.GroupKey(GROUP.public, NOW + timedelta(days=9)),),
    )
    full = bundle.Bundle(
        audience=AUDIENCE,
        sequence=_SEQUENCE,
        made=NOW,
        expires=NOW + timedelta(days=30),
        operators=(OPERATOR.public,),
        issuers=RING.issuers,
        group_keys=small.group_keys,
        status_lists=_lists(),
        settings=(bundle.Setting("policy.passback_s", "300"), bundle.Setting("quality.noise_max", "0.05")),
        products=(bundle.Product("Annual"), bundle.Product("Phone", live=True)),
        sealed_keys=(_sealed_key(),),
    )
    return (small, full)


def _sealed_key() -> sealed.SealedGroupKey:
    return sealed.seal_group_key(
        gate=TRANSPORT.public, group_key=GROUP, sequence=_SEQUENCE, random=steady("sealed key")
    )


@cache
def _signed_bundles() -> tuple[bytes, ...]:
    return tuple(signed.sign_bundle(operator_key=OPERATOR, bundle=made) for made in _bundles())


def _bundle_files() -> tuple[bytes, ...]:
    payload = bundle_codec.encode_bundle(_bundles()[0])
    wrong_type = token_of(payload, key=OPERATOR, kind="application/statuslist+cwt")
    return (*_signed_bundles(), wrong_type, token_of(payload, key=OPERATOR), _lists()[0])


def _bundle_payloads() -> tuple[bytes, ...]:
    return tuple(bundle_codec.encode_bundle(made) for made in _bundles())


def _check_bundle(data: bytes, value: object) -> None:
    demand(data in _signed_bundles() and value in _bundles(), "a bundle was read that no operator signed")


def _check_payload(data: bytes, value: object) -> None:
    demand(isinstance(value, bundle.Bundle), "not a Bundle")
    assert isinstance(value, bundle.Bundle)
    demand(bundle_codec.encode_bundle(value) == data, "a bundle that was read has another encoding")


def _parse_group_key(data: bytes, folder: Path) -> object:
    """First byte even: what a bundle says was sealed. Odd: a private key that is truly sealed to the gate first."""
    listed = GROUP.public
    if data[:1] and data[0] % 2:
        aad = cbor.encode_strings(str(listed.audience), str(_SEQUENCE), listed.kid)
        point, info = TRANSPORT.public.point, sealed.SEAL_INFO
        made = hpke.seal(recipient=point, plaintext=data[1:], info=info, aad=aad, random=steady("fuzzed key"))
        data = b"\0" + made.enc + made.ciphertext
    try:
        key = sealed.SealedGroupKey(TRANSPORT.public.kid, listed.kid, data[1:66], data[66:])
    except BadInputError as error:
        raise sealed.SealedKeyError(str(error)) from None
    return sealed.open_group_key(sealed=key, gate_key=TRANSPORT, listed=listed, sequence=_SEQUENCE)


def _check_group_key(data: bytes, value: object) -> None:
    demand(isinstance(value, GateGroupKey), "not a GateGroupKey")
    assert isinstance(value, GateGroupKey)
    demand(value.public == GROUP.public and value.agreement.point == GROUP.public.point, "another key was opened")


def _group_keys() -> tuple[bytes, ...]:
    made = _sealed_key()
    private = (1).to_bytes(32, "big")
    return (b"\0" + made.enc + made.ciphertext, b"\1" + private, b"\1" + bytes(32), b"\1" + private[1:], b"\0", b"")


def _floors_files() -> tuple[bytes, ...]:
    digest = "0f" * 32
    whole = floors.Floors(
        floors.BundleFloor(_SEQUENCE, digest, (OPERATOR.public,)),
        (floors.ListFloor("metro", _URI, NOW, digest), floors.ListFloor("metro", _URI + "2", NOW, digest)),
    )
    made = (floors.encode_floors(whole), floors.encode_floors(floors.Floors()))
    return (*made, made[0].replace(b"0f0f", b"0F0f"), made[0].replace(b": 7", b": 7.0"), b"[]", b"[" * 99, b"\xff")


def _check_floors(data: bytes, value: object) -> None:
    demand(isinstance(value, floors.Floors), "not Floors")
    assert isinstance(value, floors.Floors)
    demand(floors.decode_floors(floors.encode_floors(value)) == value, "floors do not survive being written")


TARGETS = (
    Target(
        name="status-list",
        parser="openstile.passes.status_list.read_status_list",
        promise="a list is read only from the bytes that the fixed issuer signed",
        parse=lambda data, folder: _read_list(data),
        check=_check_list,
        seeds=lambda: (*_lists(), _lists()[0][:-1], *_bundle_files()[:1]),
        refusals=(status_list.StatusListError,),
    ),
    Target(
        name="status-list-signed",
        parser="openstile.passes.status_list.read_status_list",
        promise="claims of any form, truly signed, give a list within its limits and the time of its key",
        parse=lambda data, folder: _read_list(token_of(data, kind=status_list.STATUS_LIST_TYPE)),
        check=_check_list_form,
        seeds=_list_payloads,
        refusals=(status_list.StatusListError,),
    ),
    Target(
        name="status-bits",
        parser="openstile.passes.status_bits.inflate_bits",
        promise="never more than the limit; what was inflated is inflated again from its packing",
        parse=lambda data, folder: status_bits.inflate_bits(data),
        check=_check_bits,
        seeds=lambda: tuple(status_bits.deflate_bits(bits) for bits in (b"\1", bytes(999), bytes(range(256)))),
        refusals=(status_bits.StatusListError,),
        bytes_max=1024,
    ),
    Target(
        name="bundle",
        parser="openstile.trust.signed.read_bundle",
        promise="a bundle is read only from the bytes that the fixed operator signed",
        parse=lambda data, folder: signed.read_bundle(data, operators=(OPERATOR.public,), audience=AUDIENCE, now=NOW),
        check=_check_bundle,
        seeds=_bundle_files,
        refusals=(bundle.BundleError,),
    ),
    Target(
        name="bundle-content",
        parser="openstile.trust.bundle_codec.decode_bundle",
        promise="content that was read encodes to the same bytes",
        parse=lambda data, folder: bundle_codec.decode_bundle(data),
        check=_check_payload,
        seeds=_bundle_payloads,
        refusals=(bundle.BundleError,),
    ),
    Target(
        name="sealed-key",
        parser="openstile.trust.sealed.open_group_key",
        promise="only the private key of the listed public key is opened",
        parse=_parse_group_key,
        check=_check_group_key,
        seeds=_group_keys,
        refusals=(sealed.SealedKeyError,),
        bytes_max=128,
    ),
    Target(
        name="floors",
        parser="openstile.trust.floors.decode_floors",
        promise="floors survive being written and read",
        parse=lambda data, folder: floors.decode_floors(data),
        check=_check_floors,
        seeds=_floors_files,
        refusals=(floors.TrustError,),
    ),
)
