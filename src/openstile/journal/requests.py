"""A gate's requests to the office, signed by HTTP Message Signatures (RFC 9421), in one strict profile.

One signature called `gate`, made with Ed25519, over the components and with the parameters below, in this order
(docs/journal-format.md). What differs in any way is refused: a verifier that takes less is one that takes something
else. The body is covered by its digest (RFC 9530).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.digests import ContentDigest
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from openstile.journal.errors import JournalError
from openstile.journal.keys import GateKey, is_signed
from openstile.terms import GateId, utc_from_epoch
from openstile.terms.limits import REQUEST_AGE_S_MAX, REQUEST_AHEAD_S_MAX, SIGNATURE_HEADERS_CHARS_MAX

TAG = "openstile-gate"
LABEL = "gate"
NONCE_BYTES = 16

_COMPONENTS = ("@method", "@authority", "@path", "@query")
_DIGEST = "content-digest"
_KID_DIGITS = 32
_INPUT = re.compile(
    rf'{LABEL}=\("@method" "@authority" "@path" "@query"(?P<digest> "content-digest")?\)'
    r';created=(?P<created>[1-9][0-9]{0,10});keyid="(?P<kid>[0-9a-f]{32})";alg="ed25519"'
    rf';expires=(?P<expires>[1-9][0-9]{{0,10}});nonce="(?P<nonce>[0-9a-f]{{32}})";tag="{TAG}"'
)
_SIGNATURE = re.compile(rf"{LABEL}=:[A-Za-z0-9+/]{{86}}==:")
_ADDRESS = re.compile(r"[!\"$-~]+")
"""Visible ASCII but for #: parsers of addresses end them there, and drop what is not visible."""
_PROOF_TAG = b"openstile uplink key v1\0"


class RequestSignatureError(JournalError):
    """A request that is not signed as a gate's must be; the message gives the one reason."""


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """Who signed a request. Not yet checked: whether `nonce` was used before (remember it until `expires`, aware UTC),
    and whether this key may do what is asked.
    """

    kid: str
    nonce: str
    expires: datetime


def key_id(public_key: bytes) -> str:
    """The name of an uplink key: the first 32 hexadecimal digits of the SHA-256 of its 32 bytes."""
    return sha256(public_key).hexdigest()[:_KID_DIGITS]


def sign_request(
    *, key: GateKey, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime, nonce: str
) -> dict[str, str]:
    """`headers` and those that sign the request with `key`, from `now` (aware UTC) for REQUEST_AGE_S_MAX seconds.

    `nonce` is 32 hexadecimal digits, never used before; `url` is absolute and as it is sent. Raises
    RequestSignatureError for an address that cannot be signed.
    """
    covered = _components(method=method, body=body)
    message = _Message(method, url, dict(headers))
    try:
        signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
        prepared = signer.prepare(
            message,
            key_id=key_id(key.public_key),
            created=now,
            expires=now + timedelta(seconds=REQUEST_AGE_S_MAX),
            nonce=nonce,
            label=LABEL,
            tag=TAG,
            covered_component_ids=covered,
            body=body if _DIGEST in covered else None,
        )
        signer.apply(message, prepared, key.sign(prepared.signature_base))
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise RequestSignatureError(f"request: cannot be signed ({error}); look at the office's address") from None
    return message.headers


def verify_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    public_key_of: Callable[[str], bytes | None],
    now: datetime,
) -> VerifiedRequest:
    """Who signed a request, or RequestSignatureError with one reason.

    `url` is absolute, with the authority that the office knows itself by; `headers.items()` must show each field line;
    `public_key_of` gives the 32 bytes of the key of a name, None for one that may not sign (any more). `now` is an
    aware UTC instant. What is left to the caller: `VerifiedRequest`.
    """
    # 0. The address is one: what stands behind a # would be covered by no component.
    if not _ADDRESS.fullmatch(url):
        _refuse("its address has characters that no address has")
    # 1. One signature, of the one form: components, parameters, algorithm, in their order.
    fields = _fields_of(headers)
    match = _INPUT.fullmatch(fields["signature-input"])
    if match is None:
        _refuse("its signature is not of the one form that gates make")
    if not _SIGNATURE.fullmatch(fields["signature"]):
        _refuse("its signature is no Ed25519 signature of the same label")
    # 2. The body is the one whose digest is covered; where there is one to come, a digest is.
    _check_digest(method=method, body=body, covered=match["digest"] is not None, digest=fields.get(_DIGEST))
    # 3. It was made just now, and ends soon.
    created, expires = int(match["created"]), int(match["expires"])
    _check_times(created, expires, now)
    # 4. A key of ours signed it all.
    kid = match["kid"]
    public_key = public_key_of(kid)
    if public_key is None:
        _refuse("its key is not known, or not valid any more")
    _check_signature(_Message(method, url, fields), public_key)
    return VerifiedRequest(kid, match["nonce"], utc_from_epoch(expires))


def sign_key_proof(*, new_key: GateKey, gate: GateId, old_kid: str) -> bytes:
    """The new uplink key's signature (64 bytes) that shows its owner wants it to follow `old_kid` at `gate`."""
    return new_key.sign(_proof_message(gate, old_kid))


def verify_key_proof(*, public_key: bytes, proof: bytes, gate: GateId, old_kid: str) -> str:
    """The new key's name, if `proof` is its signature. Raises RequestSignatureError."""
    if not is_signed(public_key=public_key, signature=proof, message=_proof_message(gate, old_kid)):
        _refuse("the new key did not sign that it follows the old one")
    return key_id(public_key)


@dataclass(slots=True)
class _Message:
    """What the library looks at."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _OneKey(HTTPSignatureKeyResolver):
    """The key that was found by its name before."""

    def __init__(self, public_key: bytes) -> None:
        self._public_key = Ed25519PublicKey.from_public_bytes(public_key)

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return self._public_key


class _Verifier(HTTPMessageVerifier):
    """Leaves times to `_check_times`: the library would ask a clock of its own."""

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        """Nothing."""


def _components(*, method: str, body: bytes) -> tuple[str, ...]:
    return (*_COMPONENTS, _DIGEST) if body or method == "POST" else _COMPONENTS


def _fields_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The three fields of a signed request, by lower-case name. Raises for one that is missing, or there twice."""
    fields: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower in ("signature-input", "signature", _DIGEST):
            if lower in fields:
                _refuse("it has two signatures or digests")
            fields[lower] = value
    if "signature-input" not in fields or "signature" not in fields:
        _refuse("it has no signature")
    if sum(map(len, fields.values())) > SIGNATURE_HEADERS_CHARS_MAX:
        _refuse("its signature is too long")
    return fields


def _check_digest(*, method: str, body: bytes, covered: bool, digest: str | None) -> None:
    wanted = _DIGEST in _components(method=method, body=body)
    if covered is not wanted or (digest is not None) is not wanted:
        _refuse("its body is not covered by the signature, or a digest is there without one")
    if wanted and digest != ContentDigest.create(body):
        _refuse("its body is not the one that was signed")


def _check_times(created: int, expires: int, now: datetime) -> None:
    now_s = now.timestamp()
    if created > now_s + REQUEST_AHEAD_S_MAX:
        _refuse("it was signed in the future; look at the gate's clock")
    if expires <= now_s:
        _refuse("it has expired; look at the gate's clock")
    if not 0 < expires - created <= REQUEST_AGE_S_MAX:
        _refuse(f"it would be valid for more than {REQUEST_AGE_S_MAX} s")


def _check_signature(message: _Message, public_key: bytes) -> None:
    try:
        verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(public_key))
        results = verifier.verify(message, max_age=None, expect_tag=TAG, expect_label=LABEL)
    except (HTTPMessageSignaturesException, ValueError):
        results = []
    if len(results) != 1:
        _refuse("the key it names did not sign it")


def _proof_message(gate: GateId, old_kid: str) -> bytes:
    name = gate.value.encode()
    return _PROOF_TAG + len(name).to_bytes(2, "big") + name + bytes.fromhex(old_kid)


def _refuse(reason: str) -> NoReturn:
    raise RequestSignatureError(f"request: {reason}")
