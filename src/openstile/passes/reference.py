"""The reference of a pass: what the rider is compared with, and what an issuer signs about it."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from openstile.terms import BadInputError
from openstile.terms.limits import (
    COMMITMENT_BYTES,
    PACK_ID_CHARS_MAX,
    REFERENCE_BYTES_MIN,
    TEMPLATE_BYTES_MAX,
)

PIN_REFERENCE_BYTES: Final = 32
"""Salt and Argon2id tag, 16 bytes each (openstile.passes.pin)."""

_PACK_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?")


class ReferenceKind(Enum):
    """What the rider is compared with."""

    FACE = "face"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Reference:
    """What the rider is compared with, in the clear: only ever in memory.

    `data` is a template of the model pack `pack_id`, or a verifier of a PIN (no pack). Never shown by repr.
    """

    kind: ReferenceKind
    pack_id: str | None
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_pack(self.kind, self.pack_id)
        if self.kind is ReferenceKind.PIN and len(self.data) != PIN_REFERENCE_BYTES:
            raise BadInputError(f"PIN reference: has {len(self.data)} bytes, must have {PIN_REFERENCE_BYTES}")
        if not REFERENCE_BYTES_MIN <= len(self.data) <= TEMPLATE_BYTES_MAX:
            raise BadInputError(
                f"reference: has {len(self.data)} bytes, must have {REFERENCE_BYTES_MIN} to {TEMPLATE_BYTES_MAX}"
            )


@dataclass(frozen=True, slots=True)
class ReferenceClaim:
    """What the issuer signs about the reference: its kind, its pack and SHA-256(salt || data), never the data."""

    kind: ReferenceKind
    pack_id: str | None
    commitment: bytes

    def __post_init__(self) -> None:
        _check_pack(self.kind, self.pack_id)
        if len(self.commitment) != COMMITMENT_BYTES:
            raise BadInputError(f"commitment: has {len(self.commitment)} bytes, must have {COMMITMENT_BYTES}")


def _check_pack(kind: ReferenceKind, pack_id: str | None) -> None:
    if (pack_id is None) != (kind is ReferenceKind.PIN):
        raise BadInputError("reference: a face names its model pack, a PIN has none")
    if pack_id is not None and (len(pack_id) > PACK_ID_CHARS_MAX or not _PACK_ID.fullmatch(pack_id)):
        raise BadInputError(
            f"model pack {pack_id[: 2 * PACK_ID_CHARS_MAX]!r}: use 1 to {PACK_ID_CHARS_MAX} letters, digits, . _ + or -"
        )
