"""Keys in hardware, against SoftHSM2: what works as with keys in files, and what can be wrong with a token."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.passes.pass_workshop import (
    AUDIENCE,
    GATE,
    ISSUER,
    KEYS_END,
    RING,
    issue,
    opened,
    steady,
)
from tests.passes.softhsm_workshop import PIN, behind_its_back, new_token, softhsm_module, write_pin

from openstile.passes import GateKeyring
from openstile.passes.hardware import (
    HardwareError,
    HardwareKey,
    HardwareKeyAgreement,
    HardwareSigner,
    HardwareToken,
    generate_hardware_agreement_key,
    generate_hardware_signing_key,
    import_agreement_key,
)
from openstile.passes.hpke import HpkeError, SoftwareKeyAgreement, open_sealed, p256_public, point_of, seal
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateGroupKey, GateGroupPublicKey, IssuerKey, IssuerPublicKey
from openstile.passes.signing import Algorithm
from openstile.terms import BadInputError


@pytest.fixture
def token(tmp_path: Path) -> HardwareToken:
    return new_token(tmp_path)


def scalar_key(scalar: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(scalar, ec.SECP256R1())


def group_in(token: HardwareToken) -> GateGroupKey:
    key, point = generate_hardware_agreement_key(token)
    return GateGroupKey(GateGroupPublicKey(AUDIENCE, point, KEYS_END), HardwareKeyAgreement(key, point))


def ring_of(group: GateGroupKey) -> GateKeyring:
    return GateKeyring(gate_group_keys=(group,), issuers=RING.issuers)


PEER = point_of(scalar_key(3).public_key())


# What works.


def test_pass_sealed_to_a_key_in_hardware_opens_there_and_nowhere_else(token: HardwareToken) -> None:
    group = group_in(token)
    text = issue(gate=group).text
    assert opened(text, ring=ring_of(group)).claims.issuer == ISSUER.public.name
    stranger = GateGroupKey(group.public, SoftwareKeyAgreement(scalar_key(5)))
    with pytest.raises(Exception, match="pass_damaged"):
        opened(text, ring=ring_of(stranger))


@pytest.mark.parametrize("algorithm", Algorithm)
def test_issuer_key_in_hardware_signs_what_a_gate_verifies(token: HardwareToken, algorithm: Algorithm) -> None:
    key, public = generate_hardware_signing_key(token, algorithm=algorithm)
    issuer = IssuerKey(IssuerPublicKey("metro", algorithm, public, KEYS_END), HardwareSigner(key, algorithm))
    ring = GateKeyring(gate_group_keys=(GATE,), issuers=(TrustedIssuer(issuer.public),))
    assert opened(issue(issuer=issuer).text, ring=ring).claims.issuer == "metro"


def test_imported_key_opens_what_was_sealed_to_it_before(token: HardwareToken) -> None:
    private = scalar_key(7)
    point = point_of(private.public_key())
    sealed = seal(recipient=point, plaintext=b"group key", info=b"i", aad=b"a", random=steady("import"))
    agreement = HardwareKeyAgreement(import_agreement_key(token, private), point)
    assert open_sealed(recipient=agreement, sealed=sealed, info=b"i", aad=b"a") == b"group key"


def test_shared_secret_with_leading_zeros_keeps_its_32_bytes(token: HardwareToken) -> None:
    private = scalar_key(11)
    agreement = HardwareKeyAgreement(import_agreement_key(token, private), point_of(private.public_key()))
    peer, secret = next(
        (point_of(public), shared)
        for public in (scalar_key(scalar).public_key() for scalar in range(2, 5000))
        if (shared := private.exchange(ec.ECDH(), public))[0] == 0
    )
    assert agreement.agree(peer) == secret


def test_key_of_another_curve_cannot_be_imported(token: HardwareToken) -> None:
    with pytest.raises(BadInputError, match="must be on P-256"):
        import_agreement_key(token, ec.generate_private_key(ec.SECP384R1()))


def test_two_ways_to_one_module_share_its_session(token: HardwareToken, tmp_path: Path) -> None:
    link = tmp_path / "module.so"
    link.symlink_to(token.module)
    group, agreement = group_in(token), None
    assert isinstance(group.agreement, HardwareKeyAgreement)
    key = HardwareKey(replace(token, module=link), group.agreement.key.id)
    agreement = HardwareKeyAgreement(key, group.public.point)
    assert agreement.agree(PEER) == group.agreement.agree(PEER)


# What a token never gives away, and never does.


def test_private_keys_are_sensitive_not_extractable_and_for_one_use(token: HardwareToken) -> None:
    import pkcs11
    from pkcs11 import Attribute

    signing, _ = generate_hardware_signing_key(token, algorithm=Algorithm.ES256)
    edwards, _ = generate_hardware_signing_key(token, algorithm=Algorithm.EDDSA)
    agreement, _ = generate_hardware_agreement_key(token)
    imported = import_agreement_key(token, scalar_key(13))
    uses = {Attribute.SIGN, Attribute.SIGN_RECOVER, Attribute.DERIVE, Attribute.DECRYPT, Attribute.UNWRAP}
    with behind_its_back(token) as session:
        for key, use in ((signing, "SIGN"), (edwards, "SIGN"), (agreement, "DERIVE"), (imported, "DERIVE")):
            private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, id=key.id)
            assert private[Attribute.SENSITIVE]
            assert private[Attribute.PRIVATE]
            assert not private[Attribute.EXTRACTABLE]
            assert not private[Attribute.MODIFIABLE]
            assert {attribute.name for attribute in uses if private[attribute]} == {use}
            with pytest.raises(pkcs11.AttributeSensitive):
                private[Attribute.VALUE]
            for attribute, value in ((Attribute.EXTRACTABLE, True), (Attribute.SENSITIVE, False)):
                with pytest.raises(pkcs11.PKCS11Error):
                    private[attribute] = value
                with pytest.raises(pkcs11.PKCS11Error):
                    private.copy({attribute: value})


def test_shared_secrets_do_not_stay_in_the_token(token: HardwareToken) -> None:
    import pkcs11

    group = group_in(token)
    for scalar in range(2, 8):
        group.agreement.agree(point_of(scalar_key(scalar).public_key()))
    with behind_its_back(token) as session:
        assert not list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}))


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x04" + bytes(64), id="zeros"),
        pytest.param(PEER[:-1], id="short"),
        pytest.param(PEER + b"\x00", id="long"),
        pytest.param(PEER[:-1] + bytes([PEER[-1] ^ 1]), id="off the curve"),
        pytest.param(b"\x02" + PEER[1:33], id="compressed"),
    ],
)
def test_invalid_point_is_refused_before_the_token_sees_it(tmp_path: Path, peer: bytes) -> None:
    nowhere = HardwareToken(tmp_path / "no-module.so", "no token", tmp_path / "no-pin")
    with pytest.raises(HpkeError, match="point"):
        HardwareKeyAgreement(HardwareKey(nowhere, b"id"), PEER).agree(peer)


# What can be wrong. Each is an error of its own, not a refused pass, and says which token and what to do.


def test_token_that_is_away_is_no_damaged_pass(token: HardwareToken) -> None:
    group = group_in(token)
    assert isinstance(group.agreement, HardwareKeyAgreement)
    away = replace(group.agreement.key, token=replace(token, token="away"))
    ring = ring_of(GateGroupKey(group.public, HardwareKeyAgreement(away, group.public.point)))
    with pytest.raises(HardwareError, match="token away: is not there; connect the token") as caught:
        opened(issue(gate=group).text, ring=ring)
    assert caught.value.exit_code == 6


def test_wrong_pin_is_not_shown_and_not_tried_twice(token: HardwareToken, tmp_path: Path) -> None:
    wrong = write_pin(tmp_path / "wrong.pin", "another-pin-123")
    with pytest.raises(HardwareError, match=r"the pin in .*wrong\.pin is wrong") as caught:
        generate_hardware_agreement_key(replace(token, pin_file=wrong))
    assert "another-pin" not in str(caught.value)
    assert caught.value.__cause__ is None
    with behind_its_back(token, pin=PIN) as session:
        session.set_pin(PIN, "another-pin-123")
    with pytest.raises(HardwareError, match="not tried again"):
        generate_hardware_agreement_key(replace(token, pin_file=wrong))
    with behind_its_back(token, pin="another-pin-123") as session:
        session.set_pin("another-pin-123", PIN)
    write_pin(wrong, PIN)
    generate_hardware_agreement_key(replace(token, pin_file=wrong))


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (PIN.encode(), 0o640, "others can read or change it"),
        (PIN.encode(), 0o602, "others can read or change it"),
        (b"\n", 0o600, "is empty"),
        (b"\xff\xfe", 0o600, "is no text"),
        (b"1" * 257, 0o600, "more than 256 bytes"),
    ],
)
def test_pin_file_that_is_open_to_others_or_no_pin_is_refused(
    token: HardwareToken, content: bytes, mode: int, reason: str
) -> None:
    token.pin_file.write_bytes(content)
    token.pin_file.chmod(mode)
    with pytest.raises(HardwareError, match=f"token {token.token}: pin file .*{reason}"):
        generate_hardware_agreement_key(token)


def test_pin_file_that_is_a_link_or_missing_is_refused(token: HardwareToken, tmp_path: Path) -> None:
    link = tmp_path / "link.pin"
    link.symlink_to(token.pin_file)
    with pytest.raises(HardwareError, match="is a symbolic link"):
        generate_hardware_agreement_key(replace(token, pin_file=link))
    with pytest.raises(HardwareError, match="cannot be read: No such file"):
        generate_hardware_agreement_key(replace(token, pin_file=tmp_path / "none.pin"))


def test_module_that_is_missing_or_no_module_is_named(token: HardwareToken, tmp_path: Path) -> None:
    missing = tmp_path / "missing.so"
    with pytest.raises(HardwareError, match=r"module .*missing\.so is missing; install the token's driver"):
        generate_hardware_agreement_key(replace(token, module=missing))
    missing.write_bytes(b"no library")
    with pytest.raises(HardwareError, match=r"module .*missing\.so cannot be started"):
        generate_hardware_agreement_key(replace(token, module=missing))


def test_module_that_others_can_change_is_not_loaded(token: HardwareToken, tmp_path: Path) -> None:
    module = tmp_path / "module.so"
    module.write_bytes(softhsm_module().read_bytes())
    module.chmod(0o666)
    with pytest.raises(HardwareError, match="can be changed by others"):
        generate_hardware_agreement_key(replace(token, module=module))


def test_missing_package_says_what_to_install(token: HardwareToken, monkeypatch: pytest.MonkeyPatch) -> None:
    group = group_in(token)
    monkeypatch.setitem(sys.modules, "pkcs11.exceptions", None)
    for action in (
        lambda: group.agreement.agree(PEER),
        lambda: generate_hardware_agreement_key(token),
        lambda: generate_hardware_signing_key(token, algorithm=Algorithm.ES256),
        lambda: import_agreement_key(token, scalar_key(17)),
    ):
        with pytest.raises(HardwareError, match=r"pip install '\.\[hardware\]'"):
            action()


def test_key_that_is_gone_is_named_also_when_its_handle_was_known(token: HardwareToken) -> None:
    import pkcs11

    group = group_in(token)
    assert isinstance(group.agreement, HardwareKeyAgreement)
    group.agreement.agree(PEER)
    with behind_its_back(token) as session:
        session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, id=group.agreement.key.id).destroy()
    with pytest.raises(HardwareError, match=f"no private key with id {group.agreement.key.id.hex()}"):
        group.agreement.agree(PEER)


def test_key_that_is_not_the_public_one_is_no_damaged_pass(token: HardwareToken) -> None:
    agreement = HardwareKeyAgreement(import_agreement_key(token, scalar_key(19)), PEER)
    with pytest.raises(HardwareError, match="is not the one of this public key"):
        agreement.agree(PEER)
    right = HardwareKeyAgreement(agreement.key, point_of(scalar_key(19).public_key()))
    right.agree(PEER)
    with pytest.raises(HardwareError, match="is not the one of this public key"):
        agreement.agree(PEER)


def test_key_for_one_use_cannot_be_put_to_another(token: HardwareToken) -> None:
    agreement, own = generate_hardware_agreement_key(token)
    es256, point = generate_hardware_signing_key(token, algorithm=Algorithm.ES256)
    HardwareKeyAgreement(agreement, own).agree(PEER)
    HardwareSigner(es256, Algorithm.ES256).sign(b"message")
    with pytest.raises(HardwareError, match="is no key for ES256"):
        HardwareSigner(agreement, Algorithm.ES256).sign(b"message")
    with pytest.raises(HardwareError, match="is no key for EdDSA"):
        HardwareSigner(es256, Algorithm.EDDSA).sign(b"message")
    with pytest.raises(HardwareError, match="is no key for opening passes"):
        HardwareKeyAgreement(es256, point).agree(PEER)


@pytest.mark.parametrize(
    ("module", "label", "pin_file"),
    [
        ("libsofthsm2.so", "gates", "/pin"),
        ("/module.so", "gates", "pin"),
        ("/module.so", "", "/pin"),
        ("/module.so", "gates ", "/pin"),
        ("/module.so", "gates\n", "/pin"),
        ("/module.so", "é" * 16 + "x", "/pin"),
    ],
)
def test_malformed_token_is_refused(module: str, label: str, pin_file: str) -> None:
    HardwareToken(Path("/module.so"), "é" * 16, Path("/pin"))
    with pytest.raises(BadInputError):
        HardwareToken(Path(module), label, Path(pin_file))


@pytest.mark.parametrize("length", [0, 33])
def test_malformed_key_id_is_refused(length: int) -> None:
    with pytest.raises(BadInputError, match="1 to 32 bytes"):
        HardwareKey(HardwareToken(Path("/module.so"), "gates", Path("/pin")), bytes(length))


# Sessions.


def test_lost_session_is_opened_anew(token: HardwareToken, tmp_path: Path) -> None:
    group = group_in(token)
    before = group.agreement.agree(PEER)
    new_token(tmp_path)  # starts the module anew
    assert group.agreement.agree(PEER) == before


def test_session_that_was_logged_out_is_opened_anew(token: HardwareToken) -> None:
    from openstile.passes.hardware_session import use_token

    group = group_in(token)
    before = group.agreement.agree(PEER)
    use_token(token, lambda opened: opened.session.close())
    assert group.agreement.agree(PEER) == before


def test_login_that_this_process_already_has_counts(token: HardwareToken) -> None:
    group = group_in(token)
    before = group.agreement.agree(PEER)
    from openstile.passes.hardware_session import use_token

    use_token(token, lambda opened: opened.session.close())
    with behind_its_back(token, pin=PIN):
        assert group.agreement.agree(PEER) == before
    assert group.agreement.agree(PEER) == before


def test_threads_share_a_session(token: HardwareToken) -> None:
    private = scalar_key(23)
    agreement = HardwareKeyAgreement(import_agreement_key(token, private), point_of(private.public_key()))
    key, public = generate_hardware_signing_key(token, algorithm=Algorithm.ES256)
    issuer, signer = IssuerPublicKey("metro", Algorithm.ES256, public, KEYS_END), HardwareSigner(key, Algorithm.ES256)

    def work(scalar: int) -> bool:
        peer = point_of(scalar_key(scalar).public_key())
        issuer.verify(message=peer, signature=signer.sign(peer))
        return agreement.agree(peer) == private.exchange(ec.ECDH(), p256_public(peer))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(2, 66)))
