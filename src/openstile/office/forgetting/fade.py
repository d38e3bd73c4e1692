"""One fading: journeys with their taps, what is left of taps, and all else whose declared time is over."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.forgetting.declared import fade_declared
from openstile.office.forgetting.journeys import fade_accounts
from openstile.office.forgetting.policy import Retention
from openstile.office.forgetting.tally import Tally
from openstile.office.forgetting.taps import ServiceDay, drop_fresh_without_taps, fade_other_taps
from openstile.office.store.database import Database
from openstile.office.store.fading import FADING
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.upsert import insert_into
from openstile.office.sync.alarms import AlarmKind, NewId, raise_once
from openstile.terms import GateId

Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Faded:
    """What a fading did. `rows`: by table, how many went or were emptied; `unpriced`: taps among them that were never
    priced; `waiting`: taps older than trips are kept that still wait for pricing or a review."""

    until: datetime
    rows: Mapping[str, int]
    unpriced: int
    waiting: int


def fade(
    connection: Connection, *, now: datetime, retention: Retention, service_day: ServiceDay, new_id: NewId
) -> Faded:
    """Lets everything fade whose time is over at `now`, within the caller's transaction."""

    @contextmanager
    def same() -> Iterator[Connection]:
        yield connection

    return fade_in_steps(same, now=now, retention=retention, service_day=service_day, new_id=new_id)


def fade_in_steps(
    transaction: Transaction, *, now: datetime, retention: Retention, service_day: ServiceDay, new_id: NewId
) -> Faded:
    """`fade` in many short transactions, so that gates and riders never wait for long. Each leaves a sound database."""
    cutoffs, tally = retention.cutoffs(now), Tally()
    account: str | None = ""
    while account is not None:
        with transaction() as connection:
            account = fade_accounts(connection, cutoffs=cutoffs, tally=tally, after=account)
    tap: int | None = -1
    while tap is not None:
        with transaction() as connection:
            tap = fade_other_taps(connection, cutoffs=cutoffs, service_day=service_day, tally=tally, after=tap)
    with transaction() as connection:
        drop_fresh_without_taps(connection)
        fade_declared(connection, cutoffs=cutoffs, tally=tally)
        _raise_alarms(connection, tally, now=now, new_id=new_id)
        _note(connection, cutoffs.trips_us)
    rows = {table: count for table, count in sorted(tally.rows.items()) if count}
    return Faded(instant_of(cutoffs.trips_us), rows, tally.unpriced.total(), tally.waiting.total())


def preview(
    database: Database, *, now: datetime, retention: Retention, service_day: ServiceDay, new_id: NewId
) -> Faded:
    """What `fade` would do: it is done, and undone. Nothing else writes meanwhile on SQLite. Raises as `fade`."""

    class _UndoneError(Exception):
        pass

    with suppress(_UndoneError), database.write() as connection:
        faded = fade(connection, now=now, retention=retention, service_day=service_day, new_id=new_id)
        raise _UndoneError
    return faded


def faded_until(connection: Connection) -> datetime | None:
    """Trips before this are gone, but those that wait; None where nothing ever faded."""
    until = connection.execute(select(FADING.c.faded_until_us)).scalar_one_or_none()
    return None if until is None else instant_of(until)


def note_rewritten(connection: Connection, now: datetime) -> None:
    """The files have been written anew, without what has faded."""
    connection.execute(FADING.update().values(rewritten_us=microseconds_of(now)))


def rewritten_at(connection: Connection) -> datetime:
    """When the files were last written anew; 1970 for never."""
    return instant_of(connection.execute(select(func.max(FADING.c.rewritten_us))).scalar_one() or 0)


def _note(connection: Connection, until_us: int) -> None:
    adding = insert_into(connection, FADING).values(fading_id=1, faded_until_us=until_us, rewritten_us=0)
    connection.execute(adding.on_conflict_do_update(index_elements=["fading_id"], set_={"faded_until_us": until_us}))


def _raise_alarms(connection: Connection, tally: Tally, *, now: datetime, new_id: NewId) -> None:
    told = (
        (AlarmKind.UNPRICED, tally.waiting, "taps are older than trips are kept and wait to be priced or looked at"),
        (AlarmKind.FADED_UNPRICED, tally.unpriced, "taps have faded and were never priced"),
    )
    gates = {
        row.epoch_id: row.gate_id for row in connection.execute(select(GATE_EPOCH.c.epoch_id, GATE_EPOCH.c.gate_id))
    }
    for kind, epochs, words in told:
        by_gate: dict[str, int] = {}
        for epoch_id, taps in epochs.items():
            by_gate[gates[epoch_id]] = by_gate.get(gates[epoch_id], 0) + taps
        for gate_id, taps in sorted(by_gate.items()):
            raise_once(connection, gate_id=GateId(gate_id), kind=kind, detail=f"{taps} {words}", now=now, new_id=new_id)
