"""Key files that fuzzing found (docs/fuzzing.md): each once ended in another way than by a refusal."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.passes.pass_workshop import ISSUER, NOW, steady

from openstile.passes.holder import generate_holder_key
from openstile.passes.keyfile import StoredKey, decode_key, encode_key
from openstile.passes.wallet import decode_holder, encode_holder_public
from openstile.terms import BadInputError

PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(steady("issuer")(32))
FILE = encode_key(
    StoredKey(ISSUER.public, generation=1, created=NOW, active_from=NOW, private=PRIVATE), with_private=True
)


@pytest.mark.parametrize("curve", [0x6E, 0x6F, 0x71], ids=["X25519", "X448", "Ed448"])
def test_private_key_of_another_curve_with_the_length_of_ed25519_is_refused(curve: int) -> None:
    """1.3.101.112 with its last number changed: OpenSSL has an error of its own for 32 bytes of X448."""
    der = PRIVATE.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    changed = base64.b64encode(der.replace(b"\x2b\x65\x70", bytes([0x2B, 0x65, curve]))).decode()
    content = json.loads(FILE) | {"private": f"-----BEGIN PRIVATE KEY-----\n{changed}\n-----END PRIVATE KEY-----\n"}
    with pytest.raises(BadInputError, match="is not a key file"):
        decode_key(json.dumps(content).encode(), what="key")


def test_holder_file_with_a_private_key_of_another_curve_is_refused() -> None:
    der = PRIVATE.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    changed = base64.b64encode(der.replace(b"\x2b\x65\x70", b"\x2b\x65\x6f")).decode()
    pem = f"-----BEGIN PRIVATE KEY-----\n{changed}\n-----END PRIVATE KEY-----\n"
    content = json.loads(encode_holder_public(generate_holder_key().public)) | {"private": pem}
    with pytest.raises(BadInputError, match="is not a holder key"):
        decode_holder(json.dumps(content).encode(), what="holder")


def test_the_key_file_unchanged_is_read() -> None:
    assert decode_key(FILE, what="key").public == ISSUER.public
