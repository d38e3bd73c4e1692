"""A passkey authenticator in software: what a phone does in a WebAuthn ceremony (level 2, section 6), with P-256.

Not the office's code, and made of other parts than the library that verifies it: cryptography for keys and signatures,
cbor2 for CBOR.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_UP, _UV, _AT = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey, once it was made. Tests set the fields to what an attacker or a broken device would do."""

    origin: str = "https://office.example"
    rp_id: str | None = None
    flags: int = _UP | _UV
    counter: int = 0
    fmt: str = "none"
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to navigator.credentials.create() with these options."""
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options.get("attestation", "none") == "none"
        assert -7 in [one["alg"] for one in options["pubKeyCredParams"]]
        self.user_handle = unb64(options["user"]["id"])
        client_data = self._client_data("webauthn.create", options["challenge"])
        numbers = self.key.public_key().public_numbers()
        public_key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public_key
        data = self._data(options["rp"]["id"], self.flags | _AT) + attested
        statement = {}
        if self.fmt == "packed":
            statement = {"alg": -7, "sig": self._sign(data + hashlib.sha256(client_data).digest())}
        attestation = cbor2.dumps({"fmt": self.fmt, "attStmt": statement, "authData": data})
        return self._credential(
            {"clientDataJSON": b64(client_data), "attestationObject": b64(attestation), "transports": ["internal"]}
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to navigator.credentials.get() with these options."""
        assert options["userVerification"] == "required"
        assert not options.get("allowCredentials")
        self.counter += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._data(options["rpId"], self.flags)
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(self._sign(data + hashlib.sha256(client_data).digest())),
        }
        if self.user_handle is not None:
            response["userHandle"] = b64(self.user_handle)
        return self._credential(response)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        return (
            hashlib.sha256((self.rp_id or rp_id).encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
        )

    def _sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(SHA256()))

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": response,
        }
