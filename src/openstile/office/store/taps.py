"""Taps: each stored once, until it fades into a count."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Index, String, Table, text

from openstile.office.store.metadata import HASH, METADATA, PASS_ID, ROW_ID, column
from openstile.terms.held import Holds, Until
from openstile.terms.limits import EPOCH_ID_MAX, TAP_SEQ_MAX

HELD_FOR_REVIEW = text("review IN ('waiting', 'rejected')")
"""Of taps that no pricing takes: few, so they have an index. Written as in the index, or engines do not use it."""

TAP = Table(
    "tap",
    METADATA,
    column("tap_id", ROW_ID, primary_key=True, autoincrement=False, until=Until.TRIPS_FADE),
    column("epoch_id", ROW_ID, ForeignKey("gate_epoch.epoch_id"), holds=Holds.PLACE, until=Until.TRIPS_FADE),
    column("seq", BigInteger, until=Until.TRIPS_FADE),
    column("hash", HASH, until=Until.TRIPS_FADE),
    column("pass_id", PASS_ID, holds=Holds.PASS, until=Until.TRIPS_FADE),
    column("at_us", BigInteger, index=True, holds=Holds.TIME, until=Until.TRIPS_FADE),
    column("product", String(48), until=Until.TRIPS_FADE),
    column("direction", String(3), until=Until.TRIPS_FADE),
    column("status_unsure", Boolean, until=Until.TRIPS_FADE),
    column("received_us", BigInteger, holds=Holds.TIME, until=Until.TRIPS_FADE),
    column("offset_us", BigInteger, nullable=True, until=Until.TRIPS_FADE),
    column("review", String(10), until=Until.TRIPS_FADE),
    column("review_reason", String(20), nullable=True, until=Until.TRIPS_FADE),
    Index("ix_tap_held", "pass_id", sqlite_where=HELD_FOR_REVIEW, postgresql_where=HELD_FOR_REVIEW),
    CheckConstraint("review IN ('clear', 'waiting', 'accepted', 'rejected')", name="review"),
)  # fmt: skip
"""`tap_id` is `tap_number` of the epoch and the seq, so the primary key lets each tap in once. `at_us` is the time that
pricing goes by: the gate's own, or the corrected one that a review accepted. `offset_us`: how far the gate's clock was
ahead, where that is known. Only taps that are clear or accepted are priced.

There is no index by pass, on purpose: passes come in no order, so each tap of a batch would write another page of it,
which measured three times the cost of the tap itself. A rider's taps are found by TAP_FRESH and JOURNEY.taps."""

TAP_FRESH = Table(
    "tap_fresh",
    METADATA,
    column("account_id", String(32), ForeignKey("account.account_id"), primary_key=True, holds=Holds.ACCOUNT,
           until=Until.TRIPS_FADE),
    column("tap_id", BigInteger, primary_key=True, autoincrement=False, until=Until.TRIPS_FADE),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Taps that are to be priced and that no pricing has seen yet. Who prices an account takes its rows out, in the same
transaction that writes the journeys with these taps; so this table stays small however many taps are kept."""

TAP_DAY = Table(
    "tap_day",
    METADATA,
    column("day", Date, primary_key=True, holds=Holds.DAY),
    column("product", String(48), primary_key=True),
    column("direction", String(3), primary_key=True),
    column("taps", BigInteger),
    column("unpriced", BigInteger, server_default="0"),
)
"""What is left of taps that faded: how many, by service day and product, and how many of them were never priced.
Neither gate nor pass."""


TAP_HASH = Table(
    "tap_hash",
    METADATA,
    column("tap_id", ROW_ID, primary_key=True, autoincrement=False, until=Until.HISTORY_AGREED),
    column("hash", HASH, until=Until.HISTORY_AGREED),
    column("day", Date, index=True, holds=Holds.DAY, until=Until.HISTORY_AGREED),
)
"""The hashes of taps that faded. Each is over a salt that the office never kept, so it says nothing of who tapped; with
them a gate that comes back with an older disk, days later, sends what is missing here and nothing twice."""


def tap_number(epoch_id: int, seq: int) -> int:
    """The id of tap `seq` (0 to TAP_SEQ_MAX) of an epoch: taps of one epoch lie together, in their order."""
    if not (0 < epoch_id <= EPOCH_ID_MAX and 0 <= seq <= TAP_SEQ_MAX):
        raise ValueError(f"tap {seq} of epoch {epoch_id}: no such number")
    return epoch_id * (TAP_SEQ_MAX + 1) + seq
