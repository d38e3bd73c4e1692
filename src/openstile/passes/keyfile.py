"""One key in one file: JSON with PEM in it (SubjectPublicKeyInfo and PKCS#8), readable by its owner alone."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from openstile.passes.claims import Audience
from openstile.passes.hpke import SoftwareKeyAgreement, p256_public, point_of
from openstile.passes.keys import (
    Algorithm,
    GateGroupKey,
    GateGroupPublicKey,
    IssuerKey,
    IssuerPublicKey,
    SoftwareSigner,
)
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_FILE_BYTES_MAX

_FORMAT = 1
_GENERATION_MAX = 10**6
_TEXT_FIELDS = {"role", "name", "algorithm", "kid", "created", "not_after", "public"}
_FIELDS = {"openstile_key", "generation", "revoked"} | _TEXT_FIELDS
_GATE_GROUP_ALGORITHM = "HPKE-0"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


class Role(Enum):
    """What a key is for."""

    ISSUER = "issuer"
    GATE_GROUP = "gate-group"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as its file holds it. `private` is None where only the public half is known; never shown by repr."""

    public: IssuerPublicKey | GateGroupPublicKey
    generation: int
    created: datetime
    revoked: bool
    private: PrivateKey | None = field(repr=False)

    @property
    def role(self) -> Role:
        return Role.ISSUER if isinstance(self.public, IssuerPublicKey) else Role.GATE_GROUP

    @property
    def name(self) -> str:
        """The issuer, or `operator/gate-group`."""
        return self.public.name if isinstance(self.public, IssuerPublicKey) else str(self.public.audience)

    @property
    def algorithm(self) -> str:
        """EdDSA or ES256 of an issuer, HPKE-0 of a gate group."""
        return self.public.algorithm.value if isinstance(self.public, IssuerPublicKey) else _GATE_GROUP_ALGORITHM

    @property
    def file_name(self) -> str:
        return f"{self.role.value}.{self.name.replace('/', '.')}.{self.generation}.json"

    def issuer_key(self) -> IssuerKey | None:
        """The key for signing, where this is an issuer's with its private half."""
        if isinstance(self.public, IssuerPublicKey) and self.private is not None:
            return IssuerKey(self.public, SoftwareSigner(self.private))
        return None

    def gate_group_key(self) -> GateGroupKey | None:
        """The key for opening, where this is a gate group's with its private half."""
        if isinstance(self.public, GateGroupPublicKey) and isinstance(self.private, ec.EllipticCurvePrivateKey):
            return GateGroupKey(self.public, SoftwareKeyAgreement(self.private))
        return None


def encode_key(key: StoredKey, *, with_private: bool) -> bytes:
    """The content of a key file; without its private half it may be given away."""
    content: dict[str, object] = {
        "openstile_key": _FORMAT,
        "role": key.role.value,
        "name": key.name,
        "algorithm": key.algorithm,
        "kid": key.public.kid.hex(),
        "generation": key.generation,
        "created": key.created.isoformat(),
        "not_after": key.public.not_after.isoformat(),
        "revoked": key.revoked,
        "public": _public_pem(key.public),
    }
    if with_private and key.private is not None:
        content["private"] = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")
    return (json.dumps(content, indent=2) + "\n").encode()


def decode_key(data: bytes, *, what: str) -> StoredKey:
    """The key of a file's content, checked against itself. Raises BadInputError, naming `what`."""
    if len(data) > KEY_FILE_BYTES_MAX:
        raise BadInputError(f"{what}: has more than {KEY_FILE_BYTES_MAX} bytes; it is no key file")
    try:
        return _decode(json.loads(data))
    except (BadInputError, ValueError, TypeError, OverflowError, RecursionError, UnsupportedAlgorithm) as error:
        reason = str(error) if isinstance(error, BadInputError) else "its content is malformed"
        raise BadInputError(f"{what}: is not a key file of Openstile: {reason}; restore it from a copy") from None


def read_private(path: Path) -> bytes:
    """The bytes of a key file, refused unless a regular file of this user that nobody else can read or write."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise BadInputError(f"{path}: {reason}; put the key file itself there") from None
    try:
        check_private(os.fstat(descriptor), path, is_kind=stat.S_ISREG)
        return os.read(descriptor, KEY_FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)


def check_private(status: os.stat_result, path: Path, *, is_kind: Callable[[int], bool]) -> None:
    """Refuses what is of another kind, of another user, or open to others."""
    if not is_kind(status.st_mode):
        raise BadInputError(f"{path}: is not what a key folder holds; remove it")
    if status.st_uid != os.geteuid():
        raise BadInputError(f"{path}: belongs to another user; run: chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise BadInputError(f"{path}: others can read or change it; run: chmod go-rwx {path}")


def _decode(content: Any) -> StoredKey:
    if not isinstance(content, dict) or set(content) - {"private"} != _FIELDS or content["openstile_key"] != _FORMAT:
        raise BadInputError("its entries are not those of a key")
    if not all(isinstance(content[field], str) for field in content.keys() & (_TEXT_FIELDS | {"private"})):
        raise BadInputError("an entry that must be text is not")
    generation, revoked = content["generation"], content["revoked"]
    if type(generation) is not int or not 1 <= generation <= _GENERATION_MAX or type(revoked) is not bool:
        raise BadInputError("its generation or state is malformed")
    public = _public(content, not_after=_instant(content["not_after"]))
    private = None if "private" not in content else _private(content["private"])
    key = StoredKey(public, generation, _instant(content["created"]), revoked, private)
    if (key.role.value, key.algorithm, public.kid.hex()) != (content["role"], content["algorithm"], content["kid"]):
        raise BadInputError("its role, algorithm or id is not that of its public key")
    if private is not None and _raw(private.public_key()) != _raw_of(public):
        raise BadInputError("its private key does not belong to its public key")
    return key


def _public(content: dict[str, Any], *, not_after: datetime) -> IssuerPublicKey | GateGroupPublicKey:
    loaded = serialization.load_pem_public_key(content["public"].encode())
    if not isinstance(loaded, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise BadInputError("its public key is neither Ed25519 nor P-256")
    if content["role"] == Role.ISSUER.value:
        algorithm = Algorithm.EDDSA if isinstance(loaded, ed25519.Ed25519PublicKey) else Algorithm.ES256
        return IssuerPublicKey(content["name"], algorithm, _raw(loaded), not_after)
    return GateGroupPublicKey(Audience.parse(content["name"]), _raw(loaded), not_after)


def _private(pem: str) -> PrivateKey:
    loaded = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(loaded, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise BadInputError("its private key is neither Ed25519 nor P-256")
    return loaded


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _raw(public: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes_raw() if isinstance(public, ed25519.Ed25519PublicKey) else point_of(public)


def _raw_of(public: IssuerPublicKey | GateGroupPublicKey) -> bytes:
    return public.public if isinstance(public, IssuerPublicKey) else public.point


def _public_pem(public: IssuerPublicKey | GateGroupPublicKey) -> str:
    if isinstance(public, IssuerPublicKey) and public.algorithm is Algorithm.EDDSA:
        loaded: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
        loaded = ed25519.Ed25519PublicKey.from_public_bytes(public.public)
    else:
        loaded = p256_public(_raw_of(public))
    pem = loaded.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")
