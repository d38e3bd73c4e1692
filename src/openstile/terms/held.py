"""What a column of a database holds about people, and for how long: the open books are made from these declarations."""

from dataclasses import dataclass
from enum import StrEnum


class Holds(StrEnum):
    """What a value says, read together with its row."""

    NOTHING = "nothing about a rider"
    PLACE = "where a rider was"
    TIME = "when something was"
    DAY = "on which day something was"
    PASS = "which pass"
    ACCOUNT = "which account"
    CONTACT = "how to reach a rider"
    MONEY = "an amount"
    STAFF = "who of the staff"
    SECRET = "a key, or the hash of a secret"


class Until(StrEnum):
    """When a value goes."""

    TRIPS_FADE = (
        "trips fade (retention.trips_hours, 48 hours by default; what cannot be priced waits for somebody to look at "
        "it, at most retention.review_days, 14 by default)"
    )
    ACCOUNT_ERASED = "the account is erased"
    PASS_FORGOTTEN = "7 days after the pass ended"
    BOOKS_CLOSE = "the operator's books may go (the law on bookkeeping says when)"
    AUDIT_ENDS = "the audit log's time is over (retention.audit_days, 400 days by default)"
    EXPIRES = "it expires (at most a day)"
    SERVICE_ENDS = "the gate or the member of staff leaves"
    HISTORY_AGREED = "100 days later (with it a gate that was restored from a copy finds out what the office has)"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Held:
    """The declaration of one column."""

    holds: Holds
    until: Until

    def __post_init__(self) -> None:
        if self.holds in (Holds.PLACE, Holds.TIME) and self.until is Until.STAYS:
            raise ValueError(f"a column that says {self.holds.value} must not stay for ever")
