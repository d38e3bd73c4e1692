"""What goes by its declaration alone (terms.held): a new table is treated here without a word, or a test fails."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Date, Table, and_, delete, exists, or_, select, update

from openstile.journal.taps import instant_of
from openstile.office.forgetting.policy import Cutoffs
from openstile.office.forgetting.tally import Tally
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.metadata import METADATA
from openstile.office.store.people import STAFF
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms.held import Holds, Until

TREATED_WITH_TRIPS = (TAP, TAP_FRESH, JOURNEY)
"""openstile.office.forgetting.journeys and .taps see to these."""
_WAITING = (PRICING_DUE,)
"""Who must still be priced is kept as long as what is to be priced."""


def fade_declared(connection: Connection, *, cutoffs: Cutoffs, tally: Tally) -> None:
    """Removes or empties all rows of the office's tables whose declared time is over, but those of trips."""
    for table, statement in _statements(cutoffs):
        tally.rows[table.name] += connection.execute(statement).rowcount


def _statements(cutoffs: Cutoffs) -> Iterator[tuple[Table, Any]]:
    for table in METADATA.sorted_tables:
        if table not in TREATED_WITH_TRIPS and _columns(table, Until.TRIPS_FADE):
            yield table, _fading(table, cutoffs)
        if _declares(table, "expires_us", Until.EXPIRES):
            yield table, delete(table).where(table.c.expires_us <= cutoffs.now_us)
        if _declares(table, "expires_us", Until.PASS_FORGOTTEN):
            yield table, delete(table).where(table.c.expires_us < cutoffs.passes_us)
        agreed = [c for c in _columns(table, Until.HISTORY_AGREED) if isinstance(c.type, Date)]
        if agreed:
            yield table, delete(table).where(_all_before(agreed, cutoffs.hashes_us))
        ages = [c for c in _columns(table, Until.AUDIT_ENDS) if c.name.endswith("_us") or isinstance(c.type, Date)]
        if ages:
            yield table, delete(table).where(_all_before(ages, cutoffs.audit_us))
    yield STAFF, delete(STAFF).where(STAFF.c.state == "removed", *_unmentioned(STAFF))


def _fading(table: Table, cutoffs: Cutoffs) -> Any:
    """Empties the columns of trips where the row can be without them, and removes the row where it cannot."""
    columns = _columns(table, Until.TRIPS_FADE)
    times = [column for column in columns if column.info["held"].holds is Holds.TIME]
    assert times, f"{table.name}: holds trips, and no time says when they fade"
    old = _all_before(times, cutoffs.waiting_us if table in _WAITING else cutoffs.trips_us)
    if not all(column.nullable for column in columns):
        return delete(table).where(old)
    held = or_(*(column.is_not(None) for column in columns))
    return update(table).where(old, held).values({column.name: None for column in columns})


def _unmentioned(table: Table) -> list[ColumnElement[bool]]:
    """No row refers to this one, by a foreign key or as who did something."""
    (key,) = table.primary_key
    naming = [
        column
        for other in METADATA.sorted_tables
        for column in other.columns
        if other is not table and (column.name == key.name or any(k.column is key for k in column.foreign_keys))
    ]
    return [~exists(select(1).where(column == key).correlate(table)) for column in naming]


def _columns(table: Table, until: Until) -> list[Column[Any]]:
    return [column for column in table.columns if column.info["held"].until is until]


def _declares(table: Table, name: str, until: Until) -> bool:
    return name in table.c and table.c[name].info["held"].until is until


def _all_before(columns: list[Column[Any]], cutoff_us: int) -> ColumnElement[bool]:
    day = instant_of(cutoff_us).date()
    before = [column < (day if isinstance(column.type, Date) else cutoff_us) for column in columns]
    return and_(*(or_(column.is_(None), old) for column, old in zip(columns, before, strict=True)))
