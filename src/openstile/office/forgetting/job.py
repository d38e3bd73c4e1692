"""The job of the server's background loop: price what is due, let fade what is old, erase its bytes."""

from collections.abc import Callable
from datetime import timedelta

from openstile.office.forgetting.erase import erase
from openstile.office.forgetting.fade import Faded, fade_in_steps, note_rewritten, rewritten_at
from openstile.office.forgetting.policy import Retention
from openstile.office.forgetting.taps import ServiceDay
from openstile.office.store.database import Database, OfficeDatabaseError
from openstile.office.sync.alarms import NewId
from openstile.terms import Clock

REWRITE_EVERY = timedelta(hours=24)


def run_retention(
    database: Database,
    *,
    clock: Clock,
    retention: Retention,
    service_day: ServiceDay,
    new_id: NewId,
    price: Callable[[], int] = lambda: 0,
    rewrite: bool = False,
) -> Faded:
    """Once an hour, say. `price` prices some of what is due and returns how much; it is called until that is nothing.

    Writes the files anew once a day, or now with `rewrite`. Safe in several processes at a time. Raises
    OfficeDatabaseError.
    """
    while price():
        pass
    now = clock.now()
    faded = fade_in_steps(database.write, now=now, retention=retention, service_day=service_day, new_id=new_id)
    with database.read() as connection:
        due = rewrite or now - rewritten_at(connection) >= REWRITE_EVERY
    if _erased(database, rewrite=due) and due:
        with database.write() as connection:
            note_rewritten(connection, now)
    return faded


def _erased(database: Database, *, rewrite: bool) -> bool:
    """Whether it was possible; where somebody holds a table for long, the next run tries again."""
    try:
        return erase(database, rewrite=rewrite)
    except OfficeDatabaseError:
        return False
