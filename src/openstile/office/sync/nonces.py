"""Nonces of signed requests: each is taken once, and forgotten when its request could no longer be taken anyway."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from openstile.journal.taps import microseconds_of
from openstile.office.store.gates import GATE_NONCE
from openstile.office.store.upsert import insert_unless_there

_KEPT_LONGER = timedelta(minutes=5)
"""Than its request is good. Whether that has expired is looked at before the wait for the database, so one that another
request has outwaited must not find its nonce forgotten; nor must one after the office's clock was set back a little."""


def take_nonce(connection: Connection, *, kid: str, nonce: str, expires: datetime, now: datetime) -> bool:
    """Whether this is the first time: then it is remembered beyond `expires`, with the caller's transaction.

    Of two requests with one nonce at the same time, the second waits for the first one's transaction.
    """
    connection.execute(
        delete(GATE_NONCE).where(GATE_NONCE.c.kid == kid, GATE_NONCE.c.expires_us < microseconds_of(now))
    )
    values = {"kid": kid, "nonce": nonce, "expires_us": microseconds_of(expires + _KEPT_LONGER)}
    return insert_unless_there(connection, GATE_NONCE, values)


def purge_nonces(connection: Connection, *, now: datetime) -> int:
    """Forgets the expired nonces of all gates, also of those that went silent; how many there were."""
    return connection.execute(delete(GATE_NONCE).where(GATE_NONCE.c.expires_us < microseconds_of(now))).rowcount
