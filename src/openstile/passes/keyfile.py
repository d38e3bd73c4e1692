"""One key in one file: JSON with PEM (SubjectPublicKeyInfo, PKCS#8), or with where in a token its private half is."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from openstile.passes.claims import Audience
from openstile.passes.hardware import HardwareKey, HardwareKeyAgreement, HardwareSigner, HardwareToken
from openstile.passes.hpke import KeyAgreement, SoftwareKeyAgreement, p256_public, point_of
from openstile.passes.keys import (
    Algorithm,
    GateGroupKey,
    GateGroupPublicKey,
    GateTransportKey,
    GateTransportPublicKey,
    IssuerKey,
    IssuerPublicKey,
    OperatorKey,
    OperatorPublicKey,
)
from openstile.passes.signing import Signer, SigningPrivateKey, SoftwareSigner
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import KEY_FILE_BYTES_MAX

_FORMAT = 1
_GENERATION_MAX = 10**6
_TEXT_FIELDS = {"role", "name", "algorithm", "kid", "created", "not_after", "public"}
_FIELDS = {"openstile_key", "generation", "revoked"} | _TEXT_FIELDS
_OPTIONAL_TEXT_FIELDS = {"active_from", "retired_at", "private"}
_OPTIONAL_FIELDS = {"pkcs11"} | _OPTIONAL_TEXT_FIELDS
_TOKEN_FIELDS = {"module", "token", "id", "pin_file"}
_SEALING_ALGORITHM = "HPKE-0"

PublicKey = IssuerPublicKey | OperatorPublicKey | GateGroupPublicKey | GateTransportPublicKey
PrivateKey = SigningPrivateKey


class Role(Enum):
    """What a key is for."""

    ISSUER = "issuer"
    """Signs passes and status lists."""
    GATE_GROUP = "gate-group"
    """Opens the passes that are sealed to it."""
    OPERATOR = "operator"
    """Signs the bundles that tell gates whom to trust."""
    GATE = "gate"
    """Opens what a bundle holds for one gate alone."""


_ROLES: dict[type[PublicKey], Role] = {
    IssuerPublicKey: Role.ISSUER,
    OperatorPublicKey: Role.OPERATOR,
    GateGroupPublicKey: Role.GATE_GROUP,
    GateTransportPublicKey: Role.GATE,
}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as its file holds it.

    New things are made with it from `active_from` on. What is sealed to a gate group's key is outdated from
    `retired_at` on. `private` is a key in memory or in a token, None where only the public half is known; never shown
    by repr.
    """

    public: PublicKey
    generation: int
    created: datetime
    active_from: datetime
    private: PrivateKey | HardwareKey | None = field(repr=False)
    revoked: bool = False
    retired_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.created <= self.active_from <= self.public.not_after:
            raise BadInputError("it is active from a time before it was made or after its last day")
        if self.retired_at is not None and (
            self.role is not Role.GATE_GROUP or self.retired_at > self.public.not_after
        ):
            raise BadInputError("only a gate group's key is retired, and no later than its last day")

    @property
    def role(self) -> Role:
        return _ROLES[type(self.public)]

    @property
    def name(self) -> str:
        """The issuer, the operator, `operator/gate-group` or `operator/gate`."""
        return str(self.public.audience) if isinstance(self.public, GateGroupPublicKey) else self.public.name

    @property
    def algorithm(self) -> str:
        """EdDSA or ES256 of a key that signs, HPKE-0 of one that opens."""
        if isinstance(self.public, IssuerPublicKey | OperatorPublicKey):
            return self.public.algorithm.value
        return _SEALING_ALGORITHM

    @property
    def file_name(self) -> str:
        return f"{self.role.value}.{self.name.replace('/', '.')}.{self.generation}.json"

    def issuer_key(self) -> IssuerKey | None:
        """The key for signing passes, where this is an issuer's with its private half."""
        signer = self._signer()
        return IssuerKey(self.public, signer) if isinstance(self.public, IssuerPublicKey) and signer else None

    def operator_key(self) -> OperatorKey | None:
        """The key for signing bundles, where this is an operator's with its private half."""
        signer = self._signer()
        return OperatorKey(self.public, signer) if isinstance(self.public, OperatorPublicKey) and signer else None

    def gate_group_key(self) -> GateGroupKey | None:
        """The key for opening passes, where this is a gate group's with its private half."""
        opener = self._agreement()
        return GateGroupKey(self.public, opener) if isinstance(self.public, GateGroupPublicKey) and opener else None

    def transport_key(self) -> GateTransportKey | None:
        """The key for opening what is for one gate, where this is a gate's with its private half."""
        opener, public = self._agreement(), self.public
        return GateTransportKey(public, opener) if isinstance(public, GateTransportPublicKey) and opener else None

    def _signer(self) -> Signer | None:
        if self.private is None or not isinstance(self.public, IssuerPublicKey | OperatorPublicKey):
            return None
        if isinstance(self.private, HardwareKey):
            return HardwareSigner(self.private, self.public.algorithm)
        return SoftwareSigner(self.private)

    def _agreement(self) -> KeyAgreement | None:
        if isinstance(self.public, IssuerPublicKey | OperatorPublicKey):
            return None
        if isinstance(self.private, HardwareKey):
            return HardwareKeyAgreement(self.private, self.public.point)
        return SoftwareKeyAgreement(self.private) if isinstance(self.private, ec.EllipticCurvePrivateKey) else None


def encode_key(key: StoredKey, *, with_private: bool) -> bytes:
    """The content of a key file; without its private half it may be given away. Raises BadInputError when too long."""
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
    if key.active_from != key.created:
        content["active_from"] = key.active_from.isoformat()
    if key.retired_at is not None:
        content["retired_at"] = key.retired_at.isoformat()
    if isinstance(key.private, HardwareKey):
        content |= {"pkcs11": _token_entries(key.private)} if with_private else {}
    elif with_private and key.private is not None:
        content["private"] = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")
    encoded = (json.dumps(content, indent=2) + "\n").encode()
    if len(encoded) > KEY_FILE_BYTES_MAX:
        raise BadInputError(f"{key.file_name}: would have more than {KEY_FILE_BYTES_MAX} bytes; use shorter file names")
    return encoded


def decode_key(data: bytes, *, what: str) -> StoredKey:
    """The key of a file's content, checked against itself. Raises BadInputError, naming `what`."""
    if len(data) > KEY_FILE_BYTES_MAX:
        raise BadInputError(f"{what}: has more than {KEY_FILE_BYTES_MAX} bytes; it is no key file")
    try:
        return _decode(json.loads(data))
    except (
        BadInputError,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        UnsupportedAlgorithm,
        InternalError,
    ) as error:
        reason = str(error) if isinstance(error, BadInputError) else "its content is malformed"
        raise BadInputError(f"{what}: is not a key file of Openstile: {reason}; restore it from a copy") from None


def _decode(content: Any) -> StoredKey:
    if not isinstance(content, dict) or content.get("openstile_key") != _FORMAT:
        raise BadInputError("its entries are not those of a key")
    if set(content) - _OPTIONAL_FIELDS != _FIELDS or {"private", "pkcs11"} <= set(content):
        raise BadInputError("its entries are not those of a key")
    if not all(isinstance(content[field], str) for field in content.keys() & (_TEXT_FIELDS | _OPTIONAL_TEXT_FIELDS)):
        raise BadInputError("an entry that must be text is not")
    generation, revoked = content["generation"], content["revoked"]
    if type(generation) is not int or not 1 <= generation <= _GENERATION_MAX or type(revoked) is not bool:
        raise BadInputError("its generation or state is malformed")
    public = _public(content, not_after=_instant(content["not_after"]))
    key = StoredKey(
        public,
        generation,
        created=_instant(content["created"]),
        active_from=_instant(content["active_from" if "active_from" in content else "created"]),
        private=_private(content),
        revoked=revoked,
        retired_at=_instant(content["retired_at"]) if "retired_at" in content else None,
    )
    if (key.role.value, key.algorithm, public.kid.hex()) != (content["role"], content["algorithm"], content["kid"]):
        raise BadInputError("its role, algorithm or id is not that of its public key")
    if isinstance(key.private, PrivateKey) and _raw(key.private.public_key()) != _raw_of(public):
        raise BadInputError("its private key does not belong to its public key")
    return key


def _public(content: dict[str, Any], *, not_after: datetime) -> PublicKey:
    loaded = serialization.load_pem_public_key(content["public"].encode())
    if not isinstance(loaded, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise BadInputError("its public key is neither Ed25519 nor P-256")
    role, name, raw = Role(content["role"]), content["name"], _raw(loaded)
    if role is Role.GATE_GROUP:
        return GateGroupPublicKey(Audience.parse(name), raw, not_after)
    if role is Role.GATE:
        return GateTransportPublicKey(*parse_gate_name(name), raw, not_after)
    algorithm = Algorithm.EDDSA if isinstance(loaded, ed25519.Ed25519PublicKey) else Algorithm.ES256
    signs = IssuerPublicKey if role is Role.ISSUER else OperatorPublicKey
    return signs(name, algorithm, raw, not_after)


def parse_gate_name(name: str) -> tuple[str, GateId]:
    """The operator and the gate of `operator/gate`. Raises BadInputError."""
    operator, separator, gate = name.partition("/")
    if not separator:
        raise BadInputError(f"gate {name[:80]!r}: write it as operator/gate, such as metro/north-1")
    return operator, GateId(gate)


def _private(content: dict[str, Any]) -> PrivateKey | HardwareKey | None:
    if "pkcs11" in content:
        return _hardware(content["pkcs11"])
    if "private" not in content:
        return None
    loaded = serialization.load_pem_private_key(content["private"].encode(), password=None)
    if not isinstance(loaded, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise BadInputError("its private key is neither Ed25519 nor P-256")
    return loaded


def _hardware(entries: Any) -> HardwareKey:
    if not isinstance(entries, dict) or set(entries) != _TOKEN_FIELDS:
        raise BadInputError("what it says of its token is malformed")
    if not all(isinstance(value, str) and value for value in entries.values()):
        raise BadInputError("what it says of its token is malformed")
    token = HardwareToken(Path(entries["module"]), entries["token"], Path(entries["pin_file"]))
    return HardwareKey(token, bytes.fromhex(entries["id"]))


def _token_entries(key: HardwareKey) -> dict[str, str]:
    token = key.token
    return {"module": str(token.module), "token": token.token, "id": key.id.hex(), "pin_file": str(token.pin_file)}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _raw(public: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes_raw() if isinstance(public, ed25519.Ed25519PublicKey) else point_of(public)


def _raw_of(public: PublicKey) -> bytes:
    return public.public if isinstance(public, IssuerPublicKey | OperatorPublicKey) else public.point


def _public_pem(public: PublicKey) -> str:
    loaded: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
    raw = _raw_of(public)
    if isinstance(public, IssuerPublicKey | OperatorPublicKey) and public.algorithm is Algorithm.EDDSA:
        loaded = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    else:
        loaded = p256_public(raw)
    pem = loaded.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")
