"""What one fading did, counted while it goes on; and the counts that stay of taps."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, delete, insert

from openstile.office.store.rider_taps import portions
from openstile.office.store.taps import TAP, TAP_DAY, TAP_HASH
from openstile.office.store.upsert import insert_into


@dataclass(slots=True)
class Tally:
    """Counts that grow. `rows`: by table, rows that went or were emptied. The last two are taps by the epoch (of a
    gate's journal) that they are from: gone without ever being priced, and still waiting beyond the time of trips."""

    rows: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[int] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)


def drop_taps(connection: Connection, days: dict[int, date], unpriced: Iterable[int], tally: Tally) -> None:
    """Makes counts of taps. `days` are their ids and service days; `unpriced` those of them that no pricing took.

    What another worker removed meanwhile is not counted twice.
    """
    counts: Counter[tuple[date, str, str]] = Counter()
    lost: Counter[tuple[date, str, str]] = Counter()
    missed = set(unpriced)
    for some in portions(days):
        gone = connection.execute(
            delete(TAP)
            .where(TAP.c.tap_id.in_(some))
            .returning(TAP.c.tap_id, TAP.c.epoch_id, TAP.c.hash, TAP.c.product, TAP.c.direction)
        ).all()
        if gone:
            hashes = [{"tap_id": tap.tap_id, "hash": tap.hash, "day": days[tap.tap_id]} for tap in gone]
            connection.execute(insert(TAP_HASH), hashes)
        for tap in gone:
            key = (days[tap.tap_id], tap.product, tap.direction)
            counts[key] += 1
            if tap.tap_id in missed:
                lost[key] += 1
                tally.unpriced[tap.epoch_id] += 1
    tally.rows["tap"] += counts.total()
    _add(connection, counts, lost)


def _add(connection: Connection, counts: Counter[tuple[date, str, str]], lost: Counter[tuple[date, str, str]]) -> None:
    rows = [
        {"day": day, "product": product, "direction": direction, "taps": taps,
         "unpriced": lost[day, product, direction]}
        for (day, product, direction), taps in sorted(counts.items())
    ]  # fmt: skip
    if not rows:
        return
    adding = insert_into(connection, TAP_DAY)
    connection.execute(
        adding.on_conflict_do_update(
            index_elements=["day", "product", "direction"],
            set_={
                "taps": TAP_DAY.c.taps + adding.excluded.taps,
                "unpriced": TAP_DAY.c.unpriced + adding.excluded.unpriced,
            },
        ),
        rows,
    )
