"""How many passes depend on a key: what a rotation or a revocation would touch."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from openstile.terms import BadInputError
from openstile.terms.limits import KEY_ID_BYTES

_KID = re.compile(rf"[0-9a-f]{{{2 * KEY_ID_BYTES}}}")


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The passes that one key made, or that are sealed to it, and that have not ended.

    `role` and `kid` (hexadecimal) are those of the key as `openstile keys list` shows them. `passes` counts those that
    riders can use: neither ended nor suspended nor revoked. `last_expires` is when the last of them ends, suspended
    ones included, for they may come back; None when there is none.
    """

    role: Literal["issuer", "gate-group"]
    kid: str
    passes: int
    last_expires: datetime | None

    def __post_init__(self) -> None:
        if self.role not in ("issuer", "gate-group"):
            raise BadInputError(f"key usage: {self.role!r} is not issuer or gate-group")
        if not _KID.fullmatch(self.kid):
            raise BadInputError(f"key usage: {self.kid[:40]!r} is not the id of a key")
        if self.passes < 0 or (self.passes and self.last_expires is None):
            raise BadInputError(f"key usage: {self.passes} passes of key {self.kid} do not fit their last end")
        if self.last_expires is not None and self.last_expires.tzinfo is not UTC:
            raise BadInputError(f"key usage: the last end {self.last_expires} is not in UTC")
