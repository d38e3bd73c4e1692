"""The gates that staff know of: where they stand, and whether they may speak to the office."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from openstile.journal import Direction
from openstile.journal.taps import microseconds_of
from openstile.office.store.gates import GATE, GATE_KEY
from openstile.office.sync.faults import SyncError, unknown_gate
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import FEED_ID_CHARS_MAX, PAGE_ITEMS_MAX


class GateState(StrEnum):
    """What a gate may do: nothing before it claimed its place, everything of a gate's, nothing while it is locked."""

    WAITING = "waiting"
    ADMITTED = "admitted"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class KnownGate:
    """A gate. `stop_id` and `network_id` are of the GTFS feed; `direction` is the way its riders go."""

    gate_id: GateId
    stop_id: str
    network_id: str | None
    direction: Direction
    state: GateState

    def __post_init__(self) -> None:
        for name, value in (("stop", self.stop_id), ("network", self.network_id)):
            if value is not None and not (1 <= len(value) <= FEED_ID_CHARS_MAX and value.isprintable()):
                raise BadInputError(f"gate: its {name} must be 1 to {FEED_ID_CHARS_MAX} printable characters")


def add_gate(
    connection: Connection,
    *,
    gate_id: GateId,
    stop_id: str,
    network_id: str | None,
    direction: Direction,
    now: datetime,
) -> KnownGate:
    """A gate that may claim its place when it is given a token. Raises SyncError when the name is taken."""
    gate = KnownGate(gate_id, stop_id, network_id, direction, GateState.WAITING)
    if _row(connection, gate_id) is not None:
        raise SyncError("conflict", f"gate {gate_id}: there is one of this name; take another name")
    connection.execute(
        insert(GATE).values(
            gate_id=gate_id.value, stop_id=stop_id, network_id=network_id, direction=direction.value,
            state=gate.state.value, added_us=microseconds_of(now),
        )
    )  # fmt: skip
    return gate


def read_gate(connection: Connection, gate_id: GateId, *, lock: bool = False) -> KnownGate:
    """The gate; `lock` keeps other changes of it out until the transaction ends. Raises SyncError."""
    row = _row(connection, gate_id, lock=lock)
    if row is None:
        raise unknown_gate()
    return _gate_of(row)


def list_gates(connection: Connection, *, after: str = "", limit: int = PAGE_ITEMS_MAX) -> tuple[KnownGate, ...]:
    """At most `limit` gates whose names come after `after`, by name."""
    rows = connection.execute(select(GATE).where(GATE.c.gate_id > after).order_by(GATE.c.gate_id).limit(limit))
    return tuple(_gate_of(row) for row in rows)


def lock_gate(connection: Connection, gate_id: GateId) -> KnownGate:
    """From now on nothing of the gate is taken; it keeps its taps. Raises SyncError."""
    read_gate(connection, gate_id, lock=True)
    return set_state(connection, gate_id, GateState.LOCKED)


def unlock_gate(connection: Connection, gate_id: GateId) -> KnownGate:
    """Ends a lock: the gate is what it was, or waits for a claim when it has no key. Raises SyncError."""
    gate = read_gate(connection, gate_id, lock=True)
    if gate.state is not GateState.LOCKED:
        return gate
    known = connection.execute(select(GATE_KEY.c.kid).where(GATE_KEY.c.gate_id == gate_id.value).limit(1)).first()
    return set_state(connection, gate_id, GateState.WAITING if known is None else GateState.ADMITTED)


def set_state(connection: Connection, gate_id: GateId, state: GateState) -> KnownGate:
    """The gate in another state; the caller has locked its row."""
    connection.execute(update(GATE).where(GATE.c.gate_id == gate_id.value).values(state=state.value))
    return read_gate(connection, gate_id)


def _row(connection: Connection, gate_id: GateId, *, lock: bool = False) -> Row[Any] | None:
    chosen = select(GATE).where(GATE.c.gate_id == gate_id.value)
    return connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()


def _gate_of(row: Row[Any]) -> KnownGate:
    return KnownGate(GateId(row.gate_id), row.stop_id, row.network_id, Direction(row.direction), GateState(row.state))
