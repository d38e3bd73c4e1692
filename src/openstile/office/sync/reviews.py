"""Taps that somebody must look at before they are priced: listed, accepted at one time or another, or rejected."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from openstile.journal import Direction
from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.store.accounts import PASS
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.taps import HELD_FOR_REVIEW, TAP
from openstile.office.sync.clocks import ReviewReason
from openstile.office.sync.faults import SyncError
from openstile.office.sync.tap_rows import make_due
from openstile.terms import GateId, PassId
from openstile.terms.limits import PAGE_ITEMS_MAX

_AHEAD_MAX, _AGE_MAX = timedelta(hours=3), timedelta(days=62)
"""No tap was made after it came, and none is priced that is older than gates keep any: trips fade by these times."""


class ReviewTime(StrEnum):
    """Which time an accepted tap is priced by."""

    GATE = "gate"
    """The one that the gate's clock told."""
    CORRECTED = "corrected"
    """That, less what the gate's clock was ahead by the office's estimate."""


@dataclass(frozen=True, slots=True)
class WaitingTap:
    """A tap that waits for review. `corrected` is None when there is no estimate; `account_id` None while no account
    has the pass. Times are aware UTC.
    """

    tap_id: int
    gate_id: GateId
    pass_id: PassId
    account_id: str | None
    at: datetime
    corrected: datetime | None
    received: datetime
    product: str
    direction: Direction
    reason: ReviewReason


def list_reviews(connection: Connection, *, after: int = 0, limit: int = PAGE_ITEMS_MAX) -> tuple[WaitingTap, ...]:
    """At most `limit` taps that wait, with ids behind `after`, by id."""
    number = TAP.c.tap_id + 0  # not the column: SQLite would walk through all taps in its order, for the few that wait
    chosen = _waiting().where(number > after).order_by(number).limit(limit)
    return tuple(_tap_of(row) for row in connection.execute(chosen))


def accept_tap(connection: Connection, tap_id: int, *, time: ReviewTime, now: datetime) -> WaitingTap:
    """The tap counts, at the time that `time` says, and is priced at the next occasion; returns it as it was.

    Raises SyncError when it does not wait, no account has its pass, or it has no such time that can be.
    """
    tap = _locked(connection, tap_id)
    if tap.account_id is None:
        raise SyncError("conflict", "tap: no account has its pass; put the pass on an account first, or reject it")
    at = tap.at if time is ReviewTime.GATE else tap.corrected
    if at is not None and not -_AHEAD_MAX <= tap.received - at <= _AGE_MAX:
        when = "still to come" if at > tap.received else "long over"
        raise SyncError("conflict", f"tap: that time is {when}; accept it at the other one, or reject it")
    if at is None:
        raise SyncError("conflict", "tap: how wrong the gate's clock was is not known; accept it at the gate's time")
    _decide(connection, tap_id, review="accepted", at_us=microseconds_of(at))
    make_due(connection, [(tap.account_id, tap_id)], now_us=microseconds_of(now))
    return tap


def reject_tap(connection: Connection, tap_id: int) -> WaitingTap:
    """The tap does not count; it stays until it fades. Raises SyncError when it does not wait."""
    tap = _locked(connection, tap_id)
    _decide(connection, tap_id, review="rejected")
    return tap


def _decide(connection: Connection, tap_id: int, **values: Any) -> None:
    connection.execute(update(TAP).where(TAP.c.tap_id == tap_id).values(**values))


def _locked(connection: Connection, tap_id: int) -> WaitingTap:
    """Two members of staff decide about a tap once."""
    row = connection.execute(_waiting().where(TAP.c.tap_id == tap_id).with_for_update(of=TAP)).one_or_none()
    if row is None:
        raise SyncError("not-found", "tap: none with this id waits for review; look at the list")
    return _tap_of(row)


def _waiting() -> Select[Any]:
    """`HELD_FOR_REVIEW` is there for the sake of its index."""
    return (
        select(TAP, GATE_EPOCH.c.gate_id, PASS.c.account_id)
        .join(GATE_EPOCH, GATE_EPOCH.c.epoch_id == TAP.c.epoch_id)
        .join(PASS, PASS.c.pass_id == TAP.c.pass_id, isouter=True)
        .where(HELD_FOR_REVIEW, TAP.c.review == "waiting")
    )


def _tap_of(row: Row[Any]) -> WaitingTap:
    return WaitingTap(
        tap_id=row.tap_id,
        gate_id=GateId(row.gate_id),
        pass_id=PassId(row.pass_id),
        account_id=row.account_id,
        at=instant_of(row.at_us),
        corrected=_corrected(row),
        received=instant_of(row.received_us),
        product=row.product,
        direction=Direction(row.direction),
        reason=ReviewReason(row.review_reason),
    )


def _corrected(row: Row[Any]) -> datetime | None:
    try:
        return None if row.offset_us is None else instant_of(row.at_us - row.offset_us)
    except OverflowError:
        return None
