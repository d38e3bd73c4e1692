"""The gate's key: made once, whole, and for its owner only."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from openstile.journal import GateKey, JournalError
from openstile.journal.keys import is_signed


def test_key_is_made_on_first_use_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "gate.pem"
    made = GateKey.open(path)
    assert GateKey.open(path).public_key == made.public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["gate.pem"]
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_processes_that_make_the_key_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "gate.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: GateKey.open(path).public_key, range(8)))
    assert len(set(keys)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["gate.pem"]


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate.pem"
    GateKey.open(path)
    path.chmod(0o640)
    with pytest.raises(JournalError, match="others can read it"):
        GateKey.open(path)


def _other_key() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an unencrypted PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not an unencrypted PEM"),
        (b"x" * 5000, "not an unencrypted PEM"),
        (_other_key(), "not an Ed25519 key"),
    ],
)
def test_file_that_is_not_a_gate_key_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "gate.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(JournalError, match=complaint):
        GateKey.open(path)


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(JournalError, match="gate key"):
        GateKey.open(tmp_path / "keys" / "gate.pem")


def test_private_key_shows_in_no_text(gate_key: GateKey) -> None:
    assert gate_key.public_key.hex() in repr(gate_key)
    assert len(repr(gate_key)) < 100


def test_signature_of_another_key_message_or_length_is_none(gate_key: GateKey) -> None:
    signature = gate_key.sign(b"one")
    assert is_signed(public_key=gate_key.public_key, signature=signature, message=b"one")
    assert not is_signed(public_key=gate_key.public_key, signature=signature, message=b"two")
    assert not is_signed(public_key=gate_key.public_key, signature=signature[:-1], message=b"one")
    assert not is_signed(public_key=GateKey.generate().public_key, signature=signature, message=b"one")
    assert not is_signed(public_key=b"short", signature=signature, message=b"one")
