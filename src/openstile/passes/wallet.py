"""What lies on the rider's phone, as files: the holder's key, and a pass that can be shown live. Strict JSON.

A wallet pass holds the rider's own reference in the clear. Both files are for their owner alone; the public half of a
holder's key may be given away: the desk puts it into the pass.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.claims import Audience
from openstile.passes.holder import HolderKey, HolderPublicKey, holder_key_of
from openstile.passes.hpke import HpkeError, SoftwareKeyAgreement, point_of
from openstile.passes.keys import GateGroupPublicKey
from openstile.passes.live import WalletPass
from openstile.passes.signing import SoftwareSigner
from openstile.terms import BadInputError, utc_from_epoch
from openstile.terms.limits import EPOCH_SECONDS_MAX, WALLET_FILE_BYTES_MAX

_FORMAT = 1
_WALLET_FIELDS = {"openstile_wallet", "token", "salt", "data", "audience", "point", "not_after"}


def encode_holder(holder: HolderKey) -> bytes:
    """The file of a holder's key with its private half, which must be in memory."""
    assert isinstance(holder.signer, SoftwareSigner), "a key in hardware has no file"
    pem = holder.signer.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _json({"openstile_holder": _FORMAT, "public": holder.public.point.hex(), "private": pem.decode("ascii")})


def encode_holder_public(holder: HolderPublicKey) -> bytes:
    """The file that goes to the desk."""
    return _json({"openstile_holder": _FORMAT, "public": holder.point.hex()})


def decode_holder_public(data: bytes, *, what: str) -> HolderPublicKey:
    """The public half, from either file. Raises BadInputError, naming `what`."""
    content = _object(data, what, marker="openstile_holder", kind="a holder key")
    try:
        if set(content) - {"private"} != {"openstile_holder", "public"}:
            raise ValueError
        return HolderPublicKey(bytes.fromhex(content["public"]))
    except (ValueError, TypeError, BadInputError):
        raise _malformed(what, "a holder key") from None


def decode_holder(data: bytes, *, what: str) -> HolderKey:
    """The key with its private half. Raises BadInputError, naming `what`."""
    public = decode_holder_public(data, what=what)
    content = json.loads(data)
    if "private" not in content:
        raise BadInputError(f"{what}: holds only the public half; give the file that stays on the phone")
    try:
        private = serialization.load_pem_private_key(str(content["private"]).encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("another kind of key")
        SoftwareKeyAgreement(private)  # refuses other curves
        if point_of(private.public_key()) != public.point:
            raise ValueError("halves of two keys")
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError, HpkeError):
        raise _malformed(what, "a holder key") from None
    return holder_key_of(private)


def encode_wallet(wallet: WalletPass) -> bytes:
    """The file of a pass on a phone. Holds the rider's reference: for the rider alone."""
    group = wallet.gate_group
    return _json(
        {
            "openstile_wallet": _FORMAT,
            "token": _text(wallet.token),
            "salt": _text(wallet.salt),
            "data": _text(wallet.data),
            "audience": str(group.audience),
            "point": group.point.hex(),
            "not_after": int(group.not_after.timestamp()),
        }
    )


def decode_wallet(data: bytes, *, what: str) -> WalletPass:
    """The pass in a file of a phone. Nothing of it is verified: a gate does that. Raises BadInputError."""
    content = _object(data, what, marker="openstile_wallet", kind="a pass of a phone")
    try:
        not_after = content["not_after"]
        if set(content) != _WALLET_FIELDS or type(not_after) is not int or not 0 <= not_after <= EPOCH_SECONDS_MAX:
            raise ValueError
        group = GateGroupPublicKey(
            Audience.parse(content["audience"]), bytes.fromhex(content["point"]), utc_from_epoch(not_after)
        )
        return WalletPass(_bytes(content["token"]), _bytes(content["salt"]), _bytes(content["data"]), group)
    except (KeyError, ValueError, TypeError, AttributeError, BadInputError):
        raise _malformed(what, "a pass of a phone") from None


def _object(data: bytes, what: str, *, marker: str, kind: str) -> dict[str, Any]:
    if len(data) > WALLET_FILE_BYTES_MAX:
        raise BadInputError(f"{what}: has more than {WALLET_FILE_BYTES_MAX} bytes; it is not {kind}")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise _malformed(what, kind) from None
    if not isinstance(content, dict) or content.get(marker) != _FORMAT:
        raise _malformed(what, kind)
    return content


def _malformed(what: str, kind: str) -> BadInputError:
    return BadInputError(f"{what}: is not {kind}; make it anew, or restore it from a copy")


def _json(content: dict[str, object]) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    data = urlsafe_b64decode(text)
    if _text(data) != text:
        raise ValueError("not the one Base64 of its bytes")
    return data
