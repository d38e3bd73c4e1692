"""Targets of the pass: from the text of a QR code down to the claims, each level reached through valid outer ones."""

from datetime import datetime
from functools import cache
from pathlib import Path

import base45
import cbor2

from fuzz import seeds_passes as seeds
from fuzz.target import Target, demand
from fuzz.workshop import AUDIENCE, FACE, NOW, RING, SALT, sealed, text_of, token_of
from openstile.passes import cbor, claims_codec, cose, inspection, live, text
from openstile.passes import open as opening
from openstile.passes.claims import Claims
from openstile.passes.faults import PassRefusedError
from openstile.terms.limits import CBOR_ITEMS_MAX, PASS_BYTES_MAX, PASS_TEXT_CHARS_MAX

_CBOR_ODDITIES = """
    00 1801 1818 1900ff 190100 1a0000ffff 1b0000000100000000 3bffffffffffffffff c24101 f4 f5 f6 f90000 f97e00
    fb0000000000000000 40 4101 60 6161 62c328 80 8101 9fff a0 a10102 a2010203 04 a201020102 bf01ff 5f4101ff
    d28443a1012640 8181818181818181 818181818181818181 9a00010000 bb7fffffffffffffff d9d9f700 c0 a1f401 a140 0000
"""
"""Encodings at the edge of the profile, in hexadecimal."""


def _check_cbor(data: bytes, value: object) -> None:
    demand(isinstance(value, int | bytes | str | list | dict), "not a value of the profile")
    demand(cbor.encode(value) == data, "a decoded value has another encoding than the one that was read")  # type: ignore[arg-type]


def _parse_cbor(data: bytes, folder: Path) -> object:
    try:
        return cbor.decode(data, what="input")
    except cbor.CborError:
        demand(not _is_deterministic(data), "a deterministic encoding of the profile was refused")
        raise


def _is_deterministic(data: bytes) -> bool:
    """Whether cbor2 reads a value of the profile that our encoder writes as exactly these bytes."""
    if len(data) > CBOR_ITEMS_MAX:  # so that no limit on items or bytes can be the reason
        return False
    try:
        return cbor.encode(cbor2.loads(data)) == data
    except (cbor.CborError, cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError):
        return False


def _check_sign1(data: bytes, value: object) -> None:
    demand(isinstance(value, cose.Sign1), "not a Sign1")
    assert isinstance(value, cose.Sign1)
    again: list[cbor.Cbor] = [value.protected_bytes, value.unprotected, value.payload, value.signature]
    _same_message(data, again, value, tag=cose.SIGN1_TAG)


def _check_encrypt0(data: bytes, value: object) -> None:
    demand(isinstance(value, cose.Encrypt0), "not an Encrypt0")
    assert isinstance(value, cose.Encrypt0)
    _same_message(data, [value.protected_bytes, value.unprotected, value.ciphertext], value, tag=cose.ENCRYPT0_TAG)


def _same_message(data: bytes, again: list[cbor.Cbor], message: cose.Sign1 | cose.Encrypt0, *, tag: int) -> None:
    header = cbor.encode(message.protected) if message.protected else b""
    demand(header == message.protected_bytes, "the protected header is not what is authenticated")
    empty_map = not message.protected_bytes and cbor.encode([b"\xa0", *again[1:]], tag=tag) == data
    demand(empty_map or cbor.encode(again, tag=tag) == data, "a decoded message has another encoding")


def _check_claims(data: bytes, value: object) -> None:
    demand(isinstance(value, Claims), "not Claims")
    assert isinstance(value, Claims)
    demand(claims_codec.encode_claims(value) == data, "decoded claims have another encoding")


def _parse_text(data: bytes, folder: Path) -> object:
    try:
        return text.from_text(data)
    except PassRefusedError:
        demand(not _is_pass_text(data), "Base45 that another decoder reads was refused")
        raise


def _is_pass_text(data: bytes) -> bool:
    if len(data) > PASS_TEXT_CHARS_MAX or not data.startswith(b"OS1:") or len(data) == 4:
        return False
    try:
        return len(base45.b45decode(data[4:])) > 0
    except ValueError:
        return False


def _check_text(data: bytes, value: object) -> None:
    demand(isinstance(value, bytes), "not bytes")
    assert isinstance(value, bytes)
    demand(base45.b45decode(data.removesuffix(b"\n")[4:]) == value, "another Base45 decoder reads other bytes")
    demand(text.to_text(value).encode() == data.removesuffix(b"\n"), "decoded bytes have another text")


def _parse_round_trip(data: bytes, folder: Path) -> object:
    return text.from_text(text.to_text(data)) if 0 < len(data) <= PASS_BYTES_MAX else data


def _check_round_trip(data: bytes, value: object) -> None:
    demand(value == data, "bytes written as text are read as others")


@cache
def _issued() -> dict[bytes, bytes]:
    return {claims_codec.encode_claims(claims): data for claims, data in seeds.claims_issued()}


def _open(presented: str | bytes, *, now: datetime = NOW) -> object:
    return opening.open_pass(presented=presented, keyring=RING, audience=AUDIENCE, now=now, clock_skew_s=0)


def _check_issued(data: bytes, value: object) -> None:
    """Admitted: then our issuer signed these very claims, and for this very reference."""
    demand(isinstance(value, opening.OpenedPass), "not an OpenedPass")
    assert isinstance(value, opening.OpenedPass)
    committed = _issued().get(claims_codec.encode_claims(value.claims))
    demand(committed is not None, "a pass was opened that no issuer signed")
    demand(committed == value.reference.data, "a pass was opened with a reference that its issuer did not sign")


def _check_sealed(data: bytes, value: object) -> None:
    """As above; and live only if the holder signed this moment for it."""
    _check_issued(data, value)
    assert isinstance(value, opening.OpenedPass)
    content = cbor2.loads(data)
    demand(value.live == (len(content) == 4), "a pass counts as live without a proof, or not with one")
    if value.live:
        proof = live.read_proof(content[3])
        demand(value.claims.holder is not None and proof.made_at == NOW, "a proof that no holder signed was believed")


def _check_proof(data: bytes, value: object) -> None:
    demand(isinstance(value, live.LiveProof), "not a LiveProof")
    assert isinstance(value, live.LiveProof)
    _check_sign1(data, value.message)
    demand(cbor.encode({6: int(value.made_at.timestamp())}) == value.message.payload, "a proof of another time")


def _check_signed(data: bytes, value: object) -> None:
    """Admitted, and signed because the fuzzer may sign anything here: then it is these claims, for us and now."""
    demand(isinstance(value, opening.OpenedPass), "not an OpenedPass")
    assert isinstance(value, opening.OpenedPass)
    claims = value.claims
    demand(claims_codec.encode_claims(claims) == data, "opened claims are not those that were signed")
    demand(claims.audience == AUDIENCE and claims.issuer == "metro", "a pass for others was opened")
    demand(claims.usable_from <= NOW < claims.usable_until, "a pass was opened outside its time")
    demand(value.reference.data == FACE, "a pass was opened with another reference")


def _check_inspection(data: bytes, value: object) -> None:
    demand(isinstance(value, inspection.Inspection), "not an Inspection")
    assert isinstance(value, inspection.Inspection)
    if value.claims is not None:
        demand(claims_codec.encode_claims(value.claims) in _issued(), "claims shown as verified were never signed")


def _parse_inspection(data: bytes, folder: Path) -> object:
    """The text as it stands; bytes of another first letter are sealed content, so that its inside is inspected too."""
    return inspection.inspect_pass(data if data[:1] == b"O" else text_of(sealed(data)), RING, NOW)


def _texts() -> tuple[bytes, ...]:
    good = [text_of(data).encode() for data in seeds.binary_passes()]
    odd = (
        b"",
        b"OS1:",
        b"OS1:A",
        b"OS1:GGW",
        b"OS1::::",
        b"OS2:AAA",
        b"os1:AA",
        b"OS1:AA\n",
        b"OS1:AA\n\n",
        b"OS1:\xc4",
    )
    return (*good, good[0] + b"\n", *odd)


TARGETS = (
    Target(
        name="cbor",
        parser="openstile.passes.cbor.decode",
        promise="a value encodes to the bytes that were read; what cbor2 and our encoder agree on is not refused",
        parse=_parse_cbor,
        check=_check_cbor,
        seeds=lambda: (
            *map(bytes.fromhex, _CBOR_ODDITIES.split()),
            *seeds.payloads(),
            *seeds.tokens()[:2],
            seeds.contents()[0],
        ),
        refusals=(cbor.CborError,),
    ),
    Target(
        name="cose-sign1",
        parser="openstile.passes.cose.decode_sign1",
        promise="a message encodes to the bytes that were read, its protected header to those that are authenticated",
        parse=lambda data, folder: cose.decode_sign1(data, what="input"),
        check=_check_sign1,
        seeds=lambda: seeds.tokens(),
        refusals=(cbor.CborError, cose.CoseError),
    ),
    Target(
        name="cose-encrypt0",
        parser="openstile.passes.cose.decode_encrypt0",
        promise="as for COSE_Sign1",
        parse=lambda data, folder: cose.decode_encrypt0(data, what="input"),
        check=_check_encrypt0,
        seeds=lambda: seeds.binary_passes(),
        refusals=(cbor.CborError, cose.CoseError),
    ),
    Target(
        name="claims",
        parser="openstile.passes.claims_codec.decode_claims",
        promise="claims encode to the bytes that were read",
        parse=lambda data, folder: claims_codec.decode_claims(data),
        check=_check_claims,
        seeds=lambda: seeds.payloads(),
        refusals=(cbor.CborError, claims_codec.ClaimsError),
    ),
    Target(
        name="pass-text",
        parser="openstile.passes.text.from_text",
        promise="the package base45 reads the same bytes or refuses too; bytes have one text",
        parse=_parse_text,
        check=_check_text,
        seeds=_texts,
        refusals=(PassRefusedError,),
        bytes_max=PASS_TEXT_CHARS_MAX + 8,
    ),
    Target(
        name="base45",
        parser="openstile.passes.text.from_text",
        promise="any bytes written as text are read again",
        parse=_parse_round_trip,
        check=_check_round_trip,
        seeds=lambda: (b"\0", b"AB", b"\xff\xff", b"\xff\xff\xff", *seeds.tokens()[:1]),
        refusals=(),
    ),
    Target(
        name="pass",
        parser="openstile.passes.open.open_pass",
        promise="a text opens only as a pass that the fixed issuer signed, with the reference that it signed",
        parse=lambda data, folder: _open(data),
        check=_check_issued,
        seeds=_texts,
        refusals=(PassRefusedError,),
        bytes_max=PASS_TEXT_CHARS_MAX + 8,
    ),
    Target(
        name="pass-binary",
        parser="openstile.passes.open.open_pass",
        promise="the same, for bytes that are put into text first",
        parse=lambda data, folder: _open(text_of(data)),
        check=_check_issued,
        seeds=lambda: seeds.binary_passes(),
        refusals=(PassRefusedError,),
    ),
    Target(
        name="pass-sealed",
        parser="openstile.passes.open.open_pass",
        promise="the same, for bytes that are put under a valid seal first; live only with the holder's proof",
        parse=lambda data, folder: _open(text_of(sealed(data))),
        check=_check_sealed,
        seeds=lambda: (*seeds.contents(), *seeds.live_contents()),
        refusals=(PassRefusedError,),
        bytes_max=3800,
    ),
    Target(
        name="pass-signed",
        parser="openstile.passes.open.open_pass",
        promise="claims of any form, truly signed and sealed, open only if they are for these gates and this time",
        parse=lambda data, folder: _open(text_of(sealed(cbor.encode([token_of(data), SALT, FACE])))),
        check=_check_signed,
        seeds=lambda: seeds.payloads(),
        refusals=(PassRefusedError,),
        bytes_max=2000,
    ),
    Target(
        name="live-proof",
        parser="openstile.passes.live.read_proof",
        promise="a proof encodes to the bytes that were read, its time to what is signed",
        parse=lambda data, folder: live.read_proof(data),
        check=_check_proof,
        seeds=seeds.proofs,
        refusals=(cbor.CborError, cose.CoseError),
    ),
    Target(
        name="inspect",
        parser="openstile.passes.inspection.inspect_pass",
        promise="never raises; shows no claims as verified that the fixed issuer did not sign",
        parse=_parse_inspection,
        check=_check_inspection,
        seeds=lambda: (*_texts(), *seeds.contents(), *seeds.live_contents()),
        refusals=(),
    ),
)
