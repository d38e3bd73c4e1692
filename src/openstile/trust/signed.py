"""A bundle as its operator signs it and a gate verifies it: COSE_Sign1 with a type of its own."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from openstile.passes.cbor import CborError
from openstile.passes.claims import Audience
from openstile.passes.cose import (
    HEADER_ALG,
    HEADER_KID,
    HEADER_TYP,
    CoseError,
    Sign1,
    decode_sign1,
    encode_sign1,
)
from openstile.passes.keys import OperatorKey, OperatorPublicKey
from openstile.passes.signing import SIGNATURE_BYTES, SignatureWrongError
from openstile.terms import BadInputError
from openstile.terms.limits import BUNDLE_BYTES_MAX, CLOCK_SKEW_S_MAX
from openstile.trust.bundle import Bundle, BundleError
from openstile.trust.bundle_codec import decode_bundle, encode_bundle

BUNDLE_TYPE = "application/openstile-bundle+cbor"


def sign_bundle(*, operator_key: OperatorKey, bundle: Bundle) -> bytes:
    """The signed bundle: the bytes of its file.

    Raises BadInputError for a key of another operator, or one that ends before the bundle does, and for a bundle that
    is too long.
    """
    key = operator_key.public
    if key.name != bundle.audience.operator:
        raise BadInputError(f"operator key {key.kid.hex()}: is of {key.name}, the bundle is for {bundle.audience}")
    if key.not_after < bundle.expires:
        raise BadInputError(f"operator key {key.kid.hex()}: ends before the bundle; rotate it, or use fewer days")
    signed = encode_sign1(
        protected={HEADER_ALG: key.algorithm.number, HEADER_KID: key.kid, HEADER_TYP: BUNDLE_TYPE},
        unprotected={},
        payload=encode_bundle(bundle),
        sign=operator_key.signer.sign,
    )
    if len(signed) > BUNDLE_BYTES_MAX:
        raise BadInputError(f"bundle: has {len(signed)} bytes, at most {BUNDLE_BYTES_MAX}; take fewer status lists")
    return signed


def read_bundle(data: bytes, *, operators: Iterable[OperatorPublicKey], audience: Audience, now: datetime) -> Bundle:
    """The bundle in `data`, verified. `operators` are the keys that may sign it.

    Left to the caller: that it is newer than the one in use (openstile.trust.folder). Raises BundleError.
    """
    # 1. The form, to the last byte: strict CBOR, exactly the three headers, lengths.
    message = _read_message(data)
    # 2. The key it names may sign bundles for these gates, and decides the algorithm.
    key = _find_key(message, operators)
    # 3. The signature is that key's. Nothing of the content was looked at so far.
    _check_signature(message, key)
    # 4. Exactly the entries of version 1, each valid.
    bundle = decode_bundle(message.payload)
    # 5. The operator that signed speaks for these gates, and its key lasts as long as the bundle.
    if bundle.audience != audience or key.name != audience.operator:
        raise BundleError(f"trust bundle: is for the gates of {bundle.audience}, these are of {audience}")
    if bundle.expires > key.not_after:
        raise BundleError(f"trust bundle: lasts longer than the key {key.kid.hex()} that signed it")
    # 6. Its time.
    if bundle.made > now + timedelta(seconds=CLOCK_SKEW_S_MAX):
        raise BundleError(f"trust bundle: made {bundle.made}, which is still to come; check this gate's clock")
    if now >= bundle.expires:
        raise BundleError(f"trust bundle: expired {bundle.expires}; ask for a new one")
    return bundle


def reread_bundle(data: bytes) -> Bundle:
    """The bundle in bytes that were accepted before, as their hash shows: nothing is verified again.

    Its time may be over and its signer's too: what is in use stays in use until something newer comes.
    Raises BundleError.
    """
    return decode_bundle(_read_message(data).payload)


def _read_message(data: bytes) -> Sign1:
    try:
        message = decode_sign1(data, what="trust bundle", bytes_max=BUNDLE_BYTES_MAX)
    except (CborError, CoseError) as error:
        raise BundleError(str(error)) from None
    if message.unprotected or set(message.protected) != {HEADER_ALG, HEADER_KID, HEADER_TYP}:
        raise BundleError("trust bundle: its headers are not {alg, kid, typ}, all protected; it is something else")
    if message.protected[HEADER_TYP] != BUNDLE_TYPE:
        raise BundleError(f"trust bundle: its type is not {BUNDLE_TYPE}; it is something else")
    if len(message.signature) != SIGNATURE_BYTES:
        raise BundleError(f"trust bundle: its signature does not have {SIGNATURE_BYTES} bytes")
    return message


def _find_key(message: Sign1, operators: Iterable[OperatorPublicKey]) -> OperatorPublicKey:
    kid = message.protected[HEADER_KID]
    key = next((key for key in operators if key.kid == kid), None)
    if key is None or not isinstance(key, OperatorPublicKey):
        raise BundleError("trust bundle: its signer may not tell these gates anything; import the operator's key")
    if message.protected[HEADER_ALG] != key.algorithm.number:
        raise BundleError("trust bundle: its algorithm is not that of the key it names")
    return key


def _check_signature(message: Sign1, key: OperatorPublicKey) -> None:
    try:
        key.verify(message=message.to_be_signed(), signature=message.signature)
    except SignatureWrongError:
        raise BundleError("trust bundle: its signature is wrong; it was changed or forged") from None
