"""Passes that open: both algorithms, both kinds, every claim, every limit at its edge."""

from collections.abc import Iterator

from tests.vectors.pass_case import (
    ASSURANCE,
    AUD,
    CATEGORY,
    CTI,
    EXP,
    EXP_CLAIM,
    FROM,
    NBF,
    NBF_CLAIM,
    PIN,
    PIN_DATA,
    PRODUCT,
    REFERENCE,
    SALT,
    STATUS,
    STATUS_CLAIM,
    UNTIL,
    WITH_HOLDER,
    ZONES,
    Case,
    admitted,
    claims,
    commitment,
    of_claims,
    of_live,
    of_token,
)
from tests.vectors.raw_cbor import Value, write
from tests.vectors.vector_keys import (
    CLOCK,
    DAY,
    METRO_ENDING,
    METRO_ES256,
    NORTH_BEFORE,
    NORTH_ENDING,
    NORTH_RETIRING,
    P256_ORDER,
    SHORT_KEYS_END,
    drawn,
    token,
)

FIRST, LAST = "Opening a pass, step 12: from nbf or the product's beginning", "Opening a pass, step 12: before exp"
LIVE = "Opening a pass, step 13: iat - 5 <= now <= iat + 25"


def valid_cases() -> Iterator[Case]:
    yield from _forms()
    yield from _sizes()
    yield from _claims()
    yield from _times()
    yield from _live()


def _forms() -> Iterator[Case]:
    plain, pin = claims(), claims(inner={REFERENCE: PIN})
    text = of_claims(plain)
    yield Case("face, EdDSA", "Opening a pass", text, admitted(plain))
    yield Case("face, ES256", "Opening a pass", of_claims(plain, key=METRO_ES256), admitted(plain))
    yield Case("PIN, EdDSA", "Reference data", of_claims(pin, data=PIN_DATA), admitted(pin, data=PIN_DATA))
    pin_text = of_claims(pin, key=METRO_ES256, data=PIN_DATA)
    yield Case("PIN, ES256", "Reference data", pin_text, admitted(pin, data=PIN_DATA))
    yield Case("newline at the end", "Text: at most one newline may follow", text + "\n", admitted(plain))
    before = of_claims(plain, group=NORTH_BEFORE)
    yield Case("sealed to the group's previous key", "Opening a pass, step 2", before, admitted(plain))
    retiring = of_claims(plain, group=NORTH_RETIRING)
    rule = "Opening a pass, step 2: a retirement counts from its moment on"
    yield Case("sealed to a key that retires in a second", rule, retiring, admitted(plain))
    signed = METRO_ES256.sign(write(["Signature1", write({1: -7, 4: METRO_ES256.kid}), b"", write(plain)]))
    mirrored = signed[:32] + (P256_ORDER - int.from_bytes(signed[32:], "big")).to_bytes(32, "big")
    turned = of_token(token(write(plain), key=METRO_ES256, signature=mirrored))
    yield Case("ES256 with n - s", "Token: both s and n - s are accepted", turned, admitted(plain))


def _sizes() -> Iterator[Case]:
    """Where a length takes another byte in CBOR, and the largest pass that there is."""
    for size in (255, 256):
        short = claims(WITH_HOLDER, {PRODUCT: "x" * 24, ZONES: ["z" * 24]})
        payload = claims(WITH_HOLDER, {PRODUCT: "x" * (24 + size - len(write(short))), ZONES: ["z" * 24]})
        assert len(write(payload)) == size
        rule = "Token: the Sig_structure in deterministic encoding"
        yield Case(f"claims of {size} bytes", rule, of_claims(payload), admitted(payload))
    bus = "\U0001f68c"
    zones: list[Value] = [chr(ord("a") + number) + bus * 39 for number in range(16)]
    inner: dict[int, Value | None] = {
        PRODUCT: bus * 48,
        CATEGORY: "c" * 40,
        ZONES: zones,
        FROM: NBF,
        UNTIL: EXP,
        REFERENCE: [1, commitment(bytes(256)), "p" * 24],
    }
    status: Value = {"status_list": {"idx": 2**32 - 1, "uri": "https://metro.example/" + "~" * 178}}
    payload = claims({STATUS: status, **WITH_HOLDER}, inner)
    text = of_live(payload, key=METRO_ES256, data=bytes(256))
    yield Case("the longest live code", "Limits", text + "\n", admitted(payload, data=bytes(256), live=True))


def _claims() -> Iterator[Case]:
    def case(name: str, rule: str, payload: dict[int | str, Value]) -> Case:
        return Case(name, f"Claims: {rule}", of_claims(payload), admitted(payload))

    zones: list[Value] = [f"{number:040}" for number in range(16)]
    largest: dict[int, Value | None] = {
        PRODUCT: "\U0001f68c" * 48,
        CATEGORY: "c" * 40,
        ZONES: zones,
        FROM: NBF,
        UNTIL: EXP,
        REFERENCE: [1, commitment(bytes(256)), "p" * 24],
    }
    uri = "https://metro.example/" + "~" * 178
    full = claims({STATUS: {"status_list": {"idx": 2**32 - 1, "uri": uri}}, **WITH_HOLDER}, largest)
    text = of_claims(full, data=bytes(256))
    yield Case("every claim, as long as it may be", "Limits", text, admitted(full, data=bytes(256)))
    smallest: dict[int, Value | None] = {
        PRODUCT: "1",
        CATEGORY: "0",
        ZONES: ["-"],
        REFERENCE: [1, commitment(bytes(16)), "p"],
    }
    small = claims({STATUS: {"status_list": {"idx": 0, "uri": "https://!"}}}, smallest)
    text = of_claims(small, data=bytes(16))
    yield Case("every claim, as short as it may be", "Limits", text, admitted(small, data=bytes(16)))
    yield case("self-enrolled", "assurance 0", claims(inner={ASSURANCE: 0}))
    yield case("rider category with hyphens inside", "name", claims(inner={CATEGORY: "a--9"}))
    yield case(
        "pack id with every kind of character", "pack-id", claims(inner={REFERENCE: [1, commitment(), "A.b_c+d-9"]})
    )
    yield case("status list reference", "status is carried", claims({STATUS: STATUS_CLAIM}))
    yield case("holder's key, printed form", "cnf", claims(WITH_HOLDER))
    yield case("product with spaces and letters beyond ASCII", "printable", claims(inner={PRODUCT: "Année  2026 日本"}))
    yield case("product in form C with a combining mark", "NFC", claims(inner={PRODUCT: "q\u0303"}))
    yield case("zones that differ in case only", "zones, each once", claims(inner={ZONES: ["a", "A"]}))
    yield case("pass id of zeros", "cti", claims({CTI: bytes(16)}))


def _times() -> Iterator[Case]:
    plain = claims()
    text = of_claims(plain)
    yield Case("first second", FIRST, text, admitted(plain), clock=NBF)
    yield Case("last second", LAST, text, admitted(plain), clock=EXP - 1)
    skewed = "Opening a pass, step 12: each widened by the clock skew"
    yield Case("first second by a clock that is slow", skewed, text, admitted(plain), clock=NBF - 600, clock_skew_s=600)
    yield Case("last second by a clock that is fast", skewed, text, admitted(plain), clock=EXP + 599, clock_skew_s=600)
    day = claims(inner={FROM: CLOCK, UNTIL: CLOCK + 1})
    yield Case("the product's only second", FIRST, of_claims(day), admitted(day))
    same = claims(inner={FROM: NBF, UNTIL: EXP})
    yield Case("the product's times are the pass's", "Claims: within them", of_claims(same), admitted(same))
    longest = claims({NBF_CLAIM: CLOCK, EXP_CLAIM: CLOCK + 1098 * DAY})
    yield Case("1,098 days", "Claims: at most 1,098 days", of_claims(longest), admitted(longest))
    shortest = claims({NBF_CLAIM: CLOCK, EXP_CLAIM: CLOCK + 1})
    yield Case("one second", "Claims: nbf < exp", of_claims(shortest), admitted(shortest))
    ending = claims({EXP_CLAIM: SHORT_KEYS_END})
    rule = "Opening a pass, step 8: no later than the last moment of either key"
    yield Case("ends with the issuer's key", rule, of_claims(ending, key=METRO_ENDING), admitted(ending))
    yield Case("ends with the gate group's key", rule, of_claims(ending, group=NORTH_ENDING), admitted(ending))
    south = claims({AUD: "metro/north-2"})
    other = of_claims(south)
    yield Case(
        "addressed to the gates that read it",
        "Opening a pass, step 11",
        other,
        admitted(south),
        audience="metro/north-2",
    )


def _live() -> Iterator[Case]:
    held = claims(WITH_HOLDER)
    shown = admitted(held, live=True)
    yield Case("live, made now", LIVE, of_live(held), shown)
    yield Case("live, made 25 seconds ago", LIVE, of_live(held, iat=CLOCK - 25), shown)
    yield Case("live, made 5 seconds from now", LIVE, of_live(held, iat=CLOCK + 5), shown)
    pin = claims(WITH_HOLDER, {REFERENCE: [2, commitment(PIN_DATA, SALT)]})
    text = of_live(pin, key=METRO_ES256, data=PIN_DATA)
    yield Case("live, ES256 and PIN", LIVE, text, admitted(pin, data=PIN_DATA, live=True))
    ahead = claims({**WITH_HOLDER, NBF_CLAIM: CLOCK + 600, CTI: drawn("live", 16)})
    rule = "Opening a pass, step 13: no skew is added"
    yield Case("live, before nbf by the skew", rule, of_live(ahead), admitted(ahead, live=True), clock_skew_s=600)
