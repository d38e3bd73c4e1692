"""One row of the register: a pass that was issued, and how it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openstile.passes.claims import StatusReference, check_instant
from openstile.terms import BadInputError, PassId
from openstile.terms.limits import KEY_ID_BYTES, PRODUCT_CHARS_MAX


class PassState(StrEnum):
    """How a pass stands. Suspended and revoked look the same in a status list: withdrawn."""

    VALID = "valid"
    SUSPENDED = "suspended"
    """Refused until it is reinstated."""
    REVOKED = "revoked"
    """Refused for good."""


@dataclass(frozen=True, slots=True)
class RegisteredPass:
    """What the issuer keeps of a pass: nothing of its rider.

    `issuer_kid` signed it, `group_kid` is the key it is sealed to (KEY_ID_BYTES each). `token_sha256` is the hash of
    its signed token: it tells a pass that was issued here from one forged with a stolen issuer key, and says nothing of
    the rider, for the token holds a salted commitment only. Times are whole seconds in UTC.
    `status` is None for a pass that names no status list; it is always valid, for gates cannot be told otherwise.
    `changed_at` is when its state last changed, None when never.
    """

    pass_id: PassId
    product: str
    issuer_kid: bytes
    group_kid: bytes
    token_sha256: bytes
    not_before: datetime
    expires: datetime
    status: StatusReference | None = None
    state: PassState = PassState.VALID
    changed_at: datetime | None = None

    def __post_init__(self) -> None:
        what = f"pass {self.pass_id}"
        if not 1 <= len(self.product) <= PRODUCT_CHARS_MAX:
            raise BadInputError(f"{what}: its product has {len(self.product)} characters, use 1 to {PRODUCT_CHARS_MAX}")
        if len(self.issuer_kid) != KEY_ID_BYTES or len(self.group_kid) != KEY_ID_BYTES:
            raise BadInputError(f"{what}: the ids of its keys do not have {KEY_ID_BYTES} bytes")
        if len(self.token_sha256) != 32:
            raise BadInputError(f"{what}: the hash of its token does not have 32 bytes")
        for instant in (self.not_before, self.expires, self.changed_at):
            if instant is not None:
                check_instant(instant, what=what)
        if self.expires <= self.not_before:
            raise BadInputError(f"{what}: ends before it begins")
        if self.state is not PassState.VALID and (self.status is None or self.changed_at is None):
            raise BadInputError(f"{what}: is {self.state}, so it names a status list and when that was decided")

    @property
    def withdrawn(self) -> bool:
        """Whether gates shall refuse it."""
        return self.state is not PassState.VALID
