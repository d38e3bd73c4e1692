"""Status lists, right and wrong, and how passes stand by them."""

import zlib
from typing import Any

from tests.vectors.raw_cbor import Pairs, Raw, Value, write
from tests.vectors.vector_keys import (
    CLOCK,
    DAY,
    FERRIES,
    METRO,
    METRO_ENDING,
    METRO_ES256,
    METRO_REVOKED,
    SHORT_KEYS_END,
    UNKNOWN_ISSUER,
    Key,
    token,
)

URI = "https://metro.example/status/1"
TYPE = "application/statuslist+cwt"
BITS = bytes.fromhex("b9a3")
SET = [0, 3, 4, 5, 7, 8, 9, 13, 15]
IAT, EXP, TTL = CLOCK - 3600, CLOCK + DAY, 43_200
LIST, TTL_CLAIM = 65533, 65534
INFLATED_MAX = 2**24

ZEROS_BEGIN = (
    ("78daecc1010100000080 90feafee080a", 1),
    ("00", 4094),
    ("80d9830301 00000000 20ffd74650", 1),
    ("55", 4095),
)
ZEROS_MIDDLE = (("610f0e04 00000000 80fc5f1b41", 1), ("55", 4095), ("a53d3820 00000000 10f2ff754302", 1), ("00", 3969))
"""What a library makes of 16 MiB of zeros, in runs, so that another library's choice does not change the vectors."""


def stored(bits: bytes) -> bytes:
    """A ZLIB stream of stored blocks (RFC 1951, section 3.2.4): the same bytes by every library."""
    blocks = [bits[at : at + 65535] for at in range(0, len(bits), 65535)] or [b""]
    written = b"".join(
        bytes([at == len(blocks) - 1])
        + len(block).to_bytes(2, "little")
        + (len(block) ^ 0xFFFF).to_bytes(2, "little")
        + block
        for at, block in enumerate(blocks)
    )
    return b"\x78\x01" + written + zlib.adler32(bits).to_bytes(4, "big")


def zeros(length: int) -> bytes:
    """A ZLIB stream of 2^24 or 2^24 + 1 zeros in 16 KiB."""
    ending = {INFLATED_MAX: "c0550f000001", INFLATED_MAX + 1: "c0560f010001"}[length]
    runs = (*ZEROS_BEGIN, *ZEROS_MIDDLE, (ending, 1))
    return b"".join(bytes.fromhex(run) * count for run, count in runs)


def claims(**changes: Value | None) -> dict[int | str, Value]:
    """The claims of a plain list; a change of None leaves one out."""
    named = {"sub": 2, "exp": 4, "iat": 6, "status_list": LIST, "ttl": TTL_CLAIM}
    plain: dict[str, Value | None] = {
        "sub": URI,
        "exp": EXP,
        "iat": IAT,
        "status_list": {"bits": 1, "lst": stored(BITS)},
        "ttl": TTL,
        **changes,
    }
    return {named[name]: value for name, value in plain.items() if value is not None}


def signed(payload: Value, *, key: Key = METRO, protected: Value | None = None, **others: Any) -> bytes:
    """A status list token of these claims."""
    headers: Value = {1: key.alg, 4: key.kid, 16: TYPE} if protected is None else protected
    return token(write(payload), key=key, protected=headers, **others)


def list_cases() -> list[dict[str, Any]]:
    return [*_valid(), *_invalid()]


def _case(name: str, rule: str, made: bytes, expected: dict[str, Any], clock: int = CLOCK) -> dict[str, Any]:
    return {"name": name, "rule": f"Status lists{rule}", "clock": clock, "expected": expected, "token": made.hex()}


def _read(**changes: Any) -> dict[str, Any]:
    plain = {"uri": URI, "issuer": "metro", "issued_at": IAT, "expires": EXP, "ttl_s": TTL, "entries": 16}
    return {"list": {**plain, "withdrawn": SET, **changes}}


def _valid() -> list[dict[str, Any]]:
    largest = _read(entries=8 * INFLATED_MAX, withdrawn=[])
    dynamic = bytes.fromhex("78daedc121010000000220fd7fda1916a001000000ee061f420002")
    aggregated: Value = {"aggregation_uri": "anything at all", "bits": 1, "lst": stored(BITS)}
    ends = {"iat": SHORT_KEYS_END - 1, "exp": SHORT_KEYS_END}
    return [
        _case("EdDSA", "", signed(claims()), _read()),
        _case("ES256", "", signed(claims(), key=METRO_ES256), _read()),
        _case("of another issuer", "", signed(claims(), key=FERRIES), _read(issuer="ferries")),
        _case(
            "one byte of bits",
            ": the bit of index i",
            signed(claims(status_list={"bits": 1, "lst": stored(b"\x80")})),
            _read(entries=8, withdrawn=[7]),
        ),
        _case(
            "dynamic Huffman codes",
            ": one complete ZLIB stream",
            signed(claims(status_list={"bits": 1, "lst": dynamic})),
            _read(entries=8 * 4001, withdrawn=[0]),
        ),
        _case(
            "16 MiB of bits",
            ": 1 to 16,777,216 bytes inflated",
            signed(claims(status_list={"bits": 1, "lst": zeros(INFLATED_MAX)})),
            largest,
        ),
        _case("an aggregation address", ": is read over", signed(claims(status_list=aggregated)), _read()),
        _case("the shortest time to live", ": ttl, 1 to 2592000", signed(claims(ttl=1)), _read(ttl_s=1)),
        _case("the longest time to live", ": ttl, 1 to 2592000", signed(claims(ttl=2592000)), _read(ttl_s=2592000)),
        _case(
            "ends with the key",
            ", step 5",
            signed(claims(**ends), key=METRO_ENDING),
            _read(issued_at=ends["iat"], expires=ends["exp"]),
            clock=SHORT_KEYS_END - 1,
        ),
        _case("made 600 seconds from now", ", step 5", signed(claims()), _read(), clock=IAT - 600),
        _case("expired, and read all the same", ": good, and unsure", signed(claims()), _read(), clock=EXP + 1),
    ]


def _invalid() -> list[dict[str, Any]]:
    kid, plain = METRO.kid, signed(claims())
    forms = {
        "no tag": plain[1:],
        "a byte after the end": plain + b"\x00",
        "cut short": plain[:-1],
        "empty": b"",
        "without a typ": signed(claims(), protected={1: -8, 4: kid}),
        "another typ": signed(claims(), protected={1: -8, 4: kid, 16: "application/statuslist+jwt"}),
        "typ in capitals": signed(claims(), protected={1: -8, 4: kid, 16: TYPE.upper()}),
        "a further protected header": signed(claims(), protected={1: -8, 4: kid, 16: TYPE, 33: b""}),
        "crit": signed(claims(), protected={1: -8, 2: [16], 4: kid, 16: TYPE}),
        "key id unprotected": signed(claims(), protected={1: -8, 16: TYPE}, unprotected={4: kid}),
        "a further unprotected header": signed(claims(), unprotected={5: b""}),
        "a signature of 63 bytes": signed(claims(), signature=bytes(63)),
    }
    key_rules = {
        "an unknown key": (2, signed(claims(), key=UNKNOWN_ISSUER)),
        "a revoked key": (2, signed(claims(), key=METRO_REVOKED)),
        "a key id of seven bytes": (2, signed(claims(), protected={1: -8, 4: kid[:7], 16: TYPE})),
        "EdDSA under ES256": (2, signed(claims(), protected={1: -7, 4: kid, 16: TYPE})),
        "another key under this key id": (
            3,
            signed(claims(), key=UNKNOWN_ISSUER, protected={1: -8, 4: kid, 16: TYPE}),
        ),
        "bits changed after signing": (3, plain.replace(stored(BITS), stored(b"\x00\x00"))),
        "outlasts its key": (5, signed(claims(exp=SHORT_KEYS_END + 1), key=METRO_ENDING)),
        "made 601 seconds from now": (5, signed(claims(iat=CLOCK + 601))),
    }
    return [
        *(_case(name, ", step 1", made, {"refused": True}) for name, made in forms.items()),
        *(_case(name, f", step {step}", made, {"refused": True}) for name, (step, made) in key_rules.items()),
        *(_case(name, ", step 4", signed(payload), {"refused": True}) for name, payload in _wrong_claims().items()),
        *(
            _case(f"lst: {name}", ": lst", signed(claims(status_list={"bits": 1, "lst": lst})), {"refused": True})
            for name, lst in _wrong_streams().items()
        ),
    ]


def _wrong_claims() -> dict[str, Value]:
    plain = claims()
    lst = stored(BITS)
    return {
        "without sub": claims(sub=None),
        "without exp": claims(exp=None),
        "without iat": claims(iat=None),
        "without ttl": claims(ttl=None),
        "without status_list": claims(status_list=None),
        "with iss": {**plain, 1: "metro"},
        "the claims of a pass": {1: "metro", 3: "metro/north"},
        "an array": [URI, EXP, IAT],
        "keys out of order": Pairs(tuple(reversed(list(plain.items())))),
        "sub over http": claims(sub="http://metro.example/status/1"),
        "sub of 201 characters": claims(sub=URI + "x" * (201 - len(URI))),
        "exp at iat": claims(exp=IAT),
        "iat negative": claims(iat=-1),
        "exp above 2^33": claims(exp=2**33 + 1),
        "iat as a float": claims(iat=Raw(b"\xfb\x41\xda\x69\x00\x00\x00\x00\x00")),
        "ttl of zero": claims(ttl=0),
        "ttl above thirty days": claims(ttl=2592001),
        "two bits an entry": claims(status_list={"bits": 2, "lst": lst}),
        "without bits": claims(status_list={"lst": lst}),
        "without lst": claims(status_list={"bits": 1}),
        "lst as text": claims(status_list={"bits": 1, "lst": "eNo"}),
        "a further entry": claims(status_list={"bits": 1, "lst": lst, "x": 0}),
        "aggregation address as bytes": claims(status_list={"bits": 1, "lst": lst, "aggregation_uri": b"x"}),
        "aggregation address of 201 characters": claims(
            status_list={"bits": 1, "lst": lst, "aggregation_uri": "x" * 201}
        ),
        "33 items": {**plain, LIST: {"bits": 1, "lst": lst, **{f"x{number:02}": 0 for number in range(12)}}},
    }


def _wrong_streams() -> dict[str, bytes]:
    plain = stored(BITS)
    return {
        "empty": b"",
        "inflates to nothing": stored(b""),
        "16 MiB and a byte": zeros(INFLATED_MAX + 1),
        "cut short": plain[:-1],
        "a byte after the end": plain + b"\x00",
        "a second stream after the first": plain + plain,
        "a wrong checksum": plain[:-1] + bytes([plain[-1] ^ 1]),
        "raw DEFLATE": plain[2:-4],
        "GZIP": bytes.fromhex("1f8b08000000000000ff")
        + plain[2:-4]
        + zlib.crc32(BITS).to_bytes(4, "little")
        + b"\x02\0\0\0",
        "a preset dictionary": bytes.fromhex("78200000000101") + plain[2:],
        "no compression method": b"\x70\x01" + plain[2:],
    }


def standing_cases() -> list[dict[str, Any]]:
    at_hand = signed(claims()).hex()
    older = signed(claims(iat=IAT - 1, status_list={"bits": 1, "lst": stored(b"\xff\xff")})).hex()
    of_ferries = signed(claims(), key=FERRIES).hex()
    elsewhere = signed(claims(sub=URI + "0")).hex()

    def case(
        name: str, expected: str, index: int | None, *, lists: tuple[str, ...] = (at_hand,), clock: int = CLOCK
    ) -> dict[str, Any]:
        status = None if index is None else {"idx": index, "uri": URI}
        asked = {"issuer": "metro", "status": status}
        rule = f"Status lists: {expected}"
        settings = {"clock": clock, "age_s_max": 7200}
        return {"name": name, "rule": rule, **settings, "pass": asked, "expected": expected, "lists": list(lists)}

    bits = [case(f"index {index}", "withdrawn" if index in SET else "good", index) for index in range(16)]
    return [
        *bits,
        case("a pass without a list", "unlisted", None),
        case("no list at hand", "unsure", 1, lists=()),
        case("index past the end", "unsure", 16),
        case("the largest index", "unsure", 2**32 - 1),
        case("a list of another issuer", "unsure", 1, lists=(of_ferries,)),
        case("withdrawn by another issuer only", "unsure", 0, lists=(of_ferries,)),
        case("a list of another address", "unsure", 0, lists=(elsewhere,)),
        case("the newest of two lists", "good", 1, lists=(at_hand, older)),
        case("the newest of two lists, given last", "good", 1, lists=(older, at_hand)),
        case("as old as allowed", "good", 1, clock=IAT + 7200),
        case("older than allowed", "unsure", 1, clock=IAT + 7201),
        case("withdrawn by a list older than allowed", "withdrawn", 0, clock=IAT + 7201),
        case("a list from the future, by the skew", "good", 1, clock=IAT - 600),
        case("a list from further in the future", "unsure", 1, clock=IAT - 601),
        case("withdrawn by a list that expired", "withdrawn", 0, clock=EXP),
    ]


def sequence_cases() -> list[dict[str, Any]]:
    """Lists that come one after the other: which of them a gate takes into use."""
    first, later = signed(claims()), signed(claims(iat=IAT + 1))
    same_second = signed(claims(status_list={"bits": 1, "lst": stored(b"\x00\x00")}))
    of_ferries, elsewhere = signed(claims(iat=IAT - 1), key=FERRIES), signed(claims(iat=IAT - 1, sub=URI + "0"))
    by_other_key = signed(claims(iat=IAT - 1), key=METRO_ES256)
    forged = signed(claims(iat=IAT + 9), key=UNKNOWN_ISSUER, protected={1: -8, 4: METRO.kid, 16: TYPE})
    sequences: dict[str, tuple[tuple[bytes, bool], ...]] = {
        "a newer list": ((first, True), (later, True)),
        "the same bytes again": ((first, True), (first, True)),
        "an older list": ((later, True), (first, False)),
        "an older list after the same bytes again": ((first, True), (later, True), (later, True), (first, False)),
        "another list of the same second": ((first, True), (same_second, False)),
        "an older list by another key of the same issuer": ((first, True), (by_other_key, False)),
        "an older list of another issuer at the same address": ((first, True), (of_ferries, True)),
        "an older list of another address": ((first, True), (elsewhere, True)),
        "a forged newer list raises nothing": ((first, True), (forged, False), (later, True)),
    }
    return [
        {
            "name": name,
            "rule": "Status lists, step 7",
            "clock": CLOCK,
            "expected": [accepted for _, accepted in tokens],
            "tokens": [made.hex() for made, _ in tokens],
        }
        for name, tokens in sequences.items()
    ]
