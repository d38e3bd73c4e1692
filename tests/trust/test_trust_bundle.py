"""A trust bundle is the operator's, whole, for these gates and of now, or it is refused."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes.pass_workshop import (
    AUDIENCE,
    GATE,
    GATE_BEFORE,
    ISSUER,
    KEYS_END,
    NOW,
    OTHER_GATE,
    OTHER_ISSUER,
    gate_key,
    issuer_key,
    token,
)
from tests.trust.trust_workshop import (
    OPERATOR,
    OPERATOR_ES256,
    SUCCESSOR,
    THIEF,
    TRUSTED,
    bundle,
    content_map,
    envelope,
    operator_key,
    read,
    signed,
    status_token,
)

from openstile.passes.cbor import CborKey, encode
from openstile.passes.claims import Audience
from openstile.passes.cose import Header, encode_sign1
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey, IssuerPublicKey, OperatorKey, OperatorPublicKey
from openstile.passes.status_list import STATUS_LIST_TYPE, StatusListError, read_status_list
from openstile.terms import BadInputError, utc_from_epoch
from openstile.terms.limits import BUNDLE_DAYS_MAX, BUNDLE_SEQUENCE_MAX
from openstile.trust import Bundle, BundleError, read_bundle, sign_bundle
from openstile.trust.bundle import GroupKey, Product, Setting
from openstile.trust.bundle_codec import decode_bundle, encode_bundle
from openstile.trust.sealed import SealedGroupKey
from openstile.trust.signed import BUNDLE_TYPE

ISSUER_KEYS = [issuer_key(f"issuer {at}", name=f"issuer-{at}", es256=at % 2 == 0) for at in range(6)]
GROUP_KEYS = [gate_key(f"group {at}") for at in range(4)]
OPERATOR_KEYS = [operator_key(f"operator {at}", es256=at % 2 == 0) for at in range(4)]

instants = st.integers(0, 2**33).map(utc_from_epoch)
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and unicodedata.is_normalized("NFC", text)
)


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    made = draw(st.integers(0, 2**32))
    group_keys = draw(st.lists(st.sampled_from(GROUP_KEYS), min_size=1, unique=True))
    kids = st.sampled_from([key.public.kid for key in group_keys])
    point = st.binary(min_size=65, max_size=65)
    sealed = st.builds(
        SealedGroupKey, st.binary(min_size=8, max_size=8), kids, point, st.binary(min_size=48, max_size=48)
    )
    return Bundle(
        audience=AUDIENCE,
        sequence=draw(st.integers(1, BUNDLE_SEQUENCE_MAX)),
        made=utc_from_epoch(made),
        expires=utc_from_epoch(made + draw(st.integers(1, BUNDLE_DAYS_MAX * 86400))),
        operators=tuple(key.public for key in draw(st.lists(st.sampled_from(OPERATOR_KEYS), min_size=1, unique=True))),
        issuers=tuple(
            TrustedIssuer(key.public, draw(st.booleans()))
            for key in draw(st.lists(st.sampled_from(ISSUER_KEYS), min_size=1, unique=True))
        ),
        group_keys=tuple(GroupKey(key.public, draw(st.none() | instants)) for key in group_keys),
        status_lists=tuple(draw(st.lists(st.binary(max_size=100), max_size=4, unique=True))),
        settings=tuple(
            Setting(f"policy.{key}", value)
            for key, value in draw(st.dictionaries(st.from_regex(r"[a-z]{1,20}", fullmatch=True), names)).items()
        ),
        products=tuple(Product(name, draw(st.booleans())) for name in draw(st.lists(names, max_size=4, unique=True))),
        sealed_keys=tuple(draw(st.lists(sealed, max_size=4, unique_by=lambda key: (key.gate_kid, key.group_kid)))),
    )


@given(bundles())
@settings(max_examples=150, deadline=None)
def test_every_bundle_is_read_back_as_it_was_written(made: Bundle) -> None:
    assert decode_bundle(encode_bundle(made)) == made


@pytest.mark.parametrize("key", [OPERATOR, OPERATOR_ES256])
def test_signed_bundle_is_read_by_who_knows_the_operator(key: OperatorKey) -> None:
    made = bundle()
    assert read(signed(made, key=key), key=key) == made


def test_bundle_of_an_unknown_operator_key_is_refused() -> None:
    with pytest.raises(BundleError, match="may not tell these gates"):
        read(signed(key=THIEF))


def test_bundle_whose_signature_is_of_another_key_is_refused() -> None:
    with pytest.raises(BundleError, match="signature is wrong"):
        read(envelope(encode_bundle(bundle()), sign=THIEF.signer.sign))


def test_issuer_key_never_signs_for_an_operator_although_the_raw_key_is_the_same() -> None:
    """Even where someone passes an issuer's key in as if it were an operator's: the type decides."""
    as_issuer: Any = IssuerPublicKey("metro", OPERATOR.public.algorithm, OPERATOR.public.public, KEYS_END)
    with pytest.raises(BundleError, match="may not tell these gates"):
        read_bundle(signed(), operators=(as_issuer,), audience=AUDIENCE, now=NOW)


def test_status_list_and_pass_token_of_the_same_raw_key_are_no_bundles_and_a_bundle_is_no_list() -> None:
    issuer = IssuerKey(
        IssuerPublicKey("metro", OPERATOR.public.algorithm, OPERATOR.public.public, KEYS_END), OPERATOR.signer
    )
    assert issuer.public.kid == OPERATOR.public.kid
    with pytest.raises(BundleError, match="its type is not"):
        read(status_token(key=issuer))
    with pytest.raises(BundleError, match="headers are not"):
        read(token(key=issuer))
    with pytest.raises(StatusListError):
        read_status_list(signed(), issuers=(TrustedIssuer(issuer.public),), now=NOW)


def test_type_is_under_the_signature() -> None:
    payload = encode_bundle(bundle())
    protected: Header = {1: -8, 4: OPERATOR.public.kid, 16: STATUS_LIST_TYPE}
    signature: list[bytes] = []

    def sign(to_be_signed: bytes) -> bytes:
        signature.append(OPERATOR.signer.sign(to_be_signed))
        return signature[-1]

    encode_sign1(protected=protected, unprotected={}, payload=payload, sign=sign)
    with pytest.raises(BundleError, match="signature is wrong"):
        read(envelope(payload, sign=lambda _: signature[0]))


@pytest.mark.parametrize(
    ("protected", "unprotected"),
    [
        ({1: -8, 4: OPERATOR.public.kid}, {}),
        ({1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE, 2: [99], 99: 1}, {}),
        ({1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE, 3: "x"}, {}),
        ({1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE}, {5: b""}),
        ({1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE + " "}, {}),
        ({1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE.upper()}, {}),
        ({1: -8, 4: OPERATOR.public.kid, 16: 60}, {}),
        ({1: -8, 4: "text", 16: BUNDLE_TYPE}, {}),
        ({1: -8, 4: [1], 16: BUNDLE_TYPE}, {}),
        ({1: -7, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE}, {}),
        ({1: [-8], 4: OPERATOR.public.kid, 16: BUNDLE_TYPE}, {}),
        ({1: -8, 16: BUNDLE_TYPE}, {4: OPERATOR.public.kid}),
        ({}, {1: -8, 4: OPERATOR.public.kid, 16: BUNDLE_TYPE}),
    ],
)
def test_other_headers_are_refused(protected: Any, unprotected: Any) -> None:
    with pytest.raises(BundleError):
        read(envelope(encode_bundle(bundle()), protected=protected, unprotected=unprotected))


def test_signature_of_another_length_is_refused() -> None:
    with pytest.raises(BundleError, match="64 bytes"):
        read(envelope(encode_bundle(bundle()), sign=lambda message: OPERATOR.signer.sign(message) + b"\x00"))


Change = Callable[[Any], object]


def _change(key: CborKey, value: Any) -> Change:
    return lambda content: content.__setitem__(key, value)


WRONG: list[tuple[str, Change]] = [
    ("unknown entry", _change(13, 0)),
    ("unknown text entry", _change("crit", 0)),
    ("missing version", lambda content: content.pop(1)),
    ("missing lists", lambda content: content.pop(9)),
    ("version 2", _change(1, 2)),
    ("version as text", _change(1, "1")),
    ("audience without group", _change(2, "metro")),
    ("audience with three parts", _change(2, "metro/north/x")),
    ("sequence 0", _change(3, 0)),
    ("negative sequence", _change(3, -1)),
    ("sequence too large", _change(3, BUNDLE_SEQUENCE_MAX + 1)),
    ("sequence as bytes", _change(3, b"\x01")),
    ("made after it expires", _change(4, 2**33)),
    ("time past 2242", _change(5, 2**33 + 1)),
    ("lasts too long", lambda content: content.update({5: content[4] + BUNDLE_DAYS_MAX * 86400 + 1})),
    ("no operators", _change(6, [])),
    ("operator with a name", _change(6, [["metro", -8, bytes(32), 2**32]])),
    ("operator with another algorithm", _change(6, [[-37, bytes(32), 2**32]])),
    ("operator with a short key", _change(6, [[-8, bytes(31), 2**32]])),
    ("operator off the curve", _change(6, [[-7, b"\x04" + bytes(64), 2**32]])),
    ("operator twice", lambda content: content.update({6: content[6] * 2})),
    ("no issuers", _change(7, [])),
    ("issuer twice", lambda content: content.update({7: content[7] * 2})),
    ("issuer neither trusted nor revoked", lambda content: content[7][0].__setitem__(4, 2)),
    ("issuer without the flag", lambda content: content[7][0].pop()),
    ("issuer with a name no issuer has", lambda content: content[7][0].__setitem__(0, "Metro!")),
    ("issuer key that never ends", lambda content: content[7][0].__setitem__(3, 2**40)),
    ("no gate-group keys", _change(8, [])),
    ("gate-group key off the curve", _change(8, [[b"\x04" + bytes(64), 2**32]])),
    ("gate-group key that is no list", _change(8, [7])),
    ("gate-group key twice", lambda content: content.update({8: content[8] * 2})),
    ("status list as text", _change(9, ["list"])),
    ("status list twice", lambda content: content.update({9: content[9] * 2})),
    ("too many status lists", _change(9, [bytes([at]) for at in range(65)])),
    ("setting of another table", _change(10, {"gate.barrier": "console"})),
    ("setting without a table", _change(10, {"passback_s": "1"})),
    ("setting as number", _change(10, {"policy.passback_s": 1})),
    ("setting named by a number", _change(10, {1: "x"})),
    ("setting with a line break", _change(10, {"policy.passback_s": "1\n2"})),
    ("setting too long", _change(10, {"policy.products": "x" * 5000})),
    ("settings as list", _change(10, [])),
    ("product with a blank", _change(11, [[" Annual", 0]])),
    ("product neither printed nor live", _change(11, [["Annual", 2]])),
    ("product twice", _change(11, [["Annual", 0], ["Annual", 1]])),
    ("product too long", _change(11, [["x" * 49, 0]])),
    ("product as text", _change(11, ["Annual"])),
    ("too many products", _change(11, [[f"p{at}", 0] for at in range(257)])),
    ("sealed key of a key not listed", lambda content: content[12][0].__setitem__(1, bytes(8))),
    ("sealed key twice", lambda content: content.update({12: content[12] * 2})),
    ("sealed key too short", lambda content: content[12][0].__setitem__(3, bytes(47))),
    ("sealed key with a short gate id", lambda content: content[12][0].__setitem__(0, bytes(7))),
    ("sealed key without ek", lambda content: content[12][0].pop(2)),
]


@pytest.mark.parametrize("change", [change for _, change in WRONG], ids=[what for what, _ in WRONG])
def test_content_outside_version_1_is_refused_although_it_is_signed(change: Change) -> None:
    content = content_map(bundle())
    change(content)
    with pytest.raises(BundleError):
        read(envelope(encode(content)))


def test_content_that_is_no_map_is_refused() -> None:
    for payload in (b"", b"\x80", encode([1]), encode(1), b"\xff", b"\xfa\x00\x00\x00\x00"):
        with pytest.raises(BundleError):
            read(envelope(payload))


def test_bundle_for_other_gates_or_of_another_operator_is_refused() -> None:
    south = replace(
        bundle(), audience=Audience("metro", "south"), group_keys=(GroupKey(OTHER_GATE.public),), sealed_keys=()
    )
    with pytest.raises(BundleError, match="for the gates of metro/south"):
        read(signed(south))
    ferry = operator_key("ferry", name="ferry")
    with pytest.raises(BundleError, match="these are of metro/north"):
        read(envelope(encode_bundle(bundle()), key=ferry), key=ferry)
    with pytest.raises(BadInputError, match="is of ferry"):
        sign_bundle(operator_key=ferry, bundle=bundle())


@pytest.mark.parametrize(("seconds", "accepted"), [(-601, False), (-600, True), (0, True)])
def test_bundle_from_the_future_is_refused_beyond_the_clocks_difference(seconds: int, accepted: bool) -> None:
    data = signed()
    if accepted:
        assert read(data, now=NOW + timedelta(seconds=seconds)).sequence == 7
    else:
        with pytest.raises(BundleError, match="still to come"):
            read(data, now=NOW + timedelta(seconds=seconds))


def test_bundle_is_refused_from_the_second_it_expires() -> None:
    data, expires = signed(), bundle().expires
    assert read(data, now=expires - timedelta(seconds=1)).expires == expires
    with pytest.raises(BundleError, match="expired"):
        read(data, now=expires)


def test_bundle_lasts_no_longer_than_the_key_that_signs_it() -> None:
    short = operator_key("short", not_after=NOW + timedelta(days=29))
    with pytest.raises(BadInputError, match="ends before the bundle"):
        signed(key=short)
    with pytest.raises(BundleError, match="longer than the key"):
        read(envelope(encode_bundle(bundle()), key=short), key=short)


def test_bundle_that_is_too_long_is_neither_made_nor_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed()
    monkeypatch.setattr("openstile.trust.signed.BUNDLE_BYTES_MAX", len(data) - 1)
    with pytest.raises(BadInputError, match="take fewer status lists"):
        signed()
    with pytest.raises(BundleError, match="bytes"):
        read(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"operators": (operator_key("ferry", name="ferry").public,)},
        {"group_keys": (GroupKey(OTHER_GATE.public),), "sealed_keys": ()},
        {"made": NOW.replace(microsecond=5)},
        {"made": NOW.replace(tzinfo=None)},
        {"expires": NOW},
        {"sequence": 0},
        {"issuers": (*TRUSTED, TRUSTED[0])},
        {"group_keys": (GroupKey(GATE_BEFORE.public),), "sealed_keys": bundle().sealed_keys},
    ],
)
def test_bundle_that_contradicts_itself_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        bundle(**changes)


def test_repr_of_a_bundle_shows_no_sealed_key_and_no_list() -> None:
    made = bundle()
    shown = repr(made)
    assert made.sealed_keys[0].ciphertext.hex()[:16] not in shown.replace("\\x", "")
    assert "ciphertext" not in shown
    assert "status_lists" not in shown


def test_values_that_a_bundle_offers() -> None:
    made = bundle(settings=(Setting("zone.left", "0.2"), Setting("policy.passback_s", "300")))
    assert made.overrides == {"policy.passback_s": "300", "zone.left": "0.2"}
    assert [setting.key for setting in made.settings] == ["policy.passback_s", "zone.left"]
    found = made.group_key(GATE_BEFORE.public.kid)
    assert found is not None
    assert found.retired_at == NOW + timedelta(days=2)
    assert made.group_key(bytes(8)) is None
    assert (made.is_old(made.expires), made.is_old(made.expires - timedelta(seconds=1))) == (True, False)


def test_operator_and_issuer_keys_are_told_apart_by_type() -> None:
    assert not isinstance(ISSUER.public, OperatorPublicKey)
    assert not isinstance(SUCCESSOR.public, IssuerPublicKey)
    assert OTHER_ISSUER.public.name != GATE.public.audience.operator
