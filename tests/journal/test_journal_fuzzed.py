"""Journals and keys that fuzzing found (docs/fuzzing.md): each once ended in another way than by a refusal."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.journal.sample import GATE, START, break_in, journal_of

from openstile.journal import GateKey, Journal, JournalBrokenError, JournalError, verify_journal
from openstile.journal.view import read_journal


@pytest.fixture
def faded(tmp_path: Path, gate_key: GateKey) -> Path:
    path = journal_of(tmp_path / "j" / "journal.db", gate_key, taps=4)
    with Journal.open(path, key=gate_key, gate=GATE) as journal:
        journal.fade(START.replace(minute=52, second=30))
    return path


def damage(path: Path, table: str, column: str, value: str) -> None:
    """A value that the column's type forbids, as a damaged page shows it: the declaration has no types meanwhile."""
    untyped = "sql"
    for words in (" STRICT,", " STRICT", " TEXT NOT NULL", " BLOB NOT NULL", " INTEGER NOT NULL"):
        untyped = f"replace({untyped}, '{words}', '')"
    break_in(
        path,
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = {untyped} WHERE name = '{table}'",
        "PRAGMA writable_schema = RESET",
        f"UPDATE {table} SET {column} = {value}",
    )


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("gate", "gate", "NULL"),
        ("gate", "gate", "7"),
        ("anchor", "hash", "7"),
        ("anchor", "hash", "'text'"),
        ("anchor", "counts_hash", "NULL"),
        ("anchor", "signature", "'text'"),
        ("tap", "signature", "5"),
        ("faded", "taps", "'many'"),
        ("faded", "taps", "-1"),
        ("faded", "day", "3"),
        ("tap", "salt", "1.5"),
    ],
)
def test_value_that_no_gate_writes_makes_a_broken_journal(
    faded: Path, gate_key: GateKey, table: str, column: str, value: str
) -> None:
    damage(faded, table, column, value)
    with pytest.raises(JournalError):
        verify_journal(faded, public_key=gate_key.public_key)


@pytest.mark.parametrize("value", ["NULL", "7", "'Not A Gate'"])
def test_view_of_a_journal_that_does_not_name_its_gate_is_refused(faded: Path, value: str) -> None:
    damage(faded, "gate", "gate", value)
    with pytest.raises(JournalBrokenError):
        read_journal(faded, limit=3)


def test_view_of_a_journal_with_counts_of_another_type_is_refused(faded: Path, gate_key: GateKey) -> None:
    with Journal.open(faded, key=gate_key, gate=GATE) as journal:
        journal.count_refusal("no_face", at=START)
    damage(faded, "refusal", "reason", "x'00'")
    with pytest.raises(JournalBrokenError):
        read_journal(faded, limit=3)
    with Journal.open(faded, key=gate_key, gate=GATE) as journal, pytest.raises(JournalBrokenError):
        journal.refusals()


def test_gate_does_not_go_on_with_a_last_hash_of_another_type(tmp_path: Path, gate_key: GateKey) -> None:
    path = journal_of(tmp_path / "j" / "journal.db", gate_key, taps=2)
    damage(path, "tap", "hash", "'text'")
    with pytest.raises(JournalError), Journal.open(path, key=gate_key, gate=GATE):
        pass


def test_journal_whose_schema_is_no_text_is_refused(tmp_path: Path, gate_key: GateKey) -> None:
    path = journal_of(tmp_path / "j" / "journal.db", gate_key, taps=1)
    for old in (b"CREATE TABLE gate (", b"CREATE TRIGGER tap_in_place"):
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, b"\xdd" * len(old)))
        with pytest.raises(JournalError), Journal.open(path, key=gate_key, gate=GATE):
            pass
        with pytest.raises(JournalError):
            verify_journal(path, public_key=gate_key.public_key)
        with pytest.raises(JournalError):
            read_journal(path, limit=1)
        path.write_bytes(data)


def test_gate_key_of_another_curve_with_the_length_of_ed25519_is_refused(tmp_path: Path) -> None:
    der = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = base64.b64encode(der.replace(b"\x2b\x65\x70", b"\x2b\x65\x6f")).decode()
    path = tmp_path / "gate.pem"
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(JournalError, match="not an unencrypted PEM private key"):
        GateKey.open(path, make=False)
