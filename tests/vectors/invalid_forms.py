"""Passes whose text, CBOR, seal or sealed content breaks a rule."""

from collections.abc import Iterator

from tests.vectors.pass_case import NBF, TEMPLATE, Case, claims, content, of_claims, of_token
from tests.vectors.raw_cbor import Pairs, Raw, Value, head, long_head, nested, write
from tests.vectors.vector_keys import (
    CLOCK,
    NORTH,
    NORTH_GONE,
    NORTH_RETIRED,
    NORTH_RETIRING,
    SOUTH,
    drawn,
    seal,
    text,
    token,
)

UNREADABLE, DAMAGED, OTHERS = "pass_unreadable", "pass_damaged", "pass_for_other_gates"
TOKEN = token(write(claims()))
CONTENT = content(TOKEN)
SEALED = seal(CONTENT)
VALID = text(SEALED)
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def invalid_forms() -> Iterator[Case]:
    yield from _texts()
    yield from _seals()
    yield from _keys()
    yield from _opening()
    yield from _contents()
    yield from _profile()


def _texts() -> Iterator[Case]:
    body = VALID[4:]
    for name, rule, presented in (
        ("empty text", "the prefix is the version", ""),
        ("prefix alone", "a text without any characters after the prefix is refused", "OS1:"),
        ("prefix in lower case", "the prefix is OS1:", "os1:" + body),
        ("no prefix", "the prefix is OS1:", body),
        ("another prefix", "the prefix is OS1:", "HC1:" + body),
        ("a blank in front", "no other character may occur", " " + VALID),
        ("U+FEFF in front", "no other character may occur", "\ufeff" + VALID),
        ("body in lower case", "no character outside the alphabet may occur", "OS1:" + body.lower()),
        ("two newlines at the end", "at most one newline may follow", VALID + "\n\n"),
        ("carriage return and newline at the end", "at most one newline may follow", VALID + "\r\n"),
        ("newline inside", "no other character may occur", VALID[:40] + "\n" + VALID[40:]),
        ("a character beyond the alphabet", "no other character may occur", VALID[:40] + "#" + VALID[41:]),
        ("a fullwidth digit", "no other character may occur", VALID[:40] + "\uff11" + VALID[41:]),
        ("one character left over", "one left over is refused", "OS1:" + "0" * 4),
        ("three characters above 65535", "three characters above 65535 are refused", "OS1:" + _wrapped(body, 3)),
        ("two characters above 255", "two characters above 255 are refused", "OS1:" + _wrapped(_odd_body(), 2)),
        ("too long a text", "PASS_TEXT_CHARS_MAX", "OS1:" + "0" * 6147),
        ("too long a text of another version", "PASS_TEXT_CHARS_MAX", "OS2:" + "0" * 6147),
        ("a version without a number", "one to four digits", "OS:" + body),
        ("a version of five digits", "one to four digits", "OS00001:" + body),
        ("a version in other digits", "one to four of the digits 0-9", "OS\u0661:" + body),
    ):
        yield Case(name, f"Text: {rule}", presented, UNREADABLE)
    rule = "Opening a pass, step 1: OS, one to four digits and a colon, and not OS1:"
    for name, presented in (
        ("version 2", "OS2:" + body),
        ("version 0001", "OS0001:" + body),
        ("version 9999 and nothing more", "OS9999:"),
        ("version 2 and other characters", "OS2:é\n\n"),
    ):
        yield Case(name, rule, presented, "pass_version_unknown")


def _wrapped(body: str, width: int) -> str:
    """Base45 with a number too large in it, which is the right one in so many bits: all else is right."""
    end = len(body) // 3 * 3
    too_much = 2 ** (8 * (width - 1))
    starts = range(0, end, 3) if width == 3 else [end]
    for start in starts:
        number = too_much + sum(BASE45.index(body[start + at]) * 45**at for at in range(width))
        if number < 45**width:
            letters = "".join(BASE45[number // 45**at % 45] for at in range(width))
            return body[:start] + letters + body[start + width :]
    raise AssertionError("no group of characters is small enough")


def _odd_body() -> str:
    """Of a pass with an odd number of bytes."""
    texts = (of_claims(claims(inner={2: product})) for product in ("Annual", "Annual1"))
    return next(text_[4:] for text_ in texts if len(text_[4:]) % 3 == 2)


def _seals() -> Iterator[Case]:
    kid = NORTH.kid

    def sealed(name: str, protected: Value | None = None, unprotected: dict[int | str, Value] | None = None) -> Case:
        binary = seal(CONTENT, protected=protected, unprotected=unprotected)
        return Case(name, "Seal: exactly these headers", text(binary), UNREADABLE)

    yield sealed("seal: without a key id", {1: 35})
    yield sealed("seal: without an algorithm", {4: kid})
    yield sealed("seal: an empty protected header", Raw(b""))
    yield sealed("seal: another HPKE suite", {1: 36, 4: kid})
    yield sealed("seal: an algorithm that signs", {1: -8, 4: kid})
    yield sealed("seal: the algorithm as text", {1: "HPKE-0", 4: kid})
    yield sealed("seal: a key id of seven bytes", {1: 35, 4: kid[:7]})
    yield sealed("seal: a key id of nine bytes", {1: 35, 4: kid + b"\x00"})
    yield sealed("seal: a key id of text", {1: 35, 4: "metro123"})
    yield sealed("seal: crit, naming what is known", {1: 35, 2: [4], 4: kid})
    yield sealed("seal: crit, naming what is unknown", {1: 35, 2: [-70000], 4: kid, -70000: 1})
    yield sealed("seal: a further protected header", {1: 35, 3: 0, 4: kid})
    yield sealed("seal: a further protected header named by text", {1: 35, 4: kid, "x": 0})
    yield sealed("seal: protected header is an array", [1, 35])
    yield sealed("seal: a further unprotected header", None, {5: b""})
    yield sealed("seal: key id unprotected", {1: 35}, {4: kid})
    yield sealed("seal: key id twice", None, {4: kid})
    yield sealed("seal: ek too short", None, {-4: b"\x04" * 64})
    yield sealed("seal: ek compressed", None, {-4: b"\x02" + NORTH.point[1:33]})
    yield sealed("seal: ek as a key", None, {-4: {1: 2}})
    protected = write(write({1: 35, 4: kid}))
    rest = SEALED[2 + len(protected) :]
    for name, binary in (
        ("seal: no tag", SEALED[1:]),
        ("seal: tag of COSE_Sign1", b"\xd2" + SEALED[1:]),
        ("seal: tag twice", b"\xd0" + SEALED),
        ("seal: tag not in its shortest form", b"\xd8\x10" + SEALED[1:]),
        ("seal: an array of four", b"\xd0\x84" + SEALED[2:] + b"\x00"),
        ("seal: an array of two", b"\xd0\x82" + protected + b"\xa0"),
        ("seal: a map", b"\xd0\xa0"),
        ("seal: protected header not in a byte string", b"\xd0\x83" + write({1: 35, 4: kid}) + rest),
        (
            "seal: a ciphertext that is only a tag",
            b"\xd0\x83" + protected + write({-4: NORTH.point}) + write(bytes(16)),
        ),
        ("seal: no ciphertext", b"\xd0\x83" + protected + write({-4: NORTH.point}) + b"\xf6"),
        ("seal: a byte after the end", SEALED + b"\x00"),
        ("seal: cut short", SEALED[:-1]),
        ("seal: more than 4,096 bytes", None),
    ):
        rule = "Limits: PASS_BYTES_MAX" if binary is None else "Seal: the structure"
        yield Case(name, rule, "OS1:" + "0" * 6145 if binary is None else text(binary), UNREADABLE)


def _keys() -> Iterator[Case]:
    step = "Opening a pass, step 2"
    yield Case("sealed to another group's key", step, of_token(TOKEN, group=SOUTH), OTHERS)
    yield Case("key id of nobody", step, text(seal(CONTENT, protected={1: 35, 4: bytes(8)})), OTHERS)
    outdated = f"{step}: a retirement of that id has a moment at or before now"
    retired, gone = of_token(TOKEN, group=NORTH_RETIRED), of_token(TOKEN, group=NORTH_GONE)
    yield Case("sealed to a key that is retired and held", outdated, retired, "pass_outdated")
    yield Case("sealed to a key that is retired this second and gone", outdated, gone, "pass_outdated")
    yield Case("sealed to a key that is gone, a second before it is retired", outdated, gone, OTHERS, clock=CLOCK - 1)
    retiring = of_token(TOKEN, group=NORTH_RETIRING)
    yield Case("sealed to a key that retired", outdated, retiring, "pass_outdated", clock=CLOCK + 1)
    garbled = text(seal(b"\xff", group=NORTH_RETIRED))
    yield Case(
        "retired, and nothing readable inside", "Opening a pass: the first step that fails", garbled, "pass_outdated"
    )


def _opening() -> Iterator[Case]:
    step = "Opening a pass, step 3: open the seal"
    yield Case("sealed to another key under this key id", step, _swapped_kid(), DAMAGED)
    for name, context in (("no", b""), ("another version's", b"OS2:"), ("a shorter", b"OS1")):
        binary = seal(CONTENT, context=context)
        yield Case(f"sealed with {name} context", "Seal: the four bytes OS1: as external_aad", text(binary), DAMAGED)
    yield Case("sealed with an info", "Seal: info is empty", text(seal(CONTENT, info=b"OS1:")), DAMAGED)
    flipped = SEALED[:-1] + bytes([SEALED[-1] ^ 1])
    yield Case("one bit of the tag changed", step, text(flipped), DAMAGED)
    middle = len(SEALED) - 100
    flipped = SEALED[:middle] + bytes([SEALED[middle] ^ 0x80]) + SEALED[middle + 1 :]
    yield Case("one bit of the ciphertext changed", step, text(flipped), DAMAGED)
    at = SEALED.index(b"\x58\x41\x04") + 2
    ek = SEALED[at : at + 65]
    for name, point in (
        ("off the curve", ek[:-1] + bytes([ek[-1] ^ 1])),
        ("in the hybrid form", bytes([6 | ek[-1] & 1]) + ek[1:]),
        ("of zeros", b"\x04" + bytes(64)),
        ("with a coordinate above the field", b"\x04" + b"\xff" * 64),
        ("of another message", NORTH.point),
    ):
        rule = "Seal: ek must begin with 04 and lie on the curve"
        yield Case(f"ek {name}", rule, text(SEALED[:at] + point + SEALED[at + 65 :]), DAMAGED)


def _swapped_kid() -> str:
    """Sealed to one key of the gate, naming another."""
    return text(seal(CONTENT, group=SOUTH, protected={1: 35, 4: NORTH.kid}))


def _contents() -> Iterator[Case]:
    salt = drawn("salt", 16)
    for name, plaintext in (
        ("empty array", write([])),
        ("two elements", write([TOKEN, salt])),
        ("five elements", write([TOKEN, salt, TEMPLATE, b"", b""])),
        ("tagged", b"\xd0" + CONTENT),
        ("a map", write({1: TOKEN, 2: salt, 3: TEMPLATE})),
        ("the token not in a byte string", write([Raw(TOKEN), salt, TEMPLATE])),
        ("salt of 15 bytes", write([TOKEN, salt[:15], TEMPLATE])),
        ("salt of 17 bytes", write([TOKEN, salt + b"\x00", TEMPLATE])),
        ("salt as text", write([TOKEN, "0123456789abcdef", TEMPLATE])),
        ("reference of 15 bytes", write([TOKEN, salt, bytes(15)])),
        ("reference of 257 bytes", write([TOKEN, salt, bytes(257)])),
        ("a proof that is text", write([TOKEN, salt, TEMPLATE, "proof"])),
        ("not CBOR", b"\xff\xff\xff"),
        ("a byte after the end", CONTENT + b"\x00"),
    ):
        yield Case(f"sealed content: {name}", "Sealed content: its form", text(seal(plaintext)), UNREADABLE)


def _profile() -> Iterator[Case]:
    """Each rule of the profile once, in the claims: signed by the issuer, so that nothing else is wrong."""
    entries = sorted(((write(key), key, value) for key, value in claims().items()), key=lambda entry: entry[0])
    in_order: list[tuple[Value, Value]] = [(key, value) for _, key, value in entries]
    (first_key, first), *others = in_order
    payloads: dict[str, Value] = {
        "a length not in its shortest form": Pairs(((1, Raw(long_head(3, 5, 1) + b"metro")), *others)),
        "an integer in two bytes where one is enough": Pairs((*in_order[:3], (Raw(b"\x18\x05"), NBF), *in_order[4:])),
        "an integer in eight bytes where four are enough": claims({5: Raw(long_head(0, CLOCK - 1, 8))}),
        "an indefinite text": claims({1: Raw(b"\x7f\x65metro\xff")}),
        "an indefinite array": claims(inner={4: Raw(b"\x9f\x61a\xff")}),
        "an indefinite map": Raw(b"\xbf" + b"".join(write(key) + write(value) for key, value in in_order) + b"\xff"),
        "a reserved length": claims({1: Raw(b"\x7c")}),
        "keys out of order": Pairs((in_order[1], in_order[0], *in_order[2:])),
        "keys ordered by length first": Pairs((*in_order[:-1], (Raw(b"\x20"), 0), in_order[-1])),
        "a key twice": Pairs(((first_key, first), (first_key, first), *others)),
        "a key twice with other values": Pairs(((first_key, "ferries"), (first_key, first), *others)),
        "a key twice, and counted once": Raw(
            head(5, len(entries)) + b"".join(write(key) + write(item) for key, item in (in_order[0], *in_order))
        ),
        "a key that is a byte string": Pairs((*in_order, (b"x", 0))),
        "a key that is an array": Pairs((*in_order, ([1], 0))),
        "false": claims({6: Raw(b"\xf4")}),
        "true for 1": claims(inner={7: Raw(b"\xf5")}),
        "null": claims({6: Raw(b"\xf6")}),
        "undefined": claims({6: Raw(b"\xf7")}),
        "an unassigned simple value": claims({6: Raw(b"\xf8\x20")}),
        "a half float": claims({4: Raw(b"\xf9\x3c\x00")}),
        "a float for a time": claims({4: Raw(b"\xfb\x41\xda\x69\x00\x00\x00\x00\x00")}),
        "a bignum": claims({4: Raw(b"\xc2\x44\x69\xa0\x00\x00")}),
        "a tagged time": claims({4: Raw(b"\xc1" + write(CLOCK + 1))}),
        "the claims tagged as CWT": Raw(b"\xd8\x3d" + write(claims())),
        "self-described CBOR": Raw(b"\xd9\xd9\xf7" + write(claims())),
        "text that is not UTF-8": claims(inner={2: Raw(b"\x62\xc3\x28")}),
        "text with an overlong form": claims(inner={2: Raw(b"\x62\xc0\xaf")}),
        "text with a surrogate": claims(inner={2: Raw(b"\x63\xed\xa0\x80")}),
        "text that ends inside a character": claims(inner={2: Raw(b"\x61\xc3")}),
        "a byte after the end": Raw(write(claims()) + b"\x00"),
        "cut short": Raw(write(claims())[:-1]),
        "empty": Raw(b""),
        "a length beyond the end": claims({7: Raw(head(2, 2**40))}),
        "a length of 2^64 - 1": claims({7: Raw(head(2, 2**64 - 1))}),
        "an array of 2^32 items": claims({6: Raw(head(4, 2**32))}),
        "a map of 2^63 entries": Raw(head(5, 2**63)),
        "nine arrays in each other": nested(9),
        "thousands of arrays in each other": nested(3000),
        "257 items": [0] * 256,
    }
    for name, payload in payloads.items():
        yield Case(f"claims in CBOR: {name}", "Strict CBOR", of_claims(payload), UNREADABLE)
    rule = "Strict CBOR: all protected headers"
    unsorted = seal(CONTENT, protected=Pairs(((4, NORTH.kid), (1, 35))))
    yield Case("seal: protected header out of order", rule, text(unsorted), UNREADABLE)
    longer = seal(CONTENT, protected=Pairs(((1, Raw(b"\x19\x00\x23")), (4, NORTH.kid))))
    yield Case("seal: algorithm not in its shortest form", rule, text(longer), UNREADABLE)
    twice = seal(CONTENT, protected=Pairs(((1, 35), (1, 35), (4, NORTH.kid))))
    yield Case("seal: algorithm twice", rule, text(twice), UNREADABLE)
