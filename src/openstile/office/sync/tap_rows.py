"""Taps of a batch as rows: where they belong, whether somebody must look at them, and whose pricing is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, insert, select

from openstile.journal.batches import Batch, BatchTap
from openstile.journal.taps import microseconds_of
from openstile.office.store.accounts import PASS
from openstile.office.store.gates import GATE_RUN
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH, tap_number
from openstile.office.store.upsert import insert_into
from openstile.office.sync.alarms import AlarmKind, NewId, raise_once
from openstile.office.sync.clocks import ClockRules, GateClock, ReviewReason, estimate
from openstile.office.sync.repeated import Repeats, repeats_of
from openstile.terms import GateId


def store_taps(
    connection: Connection,
    *,
    gate_id: GateId,
    epoch: Row[Any],
    batch: Batch,
    received_at: datetime,
    rules: ClockRules,
    new_id: NewId,
) -> None:
    """Inserts the taps of the batch behind number `epoch.seq`, and makes their accounts due. The epoch is locked."""
    new = batch.taps[max(0, epoch.seq + 1 - batch.first_seq) :]
    clock = _clock_of(connection, epoch.epoch_id, batch, new, received_at, rules)
    accounts = _accounts_of(connection, {tap.tap.pass_id.value for tap in new})
    repeats = repeats_of(connection, gate_id=gate_id, epoch=epoch, taps=new)
    rows = [_row(tap, epoch.epoch_id, clock, rules, repeats, known=tap.tap.pass_id.value in accounts) for tap in new]
    clear = [(accounts[row["pass_id"]], row["tap_id"]) for row in rows if row["review"] == "clear"]
    connection.execute(insert(TAP), rows)
    make_due(connection, clear, now_us=clock.received_us)
    if abs(clock.wall_offset_us) > rules.tolerance_us:
        ahead = clock.wall_offset_us / 10**6
        raise_once(
            connection, gate_id=gate_id, kind=AlarmKind.CLOCK, now=received_at, new_id=new_id,
            detail=f"The gate's clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}.",
        )  # fmt: skip


def make_due(connection: Connection, taps: Sequence[tuple[str, int]], *, now_us: int) -> None:
    """Has pricing see these taps (account id, tap id), which it has not seen yet, at once.

    The rows that say whose pricing is due come first, in the order of accounts: who prices an account holds its row,
    so one waits for the other here, while it holds nothing that the other one wants.
    """
    if not taps:
        return
    upsert = insert_into(connection, PRICING_DUE)
    sooner = case((PRICING_DUE.c.due_us > upsert.excluded.due_us, upsert.excluded.due_us), else_=PRICING_DUE.c.due_us)
    connection.execute(
        upsert.on_conflict_do_update(index_elements=[PRICING_DUE.c.account_id], set_={"due_us": sooner}),
        [{"account_id": account_id, "due_us": now_us} for account_id in sorted({account for account, _ in taps})],
    )
    connection.execute(insert(TAP_FRESH), [{"account_id": account, "tap_id": tap_id} for account, tap_id in taps])


def _clock_of(
    connection: Connection, epoch_id: int, batch: Batch, new: Sequence[BatchTap], received_at: datetime,
    rules: ClockRules,
) -> GateClock:  # fmt: skip
    """What is known of the gate's clocks, for taps of these runs; what the batch tells of its own run is remembered."""
    of_runs = sorted({tap.run for tap in new} | {batch.run})
    known = connection.execute(
        select(GATE_RUN.c.run, GATE_RUN.c.began_us).where(GATE_RUN.c.epoch_id == epoch_id, GATE_RUN.c.run.in_(of_runs))
    )
    clock = estimate(
        run=batch.run, sent_mono_us=batch.sent_mono_us, sent_at_us=batch.sent_at_us,
        received_us=microseconds_of(received_at), known_us={row.run: row.began_us for row in known}, rules=rules,
    )  # fmt: skip
    values = {"began_us": clock.began_us[batch.run], "received_us": clock.received_us}
    connection.execute(
        insert_into(connection, GATE_RUN)
        .values(epoch_id=epoch_id, run=batch.run, **values)
        .on_conflict_do_update(index_elements=[GATE_RUN.c.epoch_id, GATE_RUN.c.run], set_=values)
    )
    return clock


def _accounts_of(connection: Connection, pass_ids: set[bytes]) -> dict[bytes, str]:
    """The account of each pass that is on one."""
    rows = connection.execute(select(PASS.c.pass_id, PASS.c.account_id).where(PASS.c.pass_id.in_(sorted(pass_ids))))
    return {row.pass_id: row.account_id for row in rows}


def _row(
    tap: BatchTap, epoch_id: int, clock: GateClock, rules: ClockRules, repeats: Repeats, *, known: bool
) -> Mapping[str, Any]:
    at_us = microseconds_of(tap.tap.at)
    offset_us = clock.offset_of(run=tap.run, mono_us=tap.mono_us, at_us=at_us)
    doubt = ReviewReason.UNKNOWN_PASS if not known else clock.doubt(at_us=at_us, offset_us=offset_us, rules=rules)
    if at_us - (offset_us or 0) < repeats.until_us:
        doubt = ReviewReason.REPEATED
    review = "clear" if doubt is None else "waiting"
    if (tap.tap.pass_id.value, at_us) in repeats.known:  # it is here already, from another journal: not priced again
        review, doubt = "rejected", ReviewReason.REPEATED
    return {
        "tap_id": tap_number(epoch_id, tap.seq),
        "epoch_id": epoch_id,
        "seq": tap.seq,
        "hash": tap.hash,
        "pass_id": tap.tap.pass_id.value,
        "at_us": at_us,
        "product": tap.tap.product,
        "direction": tap.tap.direction.value,
        "status_unsure": tap.tap.status_unsure,
        "received_us": clock.received_us,
        "offset_us": offset_us,
        "review": review,
        "review_reason": None if doubt is None else doubt.value,
    }
