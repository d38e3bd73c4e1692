"""What a pass says: frozen values that check themselves, so that one which exists is one that a pass may carry."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from openstile.passes.holder import HolderPublicKey
from openstile.passes.reference import ReferenceClaim
from openstile.terms import BadInputError, PassId
from openstile.terms.limits import (
    EPOCH_SECONDS_MAX,
    NAME_CHARS_MAX,
    PASS_DAYS_MAX,
    PRODUCT_CHARS_MAX,
    STATUS_INDEX_MAX,
    STATUS_URI_CHARS_MAX,
    ZONES_MAX,
)

PASS_VERSION: Final = 1

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_STATUS_URI = re.compile(r"https://[!-~]+")


class Assurance(Enum):
    """Who saw that the reference is the rider's own."""

    SELF_ENROLLED = "self-enrolled"
    SUPERVISED = "supervised"


@dataclass(frozen=True, slots=True)
class Audience:
    """The gates a pass is for: an operator and one group of its gates. Written `operator/gate-group`."""

    operator: str
    gate_group: str

    def __post_init__(self) -> None:
        check_name(self.operator, what="operator")
        check_name(self.gate_group, what="gate group")

    def __str__(self) -> str:
        return f"{self.operator}/{self.gate_group}"

    @classmethod
    def parse(cls, text: str) -> "Audience":
        """The audience written as `operator/gate-group`. Raises BadInputError."""
        operator, slash, gate_group = text.partition("/")
        if not slash:
            raise BadInputError(f"gate group {text[:90]!r}: write operator/gate-group, such as metro/north")
        return cls(operator, gate_group)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the rider may do: a product and, where it matters, a category, zones and a time within the pass's own."""

    product: str
    rider_category: str | None = None
    zones: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        _check_text(self.product, what="product", chars_max=PRODUCT_CHARS_MAX)
        if self.rider_category is not None:
            check_name(self.rider_category, what="rider category")
        if len(self.zones) > ZONES_MAX or len(set(self.zones)) != len(self.zones):
            raise BadInputError(f"zones: has {len(self.zones)}, use at most {ZONES_MAX}, each once")
        for zone in self.zones:
            _check_text(zone, what="zone", chars_max=NAME_CHARS_MAX)
        for instant, what in ((self.valid_from, "valid from"), (self.valid_until, "valid until")):
            if instant is not None:
                check_instant(instant, what=what)
        if self.valid_from is not None and self.valid_until is not None and self.valid_from >= self.valid_until:
            raise BadInputError("product: is valid until a time before it is valid from")


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where this pass stands in a Token Status List: the list's address and a random index in it."""

    uri: str
    index: int

    def __post_init__(self) -> None:
        if len(self.uri) > STATUS_URI_CHARS_MAX or not _STATUS_URI.fullmatch(self.uri):
            raise BadInputError(f"status list: use an https:// address of at most {STATUS_URI_CHARS_MAX} characters")
        if not 0 <= self.index <= STATUS_INDEX_MAX:
            raise BadInputError(f"status list: index {self.index} is not 0 to {STATUS_INDEX_MAX}")


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything an issuer signs. Times are whole seconds, `not_before` <= valid < `expires`."""

    issuer: str
    audience: Audience
    not_before: datetime
    expires: datetime
    pass_id: PassId
    entitlement: Entitlement
    assurance: Assurance
    reference: ReferenceClaim
    status: StatusReference | None = None
    holder: HolderPublicKey | None = None
    """The key on the rider's phone, where the pass may be shown live."""

    def __post_init__(self) -> None:
        check_name(self.issuer, what="issuer")
        check_instant(self.not_before, what="not before")
        check_instant(self.expires, what="expires")
        if not timedelta(0) < self.expires - self.not_before <= timedelta(days=PASS_DAYS_MAX):
            raise BadInputError(
                f"validity: from {self.not_before} to {self.expires}, must be between 1 second and {PASS_DAYS_MAX} days"
            )
        start, end = self.entitlement.valid_from, self.entitlement.valid_until
        if (start is not None and start < self.not_before) or (end is not None and end > self.expires):
            raise BadInputError("product: is valid at a time at which the pass is not")
        if (start is not None and start >= self.expires) or (end is not None and end <= self.not_before):
            raise BadInputError("product: is valid at no time at which the pass is")

    @property
    def usable_from(self) -> datetime:
        """The later of the pass's and its product's beginning."""
        return self.entitlement.valid_from or self.not_before

    @property
    def usable_until(self) -> datetime:
        """The earlier of the pass's and its product's end."""
        return self.entitlement.valid_until or self.expires


def check_name(text: str, *, what: str) -> None:
    """Refuses, with BadInputError, what is not 1 to NAME_CHARS_MAX lower-case letters, digits and inner hyphens."""
    if len(text) > NAME_CHARS_MAX or not _NAME.fullmatch(text):
        raise BadInputError(
            f"{what} {text[: 2 * NAME_CHARS_MAX]!r}: use 1 to {NAME_CHARS_MAX} lower-case letters, digits or hyphens"
        )


def _check_text(text: str, *, what: str, chars_max: int) -> None:
    """Printable text in Unicode's normal form C: looks the same to everyone who reads it."""
    plain = text.isprintable() and text == text.strip() and unicodedata.is_normalized("NFC", text)
    if not 1 <= len(text) <= chars_max or not plain:
        raise BadInputError(f"{what} {text[: 2 * chars_max]!r}: use 1 to {chars_max} printable characters (NFC)")


def check_instant(instant: datetime, *, what: str) -> None:
    """Refuses, with BadInputError, what is not a whole second in UTC between 1970 and 2242."""
    if instant.tzinfo is not UTC or instant.microsecond:
        raise BadInputError(f"{what}: {instant} is not a whole second in UTC")
    if not 0 <= instant.timestamp() <= EPOCH_SECONDS_MAX:
        raise BadInputError(f"{what}: {instant} is outside 1970 to 2242")
