"""Journeys as they were priced, until they fade to day, product and amount; and whose pricing is due."""

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Table, Text, text

from openstile.office.store.metadata import METADATA, column
from openstile.terms.held import Holds, Until

UNFADED = text("state <> 'faded'")
"""Journeys that have not faded are few, so they have an index. Written as in the index, or SQLite does not use it."""

JOURNEY = Table(
    "journey",
    METADATA,
    column("journey_id", String(32), primary_key=True, until=Until.BOOKS_CLOSE),
    column("account_id", String(32), ForeignKey("account.account_id"), holds=Holds.ACCOUNT, until=Until.BOOKS_CLOSE),
    column("day", Date, holds=Holds.DAY, until=Until.BOOKS_CLOSE),
    column("products", String(400)),
    column("amount_minor", BigInteger, holds=Holds.MONEY, until=Until.BOOKS_CLOSE),
    column("currency", String(3)),
    column("state", String(14)),
    column("posting_id", String(32), nullable=True, until=Until.BOOKS_CLOSE),
    column("counted", Text, nullable=True),
    column("key", String(40), nullable=True, until=Until.TRIPS_FADE),
    column("taps", Text, nullable=True, holds=Holds.PLACE, until=Until.TRIPS_FADE),
    column("started_us", BigInteger, nullable=True, holds=Holds.TIME, until=Until.TRIPS_FADE),
    column("ended_us", BigInteger, nullable=True, holds=Holds.TIME, until=Until.TRIPS_FADE),
    column("from_stop", String(200), nullable=True, holds=Holds.PLACE, until=Until.TRIPS_FADE),
    column("to_stop", String(200), nullable=True, holds=Holds.PLACE, until=Until.TRIPS_FADE),
    column("explanation", Text, nullable=True, holds=Holds.PLACE, until=Until.TRIPS_FADE),
    Index("ix_journey_account_id_day", "account_id", "day"),
    Index("ix_journey_unfaded", "account_id", sqlite_where=UNFADED, postgresql_where=UNFADED),
    CheckConstraint(
        "state IN ('complete', 'open', 'missing_exit', 'missing_entry', 'unknown', 'superseded', 'faded')", name="state"
    ),
    sqlite_with_rowid=False,
)  # fmt: skip
"""`key` is that of fares.PricedJourney: stable while the journey's first tap is. `counted` (JSON) is what caps and
period products need to know of it after it has faded: no place, no time. A journey that is priced anew gets a new row,
and the old one is superseded; the ledger reverses and posts. Rows lie by their random id: SQLite would number them in
the order in which they were priced, which is when people rode."""

PRICING_DUE = Table(
    "pricing_due",
    METADATA,
    column("account_id", String(32), ForeignKey("account.account_id"), primary_key=True, holds=Holds.ACCOUNT,
           until=Until.TRIPS_FADE),
    column("due_us", BigInteger, index=True, holds=Holds.TIME, until=Until.TRIPS_FADE),
)  # fmt: skip
"""Accounts with taps that no pricing has seen, or whose journeys may have ended without a tap."""
