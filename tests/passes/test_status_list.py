"""Status lists: the published examples of the draft, the strict profile, and what would be slipped past it."""

import base64
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.passes.pass_workshop import (
    ISSUER,
    ISSUER_ES256,
    KEYS_END,
    NOW,
    OTHER_ISSUER,
    REVOKED,
    RING,
    STRANGER,
    claims_map,
    fault_of,
    pass_of,
    token,
)

from openstile.passes.cbor import Cbor, CborKey, encode
from openstile.passes.cose import Header, encode_sign1
from openstile.passes.faults import PassFault
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey
from openstile.passes.status_bits import deflate_bits, inflate_bits
from openstile.passes.status_list import (
    STATUS_LIST_TYPE,
    StatusList,
    StatusListError,
    pack_bits,
    read_status_list,
    sign_status_list,
)
from openstile.terms import BadInputError
from openstile.terms.limits import (
    CLOCK_SKEW_S_MAX,
    EPOCH_SECONDS_MAX,
    STATUS_BITS_BYTES_MAX,
    STATUS_ENTRIES_MAX,
    STATUS_TOKEN_BYTES_MAX,
    STATUS_TTL_S_MAX,
    STATUS_URI_CHARS_MAX,
)

URI = "https://status.example/north/1"
BITS = pack_bits(entries=64, indices=(3, 17, 40))
ENDS = NOW + timedelta(days=7)

# draft-ietf-oauth-status-list, sections 4.1 and 4.3: sixteen statuses, their bytes, and these in CBOR.
DRAFT_STATUSES = (1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1)
DRAFT_BITS = bytes.fromhex("b9a3")
DRAFT_CBOR = bytes.fromhex("a2646269747301636c73744a78dadbb918000217015d")
# Section 5.2 (draft 10): the printed token. Its key is not printed, so its signature cannot be verified.
DRAFT_TOKEN = bytes.fromhex(
    "d2845820a2012610781a6170706c69636174696f6e2f7374617475736c6973742b63"
    "7774a1044231325850a502782168747470733a2f2f6578616d706c652e636f6d2f73"
    "74617475736c697374732f31061a648c5bea041a8898dfea19fffe19a8c019fffda2"
    "646269747301636c73744a78dadbb918000217015d584027d5535dfe0a33291cc9bf"
    "b41053ad2493c49d1ee4635e12548a79bac92916845fee76799c42762f928441c5c3"
    "44e3612381e0cf88f2f160b3e1f97728ec8403"
)
# Appendix C.1: the 1 bit test vector of 2^20 entries.
DRAFT_VECTOR = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogE"
    "AAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAA"
    "A7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAA"
    "ACAZC8L2AEb"
)
DRAFT_VECTOR_SET = (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345)


def signed(
    *, key: IssuerKey = ISSUER, bits: bytes = BITS, issued_at: datetime = NOW, expires: datetime = ENDS
) -> bytes:
    return sign_status_list(issuer_key=key, uri=URI, bits=bits, issued_at=issued_at, expires=expires, ttl_s=3600)


def read(data: bytes, *, now: datetime | None = None) -> StatusList:
    return read_status_list(data, issuers=RING.issuers, now=now)


def content(changes: dict[CborKey, Cbor] | None = None) -> dict[CborKey, Cbor]:
    return {"bits": 1, "lst": deflate_bits(BITS), **(changes or {})}


def claims(changes: dict[CborKey, Cbor] | None = None, *, without: CborKey | None = None) -> bytes:
    made: dict[CborKey, Cbor] = {
        2: URI,
        4: int(ENDS.timestamp()),
        6: int(NOW.timestamp()),
        65533: content(),
        65534: 3600,
        **(changes or {}),
    }
    made.pop(without, None)  # type: ignore[arg-type]
    return encode(made)


def header(changes: Header | None = None, *, without: int | None = None, key: IssuerKey = ISSUER) -> Header:
    made: Header = {1: key.public.algorithm.number, 4: key.public.kid, 16: STATUS_LIST_TYPE, **(changes or {})}
    made.pop(without, None)  # type: ignore[arg-type]
    return made


def crafted(
    payload: bytes | None = None,
    *,
    protected: Header | None = None,
    unprotected: Header | None = None,
    sign: Callable[[bytes], bytes] = ISSUER.signer.sign,
) -> bytes:
    """A list as no issuer would make it, under a signature that is right."""
    return encode_sign1(
        protected=header() if protected is None else protected,
        unprotected=unprotected or {},
        payload=claims() if payload is None else payload,
        sign=sign,
    )


def refusal(data: bytes, *, now: datetime | None = None) -> str:
    with pytest.raises(StatusListError) as refused:
        read(data, now=now)
    return str(refused.value)


# The bits.


def test_bits_are_counted_from_the_least_significant_as_in_the_draft() -> None:
    packed = pack_bits(entries=16, indices=(at for at, status in enumerate(DRAFT_STATUSES) if status))
    assert packed == DRAFT_BITS
    made = read(signed(bits=packed))
    assert tuple(made.is_set(index) for index in range(16)) == tuple(map(bool, DRAFT_STATUSES))


def test_compressed_bits_of_the_draft_are_ours_to_the_byte() -> None:
    assert cbor2.loads(DRAFT_CBOR) == {"bits": 1, "lst": deflate_bits(DRAFT_BITS)}
    assert deflate_bits(DRAFT_BITS) == base64.urlsafe_b64decode("eNrbuRgAAhcBXQ==")


def test_vector_of_a_million_entries_of_the_draft() -> None:
    bits = inflate_bits(base64.urlsafe_b64decode(DRAFT_VECTOR + "=" * (-len(DRAFT_VECTOR) % 4)))
    assert bits == pack_bits(entries=2**20, indices=DRAFT_VECTOR_SET)
    made = read(signed(bits=bits))
    assert made.entries == 2**20
    assert tuple(index for index in range(2**20) if made.is_set(index)) == DRAFT_VECTOR_SET


@given(st.data(), st.integers(1, 300))
def test_exactly_the_packed_indices_are_set(data: st.DataObject, entries: int) -> None:
    indices = data.draw(st.lists(st.integers(0, entries - 1)))
    made = replace(read(signed()), bits=inflate_bits(deflate_bits(pack_bits(entries=entries, indices=indices))))
    assert made.entries == -(-entries // 8) * 8
    assert {index for index in range(made.entries) if made.is_set(index)} == set(indices)


@pytest.mark.parametrize(("entries", "size"), [(1, 1), (8, 1), (9, 2), (STATUS_ENTRIES_MAX, STATUS_BITS_BYTES_MAX)])
def test_size_of_the_bits_follows_the_entries(entries: int, size: int) -> None:
    assert len(pack_bits(entries=entries, indices=(entries - 1,))) == size


@pytest.mark.parametrize("entries", [0, -1, STATUS_ENTRIES_MAX + 1])
def test_number_of_entries_outside_the_limits_is_refused(entries: int) -> None:
    with pytest.raises(BadInputError, match="entries"):
        pack_bits(entries=entries, indices=())


@pytest.mark.parametrize("index", [-1, 10, 2**63, -(2**80)])
def test_index_outside_the_list_is_not_packed(index: int) -> None:
    assert pack_bits(entries=10, indices=(9, 9, 0)) == b"\x01\x02"
    with pytest.raises(BadInputError, match="is not 0 to 9"):
        pack_bits(entries=10, indices=(0, index))


@pytest.mark.parametrize("index", [-1, 64, 2**32 - 1])
def test_look_up_past_the_end_raises_instead_of_answering(index: int) -> None:
    made = read(signed())
    assert not made.is_set(63)
    with pytest.raises(StatusListError, match="only 0 to 63"):
        made.is_set(index)


# What is signed is what is read.


@pytest.mark.parametrize("key", [ISSUER, ISSUER_ES256, OTHER_ISSUER], ids=["EdDSA", "ES256", "other issuer"])
def test_signed_list_is_read_back(key: IssuerKey) -> None:
    assert read(signed(key=key), now=NOW) == StatusList(URI, key.public.name, NOW, ENDS, 3600, BITS)


def test_crafted_list_without_a_fault_is_read() -> None:
    assert read(crafted()) == read(signed())


def test_repr_of_a_list_does_not_show_its_bits() -> None:
    assert "bits" not in repr(read(signed()))


def test_list_says_what_the_printed_token_of_the_draft_says() -> None:
    """Values for values; ours in deterministic order, with a protected kid."""
    printed = cbor2.loads(DRAFT_TOKEN).value
    printed_claims = cbor2.loads(printed[2])
    ours = cbor2.loads(
        sign_status_list(
            issuer_key=ISSUER,
            uri="https://example.com/statuslists/1",
            bits=DRAFT_BITS,
            issued_at=datetime.fromtimestamp(printed_claims[6], UTC),
            expires=KEYS_END,
            ttl_s=43200,
        )
    ).value
    assert {**cbor2.loads(ours[2]), 4: 0} == {**printed_claims, 4: 0}
    assert set(cbor2.loads(ours[2])) == {2, 4, 6, 65533, 65534}
    assert cbor2.loads(ours[0])[16] == cbor2.loads(printed[0])[16]


def test_printed_token_of_the_draft_is_outside_our_profile() -> None:
    assert "headers" in refusal(DRAFT_TOKEN)
    assert "out of order" in refusal(crafted(cbor2.loads(DRAFT_TOKEN).value[2]))


@given(
    st.binary(min_size=1, max_size=200), st.integers(0, 2**31), st.integers(1, 10**6), st.integers(1, STATUS_TTL_S_MAX)
)
def test_any_list_survives_signing_and_reading(bits: bytes, issued: int, lasts_s: int, ttl_s: int) -> None:
    issued_at = min(datetime.fromtimestamp(issued, UTC), KEYS_END - timedelta(days=20))
    expires = issued_at + timedelta(seconds=lasts_s)
    data = sign_status_list(issuer_key=ISSUER, uri=URI, bits=bits, issued_at=issued_at, expires=expires, ttl_s=ttl_s)
    assert read(data) == StatusList(URI, "metro", issued_at, expires, ttl_s, bits)


# Keys and signatures.


def test_list_of_an_unknown_issuer_is_refused() -> None:
    assert "not known here" in refusal(signed(key=STRANGER))
    with pytest.raises(StatusListError, match="not known here"):
        read_status_list(signed(), issuers=())


def test_list_of_a_revoked_key_is_refused() -> None:
    assert "is revoked" in refusal(signed(key=REVOKED))


def test_key_that_is_listed_both_revoked_and_not_is_revoked() -> None:
    both = (TrustedIssuer(ISSUER.public), TrustedIssuer(ISSUER.public, revoked=True))
    for issuers in (both, both[::-1]):
        with pytest.raises(StatusListError, match="is revoked"):
            read_status_list(signed(), issuers=iter(issuers))


def test_list_signed_by_another_key_than_it_names_is_refused() -> None:
    assert "is not that of issuer" in refusal(crafted(sign=STRANGER.signer.sign))


def test_algorithm_is_the_key_s_and_not_the_message_s() -> None:
    assert "algorithm" in refusal(crafted(protected=header({1: -7})))
    assert "algorithm" in refusal(crafted(protected=header({1: -8}, key=ISSUER_ES256), sign=ISSUER_ES256.signer.sign))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signature_of_another_length_is_refused(length: int) -> None:
    assert "64 bytes" in refusal(crafted(sign=lambda message: (ISSUER.signer.sign(message) * 2)[:length]))


def test_list_with_any_bit_flipped_is_refused() -> None:
    data = signed()
    for at in range(len(data)):
        for bit in (0, 3, 7):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            refusal(bytes(changed))


def test_list_cut_anywhere_is_refused() -> None:
    data = signed()
    for end in range(len(data)):
        refusal(data[:end])


# Headers and form.


@pytest.mark.parametrize("without", [1, 4, 16], ids=["alg", "kid", "typ"])
def test_missing_header_is_refused(without: int) -> None:
    assert "headers" in refusal(crafted(protected=header(without=without)))


@pytest.mark.parametrize("without", [1, 4, 16], ids=["alg", "kid", "typ"])
def test_header_that_is_not_protected_is_refused(without: int) -> None:
    assert "headers" in refusal(crafted(protected=header(without=without), unprotected={without: header()[without]}))


@pytest.mark.parametrize("added", [{2: [16]}, {3: 61}, {99: 0}, {"x": 1}], ids=["crit", "content type", "99", "text"])
def test_unknown_header_is_refused(added: Header) -> None:
    assert "headers" in refusal(crafted(protected=header(added)))
    assert "headers" in refusal(crafted(unprotected=added))


@pytest.mark.parametrize(
    "typ",
    ["application/statuslist+jwt", "statuslist+cwt", "Application/statuslist+cwt", f"{STATUS_LIST_TYPE} ", 269, b"cwt"],
)
def test_type_that_is_not_that_of_a_status_list_is_refused(typ: Cbor) -> None:
    assert "its type" in refusal(crafted(protected=header({16: typ})))


@pytest.mark.parametrize("kid", ["", b"", 4, [], ISSUER.public.kid[:7], ISSUER.public.kid + b"\0"])
def test_key_id_of_another_form_is_refused(kid: Cbor) -> None:
    assert "not known here" in refusal(crafted(protected=header({4: kid})))


@pytest.mark.parametrize("alg", ["EdDSA", 5, 35, -39, []])
def test_algorithm_of_another_form_is_refused(alg: Cbor) -> None:
    assert "algorithm" in refusal(crafted(protected=header({1: alg})))


def test_list_without_its_tag_or_with_bytes_after_it_is_refused() -> None:
    assert "tag 18" in refusal(signed()[1:])
    assert "tag 18" in refusal(b"\xd8\x3d" + signed())
    assert "after its end" in refusal(signed() + b"\0")


def test_list_of_too_many_bytes_is_refused_before_it_is_parsed() -> None:
    assert f"at most {STATUS_TOKEN_BYTES_MAX}" in refusal(bytes(STATUS_TOKEN_BYTES_MAX + 1))
    assert "tag 18" in refusal(bytes(STATUS_TOKEN_BYTES_MAX))


# Claims.


@pytest.mark.parametrize("without", [2, 4, 6, 65533, 65534], ids=["sub", "exp", "iat", "status_list", "ttl"])
def test_missing_claim_is_refused(without: int) -> None:
    assert "not exactly" in refusal(crafted(claims(without=without)))


@pytest.mark.parametrize("added", [{1: "metro"}, {5: 0}, {65535: {}}, {"x": 1}], ids=["iss", "nbf", "status", "text"])
def test_unknown_claim_is_refused(added: dict[CborKey, Cbor]) -> None:
    assert "not exactly" in refusal(crafted(claims(added)))


@pytest.mark.parametrize("claim", [2, 4, 6, 65533, 65534], ids=["sub", "exp", "iat", "status_list", "ttl"])
@pytest.mark.parametrize("value", [b"\1", [], b""], ids=["bytes", "array", "empty"])
def test_claim_of_another_type_is_refused(claim: int, value: Cbor) -> None:
    assert "another type" in refusal(crafted(claims({claim: value})))


def test_payload_that_is_not_a_map_is_refused() -> None:
    assert "not exactly" in refusal(crafted(encode([1])))
    refusal(crafted(b""))


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://status.example/1",
        "https://",
        "https://a b",
        "https://x/\u00e9",
        "https://x/" + "a" * STATUS_URI_CHARS_MAX,
    ],
)
def test_address_that_no_pass_could_name_is_refused(uri: str) -> None:
    assert "https://" in refusal(crafted(claims({2: uri})))


@pytest.mark.parametrize("claim", [4, 6], ids=["exp", "iat"])
@pytest.mark.parametrize("seconds", [-1, EPOCH_SECONDS_MAX + 1, 2**64 - 1])
def test_time_outside_1970_to_2242_is_refused(claim: int, seconds: int) -> None:
    assert "1970 to 2242" in refusal(crafted(claims({claim: seconds}))).replace("between 1970 and", "1970 to")


@pytest.mark.parametrize("seconds", [0, -1])
def test_list_that_ends_no_later_than_it_is_made_is_refused(seconds: int) -> None:
    issued = int(NOW.timestamp())
    assert read(crafted(claims({4: issued + 1}))).expires == NOW + timedelta(seconds=1)
    assert "must be after" in refusal(crafted(claims({4: issued + seconds})))


@pytest.mark.parametrize("ttl_s", [0, -1, STATUS_TTL_S_MAX + 1, 2**64 - 1])
def test_time_to_live_outside_the_limits_is_refused(ttl_s: int) -> None:
    assert read(crafted(claims({65534: STATUS_TTL_S_MAX}))).ttl_s == STATUS_TTL_S_MAX
    assert "time to live" in refusal(crafted(claims({65534: ttl_s})))


def test_list_that_lasts_longer_than_its_key_is_refused() -> None:
    end = int(KEYS_END.timestamp())
    assert read(crafted(claims({4: end}))).expires == KEYS_END
    assert "the key of issuer metro ends" in refusal(crafted(claims({4: end + 1})))
    with pytest.raises(BadInputError, match="rotate the key"):
        signed(expires=KEYS_END + timedelta(seconds=1))


def test_list_from_the_future_is_refused_beyond_the_clock_skew() -> None:
    made_at = NOW + timedelta(seconds=CLOCK_SKEW_S_MAX)
    assert read(signed(issued_at=made_at), now=NOW).issued_at == made_at
    late = signed(issued_at=made_at + timedelta(seconds=1))
    assert "still to come" in refusal(late, now=NOW)
    assert read(late).issued_at == made_at + timedelta(seconds=1)


def test_expired_list_is_read_for_it_still_tells_who_was_withdrawn() -> None:
    assert read(signed(), now=ENDS + timedelta(days=100)).is_set(17)


@pytest.mark.parametrize(
    "value",
    [
        {"lst": b""},
        {"bits": 1},
        {"bits": 2, "lst": deflate_bits(BITS)},
        {"bits": "1", "lst": deflate_bits(BITS)},
        {"bits": 1, "lst": "text"},
        {"bits": 1, "lst": deflate_bits(BITS), "more": 1},
        {"bits": 1, "lst": deflate_bits(BITS), 0: 0},
        {"bits": 1, "lst": deflate_bits(BITS), "aggregation_uri": 1},
    ],
)
def test_status_list_of_another_form_is_refused(value: Cbor) -> None:
    assert "is not {" in refusal(crafted(claims({65533: value})))


def test_aggregation_address_is_read_over_up_to_its_limit() -> None:
    address = "https://status.example/all".ljust(STATUS_URI_CHARS_MAX, "x")
    assert read(crafted(claims({65533: content({"aggregation_uri": address})}))) == read(signed())
    assert "an address" in refusal(crafted(claims({65533: content({"aggregation_uri": address + "x"})})))


# Compression.


def compressed(value: bytes) -> bytes:
    return crafted(claims({65533: content({"lst": value})}))


def test_largest_list_is_read_and_one_byte_more_is_a_bomb() -> None:
    assert read(compressed(deflate_bits(bytes(STATUS_BITS_BYTES_MAX)))).entries == STATUS_ENTRIES_MAX
    bomb = compressed(deflate_bits(bytes(STATUS_BITS_BYTES_MAX + 1)))
    assert len(bomb) < 20_000
    assert "inflates to more than" in refusal(bomb)


def test_bomb_is_not_inflated_beyond_the_limit() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(128)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(StatusListError, match="inflates to more than"):
            inflate_bits(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * STATUS_BITS_BYTES_MAX
    finally:
        tracemalloc.stop()


def test_stream_cut_anywhere_is_refused() -> None:
    stream = deflate_bits(BITS)
    for end in range(len(stream)):
        assert "too early" in refusal(compressed(stream[:end]))


def test_bytes_after_the_stream_are_refused() -> None:
    assert "after its ZLIB stream" in refusal(compressed(deflate_bits(BITS) + b"\0"))
    assert "after its ZLIB stream" in refusal(compressed(deflate_bits(BITS) * 2))


def test_stream_with_a_wrong_checksum_is_refused() -> None:
    stream = deflate_bits(BITS)
    assert "not a ZLIB stream" in refusal(compressed(stream[:-1] + bytes([stream[-1] ^ 1])))


def test_stream_that_needs_a_preset_dictionary_is_refused() -> None:
    packer = zlib.compressobj(zdict=b"a dictionary")
    assert "not a ZLIB stream" in refusal(compressed(packer.compress(BITS) + packer.flush()))


@pytest.mark.parametrize("wbits", [-15, 31], ids=["raw deflate", "gzip"])
def test_stream_of_another_format_is_refused(wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    assert "not a ZLIB stream" in refusal(compressed(packer.compress(BITS) + packer.flush()))


def test_list_without_any_bits_is_refused() -> None:
    assert "0 bytes of bits" in refusal(compressed(zlib.compress(b"")))
    with pytest.raises(BadInputError, match="0 bytes of bits"):
        signed(bits=b"")


@given(st.binary(max_size=300))
def test_no_bytes_inflate_with_another_error(data: bytes) -> None:
    try:
        inflate_bits(data)
    except StatusListError:
        return


@given(st.binary(max_size=300))
def test_no_bytes_are_read_with_another_error(data: bytes) -> None:
    refusal(data)
    refusal(crafted(data))


# Lists and passes are kept apart.


def test_token_of_a_pass_is_no_status_list() -> None:
    assert "headers" in refusal(token())


def test_claims_of_a_pass_under_the_headers_of_a_list_are_no_status_list() -> None:
    assert "not exactly" in refusal(crafted(encode(claims_map())))


def test_status_list_under_the_seal_of_a_pass_is_no_pass() -> None:
    assert fault_of(pass_of(token())) is None
    assert fault_of(pass_of(signed())) is PassFault.PASS_UNREADABLE


def test_claims_of_a_list_under_the_headers_of_a_pass_are_no_pass() -> None:
    assert fault_of(pass_of(token(claims()))) is PassFault.PASS_UNREADABLE


def test_signature_of_a_list_does_not_fit_a_pass_with_the_same_payload() -> None:
    """The type is under the signature."""
    signature = cbor2.loads(crafted()).value[3]
    assert fault_of(pass_of(token(claims(), sign=lambda _: signature))) is PassFault.PASS_FORGED


# Signing checks what it signs.


@pytest.mark.parametrize(
    "changes",
    [
        {"uri": "http://status.example/1"},
        {"ttl_s": 0},
        {"ttl_s": STATUS_TTL_S_MAX + 1},
        {"bits": bytes(STATUS_BITS_BYTES_MAX + 1)},
        {"issued_at": ENDS},
        {"issued_at": NOW.replace(microsecond=1)},
        {"issued_at": NOW.replace(tzinfo=None)},
    ],
    ids=["http", "ttl 0", "long ttl", "too many entries", "ends at once", "part of a second", "no time zone"],
)
def test_list_that_could_not_be_read_is_not_signed(changes: dict[str, object]) -> None:
    made: dict[str, object] = {"uri": URI, "bits": BITS, "issued_at": NOW, "expires": ENDS, "ttl_s": 60, **changes}
    with pytest.raises(BadInputError):
        sign_status_list(issuer_key=ISSUER, **made)  # type: ignore[arg-type]
