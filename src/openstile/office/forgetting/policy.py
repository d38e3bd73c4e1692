"""How long the office keeps what, and the instants before which things go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from openstile.journal.taps import microseconds_of
from openstile.terms import BadInputError
from openstile.terms.limits import (
    AUDIT_DAYS_MAX,
    AUDIT_DAYS_MIN,
    BACKUP_DAYS_MAX,
    PASS_FORGOTTEN_DAYS,
    REVIEW_DAYS_MAX,
    TAP_HASHES_DAYS,
    TRIPS_HOURS_MAX,
)


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The instants before which things go, in microseconds (openstile.journal.taps.microseconds_of)."""

    now_us: int
    trips_us: int
    waiting_us: int
    audit_us: int
    passes_us: int
    hashes_us: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The operator's table `retention`. Raises BadInputError for times outside the limits.

    `trips_hours`: then a priced trip fades. `review_days`: for so long after it was received, a trip that cannot be
    priced waits for somebody to look at it; then it fades without a price. `audit_days`: of actions of staff and of
    alarms. `backup_days`: of backups, which hold trips that have faded since.
    """

    trips_hours: int = 48
    review_days: int = 14
    audit_days: int = 400
    backup_days: int = 7

    def __post_init__(self) -> None:
        for name, least, most in (
            ("trips_hours", 1, TRIPS_HOURS_MAX),
            ("review_days", 1, REVIEW_DAYS_MAX),
            (
                "audit_days",
                AUDIT_DAYS_MIN + 1,
                AUDIT_DAYS_MAX,
            ),  # a day more than the database insists on, by its own clock
            ("backup_days", 1, BACKUP_DAYS_MAX),
        ):
            if not least <= getattr(self, name) <= most:
                raise BadInputError(f"retention.{name}: must be from {least} to {most}")
        if self.review_days * 24 < self.trips_hours:
            raise BadInputError("retention.review_days: must not be shorter than retention.trips_hours")

    def cutoffs(self, now: datetime) -> Cutoffs:
        """What goes at `now`, an aware UTC instant."""
        return Cutoffs(
            now_us=microseconds_of(now),
            trips_us=microseconds_of(now - timedelta(hours=self.trips_hours)),
            waiting_us=microseconds_of(now - timedelta(days=self.review_days)),
            audit_us=microseconds_of(now - timedelta(days=self.audit_days)),
            passes_us=microseconds_of(now - timedelta(days=PASS_FORGOTTEN_DAYS)),
            hashes_us=microseconds_of(now - timedelta(days=TAP_HASHES_DAYS)),
        )
