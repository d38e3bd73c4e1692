"""What inspection tells with which keys, and what it never tells."""

from datetime import timedelta

import pytest
from tests.passes.pass_workshop import (
    CLAIMS,
    FACE,
    GATE,
    ISSUER,
    NOW,
    OTHER_GATE,
    REVOKED,
    RING,
    SALT,
    STRANGER,
    issue,
    pass_of,
    token,
)

from openstile.passes import GateKeyring, PassFault, inspect_pass
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.text import from_text

TEXT = issue().text


def test_without_keys_only_the_outside_is_told() -> None:
    inspection = inspect_pass(TEXT)
    assert inspection.characters == len(TEXT)
    assert inspection.sealed_bytes == len(from_text(TEXT))
    assert inspection.version == "OS1"
    assert inspection.gate_group_kid == GATE.public.kid.hex()
    assert not inspection.opened
    assert (inspection.claims, inspection.unverified_claims, inspection.fault) == (None, None, None)


def test_with_the_gates_keys_the_claims_are_told() -> None:
    inspection = inspect_pass(TEXT, RING, NOW)
    assert inspection.opened
    assert inspection.issuer_kid == ISSUER.public.kid.hex()
    assert inspection.reference_bytes == len(FACE.data)
    assert inspection.claims is not None
    assert inspection.claims.entitlement.product == "Annual"
    assert (inspection.unverified_claims, inspection.fault, inspection.detail) == (None, None, "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (issue(issuer=STRANGER).text, PassFault.ISSUER_UNKNOWN),
        (issue(issuer=REVOKED).text, PassFault.ISSUER_REVOKED),
        (pass_of(token(sign=lambda _: bytes(64))), PassFault.PASS_FORGED),
    ],
)
def test_claims_that_no_trusted_issuer_signed_are_called_unverified(text: str, fault: PassFault) -> None:
    inspection = inspect_pass(text, RING)
    assert inspection.claims is None
    assert inspection.unverified_claims is not None
    assert inspection.fault is fault


def test_an_unverified_payload_that_holds_no_claims_is_passed_over() -> None:
    inspection = inspect_pass(pass_of(token(b"nonsense", key=STRANGER)), RING)
    assert inspection.unverified_claims is None
    assert inspection.fault is PassFault.ISSUER_UNKNOWN


def test_a_gate_group_key_alone_opens_but_verifies_nothing() -> None:
    inspection = inspect_pass(TEXT, GateKeyring((GATE,), ()))
    assert inspection.opened
    assert inspection.claims is None
    assert inspection.fault is PassFault.ISSUER_UNKNOWN


def test_issuer_keys_alone_do_not_open() -> None:
    inspection = inspect_pass(TEXT, GateKeyring((), (TrustedIssuer(ISSUER.public),)))
    assert not inspection.opened
    assert inspection.fault is PassFault.PASS_FOR_OTHER_GATES


def test_swapped_reference_is_told_beside_the_true_claims() -> None:
    inspection = inspect_pass(pass_of(token(), data=bytes(128)), RING)
    assert inspection.claims == CLAIMS
    assert inspection.fault is PassFault.PASS_FORGED


@pytest.mark.parametrize(
    ("now", "fault"),
    [
        (NOW - timedelta(seconds=1), PassFault.PASS_NOT_YET_VALID),
        (CLAIMS.expires, PassFault.PASS_EXPIRED),
        (None, None),
    ],
)
def test_times_are_told_when_a_clock_is_given(now: object, fault: PassFault | None) -> None:
    assert inspect_pass(pass_of(token()), RING, now).fault is fault  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hello", PassFault.PASS_UNREADABLE),
        ("OS7:ABC", PassFault.PASS_VERSION_UNKNOWN),
        (issue(gate=OTHER_GATE).text, PassFault.PASS_FOR_OTHER_GATES),
    ],
)
def test_what_cannot_be_opened_is_told_as_a_fault(text: str, fault: PassFault) -> None:
    inspection = inspect_pass(text, RING)
    assert inspection.fault is fault
    assert inspection.detail
    assert not inspection.opened


def test_inspection_never_holds_the_reference_or_the_salt() -> None:
    shown = repr(inspect_pass(pass_of(token()), RING))
    for secret in (FACE.data, SALT):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
