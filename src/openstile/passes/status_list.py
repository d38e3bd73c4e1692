"""Status lists: which passes of an issuer are withdrawn, one bit a pass, signed.

They are Token Status Lists in CWT form (draft-ietf-oauth-status-list, section 5.2). Our profile is narrower than the
draft, as that of a pass is narrower than RFC 8392 (docs/pass-format.md):

- a COSE_Sign1 with tag 18 in deterministic CBOR; protected header exactly {1: alg, 4: kid, 16: the type}, nothing
  unprotected; EdDSA or ES256 as the key says that `kid` names; the issuer is the one whose key signed, so no `iss`;
- the claims are exactly sub (the list's address), iat, exp, ttl and status_list, where the draft allows others too;
- status_list is {"bits": 1, "lst": bytes}, and may have an "aggregation_uri" (text), which is read over.

So the tokens printed in the draft, with an unprotected `kid` and maps that are not in deterministic order, are refused
here; what is written here is valid by the draft. A token of a pass can never be taken for a list, nor a list for a
pass: a list's protected header has a type, that of a pass has none, and the signature is over it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openstile.passes.cbor import Cbor, CborError, CborKey, decode, encode
from openstile.passes.claims import StatusReference, check_instant, check_name
from openstile.passes.cose import (
    HEADER_ALG,
    HEADER_KID,
    HEADER_TYP,
    CoseError,
    Header,
    Sign1,
    decode_sign1,
    encode_sign1,
)
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey, IssuerPublicKey
from openstile.passes.signing import SIGNATURE_BYTES, SignatureWrongError
from openstile.passes.status_bits import StatusListError, deflate_bits, inflate_bits, pack_bits
from openstile.terms import BadInputError, utc_from_epoch
from openstile.terms.limits import (
    CLOCK_SKEW_S_MAX,
    EPOCH_SECONDS_MAX,
    STATUS_BITS_BYTES_MAX,
    STATUS_TOKEN_BYTES_MAX,
    STATUS_TOKEN_ITEMS_MAX,
    STATUS_TTL_S_MAX,
    STATUS_URI_CHARS_MAX,
)

__all__ = ["STATUS_LIST_TYPE", "StatusList", "StatusListError", "pack_bits", "read_status_list", "sign_status_list"]

STATUS_LIST_TYPE = "application/statuslist+cwt"
SUB, EXP, IAT = 2, 4, 6
STATUS_LIST, TTL = 65533, 65534
"""Claims of CWT (RFC 8392) and of the draft."""
_BITS, _LST, _AGGREGATION = "bits", "lst", "aggregation_uri"


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list as its issuer made it. Whether it is fresh enough is for who asks it (openstile.passes.standing).

    `uri` is where it is published and what passes name; `issuer` the name of the key that signed. Times are whole
    seconds. `ttl_s`, 1 to STATUS_TTL_S_MAX, says after how many seconds to look for a newer one. `bits` are laid out
    as in openstile.passes.status_bits.
    """

    uri: str
    issuer: str
    issued_at: datetime
    expires: datetime
    ttl_s: int
    bits: bytes = field(repr=False)

    def __post_init__(self) -> None:
        StatusReference(self.uri, 0)  # the same rule as for the address in a pass
        check_name(self.issuer, what="issuer")
        check_instant(self.issued_at, what="status list, issued at")
        check_instant(self.expires, what="status list, expires")
        if self.issued_at >= self.expires:
            raise BadInputError(f"status list: ends {self.expires}, must be after it is made, {self.issued_at}")
        if not 1 <= self.ttl_s <= STATUS_TTL_S_MAX:
            raise BadInputError(f"status list: time to live {self.ttl_s} s, use 1 to {STATUS_TTL_S_MAX}")
        if not 1 <= len(self.bits) <= STATUS_BITS_BYTES_MAX:
            raise BadInputError(f"status list: has {len(self.bits)} bytes of bits, use 1 to {STATUS_BITS_BYTES_MAX}")

    @property
    def entries(self) -> int:
        """How many bits there are: the number of entries, rounded up to whole bytes."""
        return 8 * len(self.bits)

    def is_set(self, index: int) -> bool:
        """Whether the pass of this index is withdrawn. Raises StatusListError past the end."""
        if 0 <= index < 8 * len(self.bits):
            return self.bits[index >> 3] >> (index & 7) & 1 == 1
        raise StatusListError(f"status list: has no index {index}, only 0 to {self.entries - 1}")


def sign_status_list(
    *, issuer_key: IssuerKey, uri: str, bits: bytes, issued_at: datetime, expires: datetime, ttl_s: int
) -> bytes:
    """A signed list: the bytes to publish at `uri` as STATUS_LIST_TYPE.

    Raises BadInputError for values that no list may have, among them an end after that of the key.
    """
    key = issuer_key.public
    made = StatusList(uri, key.name, issued_at, expires, ttl_s, bits)
    _check_key_lasts(made, key)
    claims: dict[CborKey, Cbor] = {
        SUB: made.uri,
        IAT: int(made.issued_at.timestamp()),
        EXP: int(made.expires.timestamp()),
        TTL: made.ttl_s,
        STATUS_LIST: {_BITS: 1, _LST: deflate_bits(made.bits)},
    }
    return encode_sign1(
        protected={HEADER_ALG: key.algorithm.number, HEADER_KID: key.kid, HEADER_TYP: STATUS_LIST_TYPE},
        unprotected={},
        payload=encode(claims),
        sign=issuer_key.signer.sign,
    )


def read_status_list(data: bytes, *, issuers: Iterable[TrustedIssuer], now: datetime | None = None) -> StatusList:
    """The list in `data`, after its issuer's signature was verified. `now` refuses one from the future.

    Left to the caller: that the list is the one it asked for (`uri`), not older than the one it has, and fresh enough.
    Raises StatusListError.
    """
    try:
        # 1. The form, to the last byte: strict CBOR, the three headers, lengths.
        message = _read_message(data)
        # 2. The key it names is trusted, not revoked, and decides the algorithm.
        key = _find_key(message, issuers)
        # 3. The signature is that key's. Nothing of the content was looked at so far.
        key.verify(message=message.to_be_signed(), signature=message.signature)
        # 4. Exactly the claims of a list, the bits inflated up to the limit.
        made = _read_claims(message.payload, issuer=key.name)
        # 5. It lasts no longer than its key, and is not from the future.
        _check_key_lasts(made, key)
    except (CborError, CoseError, SignatureWrongError, BadInputError) as error:
        raise StatusListError(f"status list refused: {error}") from None
    if now is not None and made.issued_at > now + timedelta(seconds=CLOCK_SKEW_S_MAX):
        raise StatusListError(f"status list refused: made {made.issued_at}, which is still to come; check the clock")
    return made


def _read_message(data: bytes) -> Sign1:
    message = decode_sign1(data, what="token", bytes_max=STATUS_TOKEN_BYTES_MAX)
    if message.unprotected or set(message.protected) != {HEADER_ALG, HEADER_KID, HEADER_TYP}:
        raise StatusListError("status list refused: its headers are not {alg, kid, typ}, all protected")
    if message.protected[HEADER_TYP] != STATUS_LIST_TYPE:
        raise StatusListError(f"status list refused: its type is not {STATUS_LIST_TYPE}")
    if len(message.signature) != SIGNATURE_BYTES:
        raise StatusListError(f"status list refused: its signature does not have {SIGNATURE_BYTES} bytes")
    return message


def _find_key(message: Sign1, issuers: Iterable[TrustedIssuer]) -> IssuerPublicKey:
    kid = message.protected[HEADER_KID]
    named = [issuer for issuer in issuers if issuer.key.kid == kid]
    if not named:
        raise StatusListError("status list refused: signed with a key that is not known here; import the issuer's key")
    if any(issuer.revoked for issuer in named):
        raise StatusListError(f"status list refused: signed with key {named[0].key.kid.hex()}, which is revoked")
    if message.protected[HEADER_ALG] != named[0].key.algorithm.number:
        raise StatusListError("status list refused: its algorithm is not that of the key it names")
    return named[0].key


def _read_claims(payload: bytes, *, issuer: str) -> StatusList:
    claims = decode(payload, what="claims", bytes_max=STATUS_TOKEN_BYTES_MAX, items_max=STATUS_TOKEN_ITEMS_MAX)
    if not isinstance(claims, dict) or set(claims) != {SUB, IAT, EXP, TTL, STATUS_LIST}:
        raise StatusListError("status list refused: its claims are not exactly sub, iat, exp, ttl and status_list")
    match [claims[SUB], claims[IAT], claims[EXP], claims[TTL], claims[STATUS_LIST]]:
        case [str() as uri, int() as issued, int() as expires, int() as ttl_s, dict() as content]:
            compressed = _read_content(content)
        case _:
            raise StatusListError("status list refused: a claim is of another type than it must be")
    if not all(0 <= seconds <= EPOCH_SECONDS_MAX for seconds in (issued, expires)):
        raise StatusListError("status list refused: a time is not between 1970 and 2242")
    return StatusList(
        uri=uri,
        issuer=issuer,
        issued_at=utc_from_epoch(issued),
        expires=utc_from_epoch(expires),
        ttl_s=ttl_s,
        bits=inflate_bits(compressed),
    )


def _read_content(content: Header) -> bytes:
    """The compressed bits of claim status_list."""
    match {_AGGREGATION: "", **content}:
        case {"bits": 1, "lst": bytes() as compressed, "aggregation_uri": str() as address, **others} if not others:
            if len(address) > STATUS_URI_CHARS_MAX:
                raise StatusListError(
                    f"status list refused: an address has more than {STATUS_URI_CHARS_MAX} characters"
                )
            return compressed
        case _:
            raise StatusListError('status list refused: is not {"bits": 1, "lst": bytes}')


def _check_key_lasts(made: StatusList, key: IssuerPublicKey) -> None:
    if made.expires > key.not_after:
        raise BadInputError(
            f"status list: ends {made.expires}, the key of issuer {key.name} ends {key.not_after}; "
            "let it end earlier or rotate the key"
        )
