"""Opening a pass: what is admitted, and each attack by name with the refusal it gets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.passes.pass_workshop import (
    AUDIENCE,
    CLAIMS,
    FACE,
    GATE,
    GATE_BEFORE,
    ISSUER,
    ISSUER_ES256,
    KEYS_END,
    NOW,
    OTHER_GATE,
    OTHER_ISSUER,
    REVOKED,
    RING,
    SALT,
    STRANGER,
    claims_map,
    claims_with,
    fault_of,
    gate_key,
    issue,
    issuer_key,
    opened,
    pass_of,
    sealed,
    steady,
    token,
)

from openstile.passes import GateKeyring, PassFault, issue_pass
from openstile.passes.cbor import Cbor, CborKey, encode
from openstile.passes.claims import Assurance, Audience, Entitlement, StatusReference
from openstile.passes.cose import decode_sign1
from openstile.passes.issue import seal, sign_token
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey
from openstile.passes.pin import make_pin_reference
from openstile.passes.reference import Reference, ReferenceClaim, ReferenceKind
from openstile.passes.text import from_text, to_text
from openstile.terms import BadInputError
from openstile.terms.limits import CLOCK_SKEW_S_MAX, KEYS_MAX, PACK_ID_CHARS_MAX, TEMPLATE_BYTES_MAX

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("issuer", [ISSUER, ISSUER_ES256], ids=["EdDSA", "ES256"])
@pytest.mark.parametrize("reference", [FACE, make_pin_reference("4711", random=steady("pin"))], ids=["face", "pin"])
def test_an_issued_pass_opens(issuer: IssuerKey, reference: Reference) -> None:
    issued = issue(issuer=issuer, reference=reference)
    result = opened(issued.text)
    assert result.reference == reference
    assert result.pass_id == issued.pass_id == result.claims.pass_id
    assert result.claims.audience == AUDIENCE
    assert (result.claims.not_before, result.claims.expires) == (issued.not_before, issued.expires)
    assert result.claims.entitlement == Entitlement("Annual", rider_category="student", zones=("1", "2"))
    assert result.claims.assurance is Assurance.SUPERVISED


def test_bytes_and_a_text_file_with_its_newline_open_too() -> None:
    text = issue().text
    assert opened(text.encode()).claims == opened(text + "\n").claims == opened(text).claims


def test_a_pass_of_the_previous_gate_group_key_still_opens() -> None:
    assert fault_of(issue(gate=GATE_BEFORE).text) is None


def test_the_largest_reference_opens() -> None:
    largest = Reference(ReferenceKind.FACE, "p" * PACK_ID_CHARS_MAX, bytes(TEMPLATE_BYTES_MAX))
    assert opened(issue(reference=largest).text).reference == largest


def test_the_workshop_builds_passes_that_open() -> None:
    assert fault_of(pass_of(token())) is None


def test_status_reference_is_carried_and_left_to_the_caller() -> None:
    status = StatusReference("https://metro.example/status/1", 4_294_967_295)
    assert opened(pass_of(token(claims_with(status=status)))).claims.status == status


def test_two_passes_of_one_rider_share_no_visible_bytes_but_the_frame() -> None:
    first, second = from_text(issue(seed="one").text), from_text(issue(seed="two").text)
    frame = len(bytes.fromhex("d0834fa20118230448")) + 8 + len(bytes.fromhex("a123584104"))
    assert first[:frame] == second[:frame]
    assert sum(a == b for a, b in zip(first[frame:], second[frame:], strict=True)) < len(first) // 20


# The seal.


def test_pass_for_another_gate_group_is_refused() -> None:
    assert fault_of(issue(gate=OTHER_GATE).text) is PassFault.PASS_FOR_OTHER_GATES


def test_pass_addressed_to_other_gates_but_sealed_to_ours_is_refused() -> None:
    south = claims_with(audience=Audience("metro", "south"))
    assert fault_of(pass_of(token(south))) is PassFault.PASS_FOR_OTHER_GATES


def test_pass_sealed_to_another_key_under_our_key_id_is_damaged() -> None:
    content = encode([token(), SALT, FACE.data])
    confused = sealed(content, gate=OTHER_GATE, protected={1: 35, 4: GATE.public.kid})
    assert fault_of(to_text(confused)) is PassFault.PASS_DAMAGED


def test_seal_made_under_another_version_does_not_open() -> None:
    content = encode([token(), SALT, FACE.data])
    for context in (b"", b"OS2:", b"OS1"):
        assert fault_of(to_text(sealed(content, context=context))) is PassFault.PASS_DAMAGED


@pytest.mark.parametrize(
    "protected",
    [
        {},
        {1: 35},
        {4: GATE.public.kid},
        {1: 36, 4: GATE.public.kid},
        {1: -8, 4: GATE.public.kid},
        {1: "HPKE-0", 4: GATE.public.kid},
        {1: 35, 4: GATE.public.kid[:-1]},
        {1: 35, 4: GATE.public.kid + b"\x00"},
        {1: 35, 4: "kid12345"},
        {1: 35, 2: [4], 4: GATE.public.kid},
        {1: 35, 2: [-99999], -99999: 1, 4: GATE.public.kid},
        {1: 35, 3: 0, 4: GATE.public.kid},
        {1: 35, 4: GATE.public.kid, "x": 0},
    ],
)
def test_seal_with_other_protected_headers_is_refused(protected: dict[CborKey, Cbor]) -> None:
    text = to_text(sealed(encode([token(), SALT, FACE.data]), protected=protected))
    assert fault_of(text) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("unprotected", [{4: GATE.public.kid}, {1: 35}, {2: [4]}, {5: b""}, {"x": 1}])
def test_seal_with_further_unprotected_headers_is_refused(unprotected: dict[CborKey, Cbor]) -> None:
    text = to_text(sealed(encode([token(), SALT, FACE.data]), unprotected=unprotected))
    assert fault_of(text) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("enc", [b"", b"\x04" * 64, b"\x04" * 66, "x" * 65, 7])
def test_seal_with_an_encapsulated_key_of_another_form_is_refused(enc: Cbor) -> None:
    protected = encode({1: 35, 4: GATE.public.kid})
    assert fault_of(to_text(encode([protected, {-4: enc}, bytes(400)], tag=16))) is PassFault.PASS_UNREADABLE


def test_seal_with_a_point_off_the_curve_is_damaged() -> None:
    protected = encode({1: 35, 4: GATE.public.kid})
    off_curve = encode([protected, {-4: b"\x04" + bytes(64)}, bytes(400)], tag=16)
    assert fault_of(to_text(off_curve)) is PassFault.PASS_DAMAGED


@pytest.mark.parametrize("ciphertext", [b"", bytes(16)])
def test_seal_with_nothing_in_it_is_refused(ciphertext: bytes) -> None:
    protected = encode({1: 35, 4: GATE.public.kid})
    empty = encode([protected, {-4: GATE.public.point}, ciphertext], tag=16)
    assert fault_of(to_text(empty)) is PassFault.PASS_UNREADABLE


# What is under the seal. Anyone can seal: the gate group's key is public.


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 40,
        encode([]),
        encode([token(), SALT]),
        encode([token(), SALT, FACE.data, b""]),
        encode({0: token(), 1: SALT, 2: FACE.data}),
        encode([token(), SALT.hex(), FACE.data]),
        encode([token(), SALT[:-1], FACE.data]),
        encode([token(), SALT + b"\x00", FACE.data]),
        encode([token(), SALT, b"\x00" * 15]),
        encode([token(), SALT, bytes(TEMPLATE_BYTES_MAX + 1)]),
        encode([token(), SALT, FACE.data]) + b"\x00",
        b"\x9f" + encode([token(), SALT, FACE.data])[1:] + b"\xff",
        encode([token(), SALT, FACE.data], tag=16),
    ],
)
def test_sealed_content_of_another_form_is_refused(content: bytes) -> None:
    assert fault_of(to_text(sealed(content))) is PassFault.PASS_UNREADABLE


def test_unsigned_claims_inside_a_valid_seal_are_refused() -> None:
    payload = claims_with()
    bare = [payload, encode([b"", {}, payload, b""], tag=18), encode([b"", {}, payload, bytes(64)], tag=18)]
    for forged in bare:
        assert fault_of(pass_of(forged)) is PassFault.PASS_UNREADABLE


def test_signature_of_zeros_is_forged() -> None:
    assert fault_of(pass_of(token(sign=lambda _: bytes(64)))) is PassFault.PASS_FORGED
    forged = token(key=ISSUER_ES256, sign=lambda _: bytes(64))
    assert fault_of(pass_of(forged)) is PassFault.PASS_FORGED


def test_signature_of_another_message_is_forged() -> None:
    other = decode_sign1(token(claims_with(assurance=Assurance.SUPERVISED)), what="other").signature
    assert fault_of(pass_of(token(sign=lambda _: other))) is PassFault.PASS_FORGED


@pytest.mark.parametrize("length", [0, 63, 65, 96, 128])
def test_signature_of_another_length_is_refused(length: int) -> None:
    assert fault_of(pass_of(token(sign=lambda _: bytes(length)))) is PassFault.PASS_UNREADABLE


def test_es256_signature_in_der_is_refused() -> None:
    der = bytes.fromhex("3044") + bytes(68)
    assert fault_of(pass_of(token(key=ISSUER_ES256, sign=lambda _: der))) is PassFault.PASS_UNREADABLE


def test_issuer_whose_key_is_not_held_is_unknown() -> None:
    assert fault_of(issue(issuer=STRANGER).text) is PassFault.ISSUER_UNKNOWN


def test_revoked_issuer_is_refused_whatever_it_signed() -> None:
    assert fault_of(issue(issuer=REVOKED).text) is PassFault.ISSUER_REVOKED


def test_key_id_confusion_a_stranger_signs_under_the_issuers_key_id() -> None:
    confused = token(key=STRANGER, protected={1: -8, 4: ISSUER.public.kid})
    assert fault_of(pass_of(confused)) is PassFault.PASS_FORGED


def test_key_id_confusion_a_gate_group_key_is_no_issuer() -> None:
    confused = token(protected={1: -7, 4: GATE.public.kid})
    assert fault_of(pass_of(confused)) is PassFault.ISSUER_UNKNOWN


def test_algorithm_confusion_the_key_decides_not_the_token() -> None:
    eddsa_as_es256 = token(key=ISSUER, protected={1: -7, 4: ISSUER.public.kid})
    es256_as_eddsa = token(key=ISSUER_ES256, protected={1: -8, 4: ISSUER_ES256.public.kid})
    assert fault_of(pass_of(eddsa_as_es256)) is PassFault.PASS_FORGED
    assert fault_of(pass_of(es256_as_eddsa)) is PassFault.PASS_FORGED


@pytest.mark.parametrize(
    "protected",
    [
        {},
        {1: -8},
        {4: ISSUER.public.kid},
        {1: 5, 4: ISSUER.public.kid},
        {1: 0, 4: ISSUER.public.kid},
        {1: -19, 4: ISSUER.public.kid},
        {1: -35, 4: ISSUER.public.kid},
        {1: "none", 4: ISSUER.public.kid},
        {1: b"", 4: ISSUER.public.kid},
        {1: [], 4: ISSUER.public.kid},
        {1: -8, 4: ISSUER.public.kid[:7]},
        {1: -8, 4: 0},
        {1: -8, 2: [4], 4: ISSUER.public.kid},
        {1: -8, 2: [99], 4: ISSUER.public.kid, 99: 0},
        {1: -8, 4: ISSUER.public.kid, 16: "application/cwt"},
    ],
)
def test_token_with_other_protected_headers_is_refused(protected: dict[CborKey, Cbor]) -> None:
    assert fault_of(pass_of(token(protected=protected))) is PassFault.PASS_UNREADABLE


def test_token_with_any_unprotected_header_is_refused() -> None:
    assert fault_of(pass_of(token(unprotected={4: ISSUER.public.kid}))) is PassFault.PASS_UNREADABLE


def test_token_with_its_key_id_unprotected_is_refused() -> None:
    unprotected: dict[CborKey, Cbor] = {4: ISSUER.public.kid}
    assert fault_of(pass_of(token(protected={1: -8}, unprotected=unprotected))) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("tag", [None, 16, 17, 61, 98])
def test_token_without_its_tag_or_with_another_is_refused(tag: int | None) -> None:
    inner = token()[1:]
    head = b"" if tag is None else encode(0, tag=tag)[:-1]
    assert fault_of(pass_of(head + inner)) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("tag", [None, 17, 18, 61, 96])
def test_pass_without_its_tag_or_with_another_is_refused(tag: int | None) -> None:
    inner = from_text(issue().text)[1:]
    head = b"" if tag is None else encode(0, tag=tag)[:-1]
    assert fault_of(to_text(head + inner)) is PassFault.PASS_UNREADABLE


# Claims, signed by a trusted issuer.


def without(*keys: int) -> bytes:
    return encode({key: value for key, value in claims_map().items() if key not in keys})


def changed(inner: bool, **entries: Cbor) -> bytes:
    claims = claims_map()
    target = claims[-65537] if inner else claims
    assert isinstance(target, dict)
    for key, value in entries.items():
        target[int(key.removeprefix("k"))] = value
    return encode(claims)


@pytest.mark.parametrize("key", [1, 3, 4, 5, 7, -65537])
def test_claims_without_a_mandatory_claim_are_refused(key: int) -> None:
    assert fault_of(pass_of(token(without(key)))) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        encode([]),
        encode({}),
        encode({-65537: []}),
        encode({**claims_map(), 8: {1: b""}}),
        encode({**claims_map(), 6: 0}),
        encode({**claims_map(), "note": "x"}),
        encode({**claims_map(), 4: "2027"}),
        encode({**claims_map(), 4: -1}),
        encode({**claims_map(), 4: 2**33 + 1}),
        encode({**claims_map(), 4: 2**64 - 1}),
        encode({**claims_map(), 5: b"\x00"}),
        encode({**claims_map(), 4: 100, 5: 100}),
        encode({**claims_map(), 4: 99, 5: 100}),
        encode({**claims_map(), 5: 0}),
        encode({**claims_map(), 7: bytes(15)}),
        encode({**claims_map(), 7: bytes(17)}),
        encode({**claims_map(), 7: "0" * 16}),
        encode({**claims_map(), 1: 7}),
        encode({**claims_map(), 1: "Metro"}),
        encode({**claims_map(), 3: ["metro/north"]}),
        encode({**claims_map(), 3: "metro"}),
        encode({**claims_map(), 3: "metro/north/x"}),
        encode({**claims_map(), 65535: {}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": 1}}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": 1, "uri": "http://metro.example"}}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": -1, "uri": "https://metro.example"}}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": 2**32, "uri": "https://metro.example"}}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": 1, "uri": "https://metro.example", "x": 1}}}),
        encode({**claims_map(), 65535: {"status_list": {"idx": 1, "uri": "https://metro.example"}, "x": 1}}),
        changed(True, k2=""),
        changed(True, k2="x" * 49),
        changed(True, k2="a\nb"),
        changed(True, k2=" a"),
        changed(True, k2="e\u0301"),
        changed(True, k2="a\u202eb"),
        changed(True, k3="Student"),
        changed(True, k4=[]),
        changed(True, k4=[1]),
        changed(True, k4=["1", "1"]),
        changed(True, k4=[str(zone) for zone in range(17)]),
        changed(True, k5=0),
        changed(True, k6=2**33),
        changed(True, k7=2),
        changed(True, k7=-1),
        changed(True, k8=[]),
        changed(True, k8=[1, bytes(32)]),
        changed(True, k8=[1, bytes(31), "pack"]),
        changed(True, k8=[1, bytes(32), ""]),
        changed(True, k8=[1, bytes(32), "p" * (PACK_ID_CHARS_MAX + 1)]),
        changed(True, k8=[2, bytes(32), "pack"]),
        changed(True, k8=[3, bytes(32)]),
        changed(True, k9=0),
    ],
)
def test_claims_outside_the_profile_are_refused_though_signed(payload: bytes) -> None:
    assert fault_of(pass_of(token(payload))) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("version", [0, 2, 2**63])
def test_claims_of_another_version_are_refused(version: int) -> None:
    assert fault_of(pass_of(token(changed(True, k1=version)))) is PassFault.PASS_VERSION_UNKNOWN


def test_issuer_that_names_itself_as_another_is_forged() -> None:
    assert fault_of(pass_of(token(claims_with(issuer="ferries")))) is PassFault.PASS_FORGED
    assert fault_of(pass_of(token(claims_with(issuer="ferries"), key=OTHER_ISSUER))) is None


def test_pass_that_outlasts_a_key_is_forged_at_one_second_past_it() -> None:
    def ring(issuer_ends: datetime, gate_ends: datetime) -> GateKeyring:
        issuer = TrustedIssuer(issuer_key("issuer", not_after=issuer_ends).public)
        return GateKeyring((gate_key("gate", not_after=gate_ends),), (issuer,))

    text, end = pass_of(token()), CLAIMS.expires
    assert fault_of(text, ring=ring(end, end)) is None
    assert fault_of(text, ring=ring(end - SECOND, end)) is PassFault.PASS_FORGED
    assert fault_of(text, ring=ring(end, end - SECOND)) is PassFault.PASS_FORGED


# The reference.


def test_reference_swapped_between_two_passes_is_forged() -> None:
    other = Reference(FACE.kind, FACE.pack_id, bytes(128))
    assert fault_of(pass_of(token(), data=other.data)) is PassFault.PASS_FORGED


def test_pass_sealed_again_by_an_attacker_with_another_salt_is_forged() -> None:
    assert fault_of(pass_of(token(), salt=bytes(16))) is PassFault.PASS_FORGED


def test_byte_moved_from_data_to_salt_is_no_collision() -> None:
    longer = SALT + FACE.data[:1]
    assert fault_of(pass_of(token(), salt=longer, data=FACE.data[1:])) is PassFault.PASS_UNREADABLE


def test_face_data_of_the_wrong_length_for_a_pin_is_refused_though_committed() -> None:
    pin = replace(CLAIMS.reference, kind=ReferenceKind.PIN, pack_id=None)
    assert fault_of(pass_of(token(claims_with(reference=pin)))) is PassFault.PASS_UNREADABLE


# Time.


@pytest.mark.parametrize("skew", [0, 1, 60, CLOCK_SKEW_S_MAX])
def test_times_at_the_boundary_and_one_second_past_it(skew: int) -> None:
    text, widened = pass_of(token()), timedelta(seconds=skew)
    assert fault_of(text, now=CLAIMS.not_before - widened, skew=skew) is None
    assert fault_of(text, now=CLAIMS.not_before - widened - SECOND, skew=skew) is PassFault.PASS_NOT_YET_VALID
    assert fault_of(text, now=CLAIMS.expires + widened - SECOND, skew=skew) is None
    assert fault_of(text, now=CLAIMS.expires + widened, skew=skew) is PassFault.PASS_EXPIRED


def test_time_of_the_product_within_the_pass_is_kept() -> None:
    entitlement = Entitlement("Day", valid_from=NOW + 10 * SECOND, valid_until=NOW + 20 * SECOND)
    text = pass_of(token(claims_with(entitlement=entitlement)))
    assert fault_of(text, now=NOW + 9 * SECOND) is PassFault.PASS_NOT_YET_VALID
    assert fault_of(text, now=NOW + 10 * SECOND) is None
    assert fault_of(text, now=NOW + 19 * SECOND) is None
    assert fault_of(text, now=NOW + 20 * SECOND) is PassFault.PASS_EXPIRED


@pytest.mark.parametrize(("now", "skew"), [(NOW.replace(tzinfo=None), 0), (NOW, -1), (NOW, CLOCK_SKEW_S_MAX + 1)])
def test_a_clock_that_makes_no_sense_is_a_fault_of_the_caller(now: datetime, skew: int) -> None:
    with pytest.raises(BadInputError):
        opened(issue().text, now=now, skew=skew)


# Issuing.


def test_the_issuer_signs_a_commitment_and_never_sees_the_reference() -> None:
    signed = sign_token(issuer_key=ISSUER, claims=CLAIMS)
    assert FACE.data not in signed
    assert SALT not in signed
    text = to_text(seal(gate_group_key=GATE.public, token=signed, salt=SALT, data=FACE.data, random=steady("desk")))
    assert opened(text).reference == FACE


@pytest.mark.parametrize("ends", ["issuer", "gate"])
def test_issuing_past_the_end_of_a_key_is_refused_with_what_to_do(ends: str) -> None:
    end = NOW + timedelta(days=10)
    issuer = issuer_key("issuer", not_after=end if ends == "issuer" else KEYS_END)
    gate = gate_key("gate", not_after=end if ends == "gate" else KEYS_END)
    assert issue(issuer=issuer, gate=gate, days=10).expires == end
    with pytest.raises(BadInputError, match="use fewer days or rotate the key"):
        issue(issuer=issuer, gate=gate, days=11)


def test_an_issuer_does_not_sign_in_anothers_name() -> None:
    with pytest.raises(BadInputError, match="name issuer metro, the key is of ferries"):
        sign_token(issuer_key=OTHER_ISSUER, claims=CLAIMS)


def test_issuing_takes_whole_seconds_and_any_time_zone() -> None:
    issued = issue_pass(
        issuer_key=ISSUER,
        gate_group_key=GATE.public,
        entitlement=Entitlement("Day"),
        assurance=Assurance.SELF_ENROLLED,
        reference=FACE,
        now=NOW.replace(microsecond=999_999),
        valid_for=timedelta(days=1, microseconds=7),
    )
    assert (issued.not_before, issued.expires) == (NOW, NOW + timedelta(days=1))
    assert fault_of(issued.text) is None


def test_nothing_shown_of_a_pass_holds_the_reference_or_a_key() -> None:
    result = opened(issue().text)
    secrets = (FACE.data, GATE.agreement.private.private_numbers().private_value)  # type: ignore[attr-defined]
    for shown in (repr(result), repr(FACE), repr(RING), repr(ISSUER), repr(GATE)):
        assert str(secrets[0])[2:20] not in shown
        assert str(secrets[1]) not in shown
        assert "signer=" not in shown
        assert "agreement=" not in shown


def test_key_ring_refuses_a_key_twice_and_too_many() -> None:
    issuer = TrustedIssuer(ISSUER.public)
    with pytest.raises(BadInputError, match="holds a key twice"):
        GateKeyring((), (issuer, issuer))
    with pytest.raises(BadInputError, match="holds a key twice"):
        GateKeyring((GATE, GATE), ())
    issuers = tuple(TrustedIssuer(issuer_key(str(at)).public) for at in range(KEYS_MAX + 1))
    GateKeyring((), issuers[:-1])
    with pytest.raises(BadInputError, match="more than"):
        GateKeyring((), issuers)


CHANGES: list[Callable[[], object]] = [
    lambda: ReferenceClaim(ReferenceKind.FACE, "pack", bytes(31)),
    lambda: Reference(ReferenceKind.FACE, None, bytes(32)),
    lambda: Reference(ReferenceKind.PIN, "pack", bytes(32)),
    lambda: Reference(ReferenceKind.FACE, "pack", bytes(15)),
    lambda: Reference(ReferenceKind.FACE, "pack", bytes(TEMPLATE_BYTES_MAX + 1)),
    lambda: Reference(ReferenceKind.PIN, None, bytes(31)),
    lambda: Audience.parse("metro"),
    lambda: Audience("metro", "North"),
    lambda: Entitlement("x", valid_from=NOW, valid_until=NOW),
    lambda: Entitlement("x", valid_from=NOW.replace(microsecond=1)),
    lambda: Entitlement("x", valid_from=NOW.replace(tzinfo=None)),
    lambda: replace(CLAIMS, expires=NOW),
    lambda: replace(CLAIMS, expires=NOW + timedelta(days=3 * 366, seconds=1)),
    lambda: replace(CLAIMS, entitlement=Entitlement("x", valid_until=CLAIMS.expires + SECOND)),
    lambda: replace(CLAIMS, entitlement=Entitlement("x", valid_from=CLAIMS.not_before - SECOND)),
    lambda: replace(CLAIMS, entitlement=Entitlement("x", valid_from=CLAIMS.expires)),
    lambda: replace(CLAIMS, entitlement=Entitlement("x", valid_until=CLAIMS.not_before)),
]


@pytest.mark.parametrize("make", CHANGES)
def test_a_value_that_no_pass_may_carry_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(BadInputError):
        make()
