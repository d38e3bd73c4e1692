"""The gate's signing key: Ed25519 (RFC 8032), one file, PKCS#8 PEM (RFC 8410), readable by its owner only."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from openstile.journal.errors import JournalError
from openstile.terms.files import write_whole
from openstile.terms.limits import KEY_FILE_BYTES_MAX

SIGNATURE_BYTES = 64


class GateKey:
    """The private key with which one gate signs its journal. `public_key` is the raw 32 bytes that verify it."""

    __slots__ = ("_private", "public_key")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key: bytes = private.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"GateKey(public_key={self.public_key.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `message`."""
        return self._private.sign(message)

    @classmethod
    def generate(cls) -> "GateKey":
        """A new key that lives in memory only."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def open(cls, path: Path, *, make: bool = True) -> "GateKey":
        """The key in `path`, made on first use if `make`. Of two processes that make it at once, both get the same one.

        Raises JournalError when the file is not such a key, cannot be read or written, or others can read it.
        """
        try:
            if make and not path.exists():
                _create(path, Ed25519PrivateKey.generate())
            return cls(_load(path))
        except OSError as error:
            raise JournalError(f"gate key {path}: {error.strerror}; check the folder and its permissions") from error


def is_signed(*, public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` of `message` is by the owner of `public_key`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _create(path: Path, private: Ed25519PrivateKey) -> None:
    """Writes a whole, durable file under another name, then gives it its name unless another process was first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with suppress(FileExistsError):
        write_whole(path, pem, replacing=False)


def _load(path: Path) -> Ed25519PrivateKey:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        pem = file.read(KEY_FILE_BYTES_MAX + 1)
    if mode & 0o077:
        raise JournalError(f"gate key {path}: others can read it (mode {mode:04o}); run chmod 600, or make a new key")
    try:
        if len(pem) > KEY_FILE_BYTES_MAX:
            raise ValueError("too long")
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise JournalError(f"gate key {path}: not an unencrypted PEM private key; restore it from a copy") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise JournalError(f"gate key {path}: not an Ed25519 key; restore it from a copy")
    return private
