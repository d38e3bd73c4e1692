"""Taps: each stored once, until it fades into a count."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Index, String, Table, UniqueConstraint

from openstile.office.store.metadata import HASH, METADATA, PASS_ID, ROW_ID, column
from openstile.terms.held import Holds, Until

TAP = Table(
    "tap",
    METADATA,
    column("tap_id", ROW_ID, primary_key=True, autoincrement=True, until=Until.TRIPS_FADE),
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
    UniqueConstraint("epoch_id", "seq"),
    Index("ix_tap_pass_id_at_us", "pass_id", "at_us"),
    CheckConstraint("review IN ('clear', 'waiting', 'accepted', 'rejected')", name="review"),
)
"""`at_us` is the time that pricing goes by: the gate's own, or the corrected one that a review accepted. `offset_us`:
how far the gate's clock was ahead, where that is known. Only taps that are clear or accepted are priced."""

TAP_DAY = Table(
    "tap_day",
    METADATA,
    column("day", Date, primary_key=True, holds=Holds.DAY),
    column("product", String(48), primary_key=True),
    column("direction", String(3), primary_key=True),
    column("taps", BigInteger),
)
"""What is left of taps that faded: how many, by service day and product. Neither gate nor pass."""
