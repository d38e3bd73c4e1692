"""A vector of a pass, and the pass that the others are made from by changing one thing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.vectors.raw_cbor import Value, write
from tests.vectors.vector_keys import CLOCK, DAY, HOLDER, METRO, NORTH, Group, Key, drawn, proof, seal, text, token

from openstile.passes.pin import make_pin_reference

NBF, EXP = CLOCK - DAY, CLOCK + 364 * DAY
SALT = drawn("salt", 16)
TEMPLATE = drawn("template", 128)
PIN_DATA = make_pin_reference("4711", random=lambda length: drawn("PIN salt", length)).data
"""Of the PIN 4711."""
PACK = "centerface-dlib-1"
ISS, AUD, EXP_CLAIM, NBF_CLAIM, CTI, CNF, STATUS, PASS = 1, 3, 4, 5, 7, 8, 65535, -65537
VERSION, PRODUCT, CATEGORY, ZONES, FROM, UNTIL, ASSURANCE, REFERENCE = range(1, 9)
COSE_KEY: dict[int | str, Value] = {1: 2, -1: 1, -2: HOLDER.point[1:33], -3: HOLDER.point[33:]}
WITH_HOLDER: dict[int, Value] = {CNF: {1: COSE_KEY}}
STATUS_CLAIM: Value = {"status_list": {"idx": 0, "uri": "https://metro.example/status/1"}}

Changes = Mapping[int, Value | None]
"""Entries to set, or to leave out where None."""


@dataclass(frozen=True)
class Case:
    """One vector. `rule` begins with the section of docs/pass-format.md that it is in; `expected` is a fault, or what
    is read from the pass."""

    name: str
    rule: str
    presented: str
    expected: str | dict[str, Any]
    clock: int = CLOCK
    clock_skew_s: int = 0
    audience: str = "metro/north"

    def as_json(self) -> dict[str, Any]:
        settings = {"clock": self.clock, "clock_skew_s": self.clock_skew_s, "audience": self.audience}
        outcome = {"fault": self.expected} if isinstance(self.expected, str) else {"admitted": self.expected}
        return {
            "name": self.name,
            "rule": self.rule,
            **settings,
            "expected": outcome,
            "presented": self.presented,
        }


def commitment(data: bytes = TEMPLATE, salt: bytes = SALT) -> bytes:
    return hashlib.sha256(salt + data).digest()


FACE: list[Value] = [1, commitment(), PACK]
PIN: list[Value] = [2, commitment(PIN_DATA)]


def claims(outer: Changes | None = None, inner: Changes | None = None) -> dict[int | str, Value]:
    """The claims of a plain pass with a face, and these changes."""
    private: dict[int, Value | None] = {VERSION: 1, PRODUCT: "Annual", ASSURANCE: 1, REFERENCE: FACE, **(inner or {})}
    public: dict[int, Value | None] = {
        ISS: "metro",
        AUD: "metro/north",
        EXP_CLAIM: EXP,
        NBF_CLAIM: NBF,
        CTI: drawn("pass id", 16),
        PASS: _present(private),
        **(outer or {}),
    }
    return _present(public)


def content(signed: bytes, *, salt: Value = SALT, data: Value = TEMPLATE, live: Value | None = None) -> bytes:
    return write([signed, salt, data, *([live] if live is not None else [])])


def of_token(signed: bytes, *, group: Group = NORTH, salt: Value = SALT, data: Value = TEMPLATE) -> str:
    """A pass around this token."""
    return text(seal(content(signed, salt=salt, data=data), group=group))


def of_claims(payload: Value, *, key: Key = METRO, group: Group = NORTH, data: bytes = TEMPLATE) -> str:
    """A pass around these claims, signed."""
    return of_token(token(write(payload), key=key), group=group, data=data)


def of_live(payload: Value, *, iat: int = CLOCK, key: Key = METRO, holder: Key = HOLDER, data: bytes = TEMPLATE) -> str:
    """A live code of these claims."""
    signed = token(write(payload), key=key)
    return text(seal(content(signed, data=data, live=proof(signed, {6: iat}, key=holder))))


def admitted(payload: dict[int | str, Value], *, data: bytes = TEMPLATE, live: bool = False) -> dict[str, Any]:
    """What a reader makes of these claims, in JSON."""
    inner: Any = payload[PASS]
    listed: Any = payload.get(STATUS)
    holder: Any = payload.get(CNF)
    reference = inner[REFERENCE]
    return {
        "pass_id": _hex(payload[CTI]),
        "issuer": payload[ISS],
        "audience": payload[AUD],
        "not_before": payload[NBF_CLAIM],
        "expires": payload[EXP_CLAIM],
        "product": inner[PRODUCT],
        "rider_category": inner.get(CATEGORY),
        "zones": inner.get(ZONES, []),
        "valid_from": inner.get(FROM),
        "valid_until": inner.get(UNTIL),
        "assurance": ("self-enrolled", "supervised")[inner[ASSURANCE]],
        "status": None if listed is None else listed["status_list"],
        "holder": None if holder is None else (b"\x04" + holder[1][-2] + holder[1][-3]).hex(),
        "kind": {1: "face", 2: "pin"}[reference[0]],
        "pack": reference[2] if len(reference) > 2 else None,
        "commitment": reference[1].hex(),
        "reference": data.hex(),
        "live": live,
    }


def _hex(value: Value) -> str:
    assert isinstance(value, bytes)
    return value.hex()


def _present(entries: Mapping[int, Value | None]) -> dict[int | str, Value]:
    return {key: value for key, value in entries.items() if value is not None}
