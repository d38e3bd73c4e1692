"""Identifiers. None of them says anything about a person."""

import re
from dataclasses import dataclass

from openstile.terms.errors import BadInputError
from openstile.terms.limits import PASS_ID_BYTES

_GATE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class PassId:
    """The `cti` claim of a pass (RFC 8392, section 3.1.7): 16 random bytes, shown as 32 hexadecimal digits."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != PASS_ID_BYTES:
            raise BadInputError(f"pass id: has {len(self.value)} bytes, must have {PASS_ID_BYTES}")

    def __str__(self) -> str:
        return self.value.hex()


@dataclass(frozen=True, slots=True)
class GateId:
    """Name of one gate: 1 to 40 lower-case letters, digits and inner hyphens."""

    value: str

    def __post_init__(self) -> None:
        if not _GATE_ID.fullmatch(self.value):
            raise BadInputError(
                f"gate id {self.value!r}: use 1 to 40 lower-case letters, digits or hyphens, such as north-1"
            )

    def __str__(self) -> str:
        return self.value
