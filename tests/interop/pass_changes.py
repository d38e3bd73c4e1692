"""Passes and status lists changed at random, in every layer: bytes, and values that are signed and sealed anew."""

import random
from collections.abc import Callable
from typing import Any

from tests.vectors.pass_case import (
    PIN,
    PIN_DATA,
    REFERENCE,
    SALT,
    STATUS,
    STATUS_CLAIM,
    TEMPLATE,
    WITH_HOLDER,
    claims,
    content,
)
from tests.vectors.raw_cbor import Value, write
from tests.vectors.status_cases import TYPE, signed
from tests.vectors.status_cases import claims as list_claims
from tests.vectors.vector_keys import (
    CLOCK,
    DAY,
    FERRIES,
    HOLDER,
    METRO,
    METRO_ES256,
    NORTH,
    Key,
    proof,
    ring_as_json,
    seal,
    text,
    token,
)

from openstile.passes.text import to_text
from openstile.terms.limits import PASS_BYTES_MAX

ZONES: list[Value] = ["1", "2"]
FULL = claims({STATUS: STATUS_CLAIM, **WITH_HOLDER}, {3: "student", 4: ZONES, 5: CLOCK - 60, 6: CLOCK + DAY})
PIN_CLAIMS = claims(inner={REFERENCE: PIN})
KEYS: tuple[Key, ...] = (METRO, METRO_ES256, FERRIES, HOLDER)
INTEGERS = (0, 1, 2, 3, 7, 23, 24, 255, 256, CLOCK, CLOCK + 1, 2**32, 2**33, 2**53, 2**53 + 1, 2**63, 2**64 - 1, -1, -8)
STRINGS = (
    "",
    "1",
    "metro",
    "metro/north",
    "Annual ",
    "Ann\u0301e",
    "é",
    "\u00a0",
    "\ufeffA",
    "\u200d",
    "\U0001f68c",
    "a\n",
    "https://a",
)


def changed_passes(seed: int, count: int) -> dict[str, Any]:
    """A file of `count` vectors without expectations."""
    dice = random.Random(seed)
    vectors: list[dict[str, Any]] = []
    while len(vectors) < count:
        change = dice.choices(CHANGES, WEIGHTS)[0]
        presented = change(dice)
        if presented is None:
            continue
        settings = {
            "clock": CLOCK + dice.choice((0, 0, 0, -26, 25, 26, DAY, -DAY)),
            "clock_skew_s": dice.choice((0, 600)),
        }
        name = f"{change.__name__} {len(vectors)}"
        vectors.append({"name": name, "audience": "metro/north", **settings, "presented": presented})
    return {"gate": ring_as_json(), "vectors": vectors}


def changed_lists(seed: int, count: int) -> dict[str, Any]:
    """A file of `count` status list tokens without expectations."""
    dice = random.Random(seed)
    vectors = []
    for number in range(count):
        key = dice.choice((METRO, METRO_ES256, FERRIES))
        plain: Value = list_claims()
        headers: Value = {1: key.alg, 4: key.kid, 16: TYPE}
        match dice.randrange(4):
            case 0:
                made = mutate(signed(plain, key=key), dice)
            case 1:
                made = signed(plain, key=key, protected=rebuild(headers, dice))
            case _:
                made = signed(rebuild(plain, dice), key=key)
        vectors.append({"name": f"list {number}", "clock": CLOCK + dice.choice((0, -DAY)), "token": made.hex()})
    return {"gate": ring_as_json(), "vectors": vectors}


def _plain(dice: random.Random) -> tuple[dict[int | str, Value], bytes]:
    return dice.choice(((FULL, TEMPLATE), (claims(), TEMPLATE), (PIN_CLAIMS, PIN_DATA)))


def _text(dice: random.Random) -> str:
    payload, data = _plain(dice)
    presented = text(seal(content(token(write(payload)), data=data)))
    at, letter = dice.randrange(len(presented)), dice.choice("\n 0Z:a\u00e9$")
    return presented[:at] + letter + presented[at + dice.randrange(2) :]


def _binary(dice: random.Random) -> str | None:
    payload, data = _plain(dice)
    return _as_text(mutate(seal(content(token(write(payload)), data=data)), dice))


def _content_bytes(dice: random.Random) -> str | None:
    payload, data = _plain(dice)
    return _as_text(seal(mutate(content(token(write(payload)), data=data), dice)))


def _content_value(dice: random.Random) -> str | None:
    held = token(write(FULL))
    parts: Value = [held, SALT, TEMPLATE, proof(held, {6: CLOCK})]
    return _as_text(seal(write(rebuild(parts, dice))))


def _seal_headers(dice: random.Random) -> str | None:
    headers: Value = {1: 35, 4: NORTH.kid}
    return _as_text(seal(content(token(write(FULL))), protected=rebuild(headers, dice)))


def _token_bytes(dice: random.Random) -> str | None:
    payload, data = _plain(dice)
    return _as_text(seal(content(mutate(token(write(payload)), dice), data=data)))


def _token_headers(dice: random.Random) -> str | None:
    key = dice.choice(KEYS)
    headers: Value = {1: key.alg, 4: key.kid}
    return _as_text(seal(content(token(write(FULL), key=key, protected=rebuild(headers, dice)))))


def _payload_bytes(dice: random.Random) -> str | None:
    payload, data = _plain(dice)
    return _as_text(seal(content(token(mutate(write(payload), dice)), data=data)))


def _payload_value(dice: random.Random) -> str | None:
    payload, data = _plain(dice)
    return _as_text(seal(content(token(write(rebuild(payload, dice)), key=dice.choice(KEYS[:2])), data=data)))


def _proof_bytes(dice: random.Random) -> str | None:
    held = token(write(FULL))
    return _as_text(seal(content(held, live=mutate(proof(held, {6: CLOCK}), dice))))


def _proof_value(dice: random.Random) -> str | None:
    held, headers = token(write(FULL)), dice.choice((None, rebuild({1: -7}, dice)))
    made = proof(held, rebuild({6: CLOCK + dice.randrange(-30, 10)}, dice), protected=headers)
    return _as_text(seal(content(held, live=made)))


def _proof_time(dice: random.Random) -> str | None:
    held = token(write(FULL))
    return _as_text(seal(content(held, live=proof(held, {6: CLOCK + dice.randrange(-30, 10)}))))


CHANGES: tuple[Callable[[random.Random], str | None], ...] = (
    _text,
    _binary,
    _content_bytes,
    _content_value,
    _seal_headers,
    _token_bytes,
    _token_headers,
    _payload_bytes,
    _payload_value,
    _proof_bytes,
    _proof_value,
    _proof_time,
)
WEIGHTS = (2, 2, 1, 2, 1, 1, 1, 3, 8, 1, 2, 1)


def _as_text(binary: bytes) -> str | None:
    return to_text(binary) if 0 < len(binary) <= PASS_BYTES_MAX else None


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One to three changes: a bit, a byte, a cut, a hole, an insertion."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 3))):
        at = dice.randrange(len(changed) or 1)
        match dice.randrange(5):
            case 0 if changed:
                changed[at] ^= 1 << dice.randrange(8)
            case 1 if changed:
                changed[at] = dice.randrange(256)
            case 2:
                del changed[at:]
            case 3:
                del changed[at : at + dice.randrange(1, 5)]
            case _:
                changed[at:at] = dice.randbytes(dice.randrange(1, 4))
    return bytes(changed)


def rebuild(value: Value, dice: random.Random) -> Value:
    """The value with one thing in it changed, somewhere."""
    match value:
        case dict() if value and dice.random() < 0.85:
            key = dice.choice(list(value))
            match dice.randrange(12):
                case 0:
                    return {other: item for other, item in value.items() if other != key}
                case 1:
                    return {**value, dice.choice((*INTEGERS, "x", 9)): _any(dice)}
                case _:
                    return {**value, key: rebuild(value[key], dice)}
        case list() if value and dice.random() < 0.85:
            at = dice.randrange(len(value))
            match dice.randrange(8):
                case 0:
                    return [*value[:at], *value[at + 1 :]]
                case 1:
                    return [*value[:at], _any(dice), *value[at:]]
                case _:
                    return [*value[:at], rebuild(value[at], dice), *value[at + 1 :]]
        case int() if dice.random() < 0.7:
            return value + dice.choice((-1, 1, -DAY, DAY))
        case str() if dice.random() < 0.7:
            at = dice.randrange(len(value) + 1)
            return value[:at] + dice.choice(STRINGS) + value[at + dice.randrange(2) :]
        case bytes() if dice.random() < 0.7:
            return mutate(value, dice)
        case _:
            return _any(dice)


def _any(dice: random.Random) -> Value:
    kinds: tuple[Value, ...] = (
        dice.choice(INTEGERS),
        dice.choice(STRINGS),
        dice.randbytes(dice.choice((0, 8, 16, 32))),
        [dice.choice(INTEGERS)],
        {dice.choice(INTEGERS): dice.choice(STRINGS)},
        [],
        {},
    )
    return dice.choice(kinds)
