"""The hash of a tap, whether it has faded or not: what a gate's journal is compared with."""

from sqlalchemy import Connection, select, union_all

from openstile.office.store.taps import TAP, TAP_HASH


def stored_hash(connection: Connection, tap_id: int) -> bytes | None:
    """The hash of the tap with this number (taps.tap_number); None when the office never had it, or has forgotten."""
    hashes = union_all(
        select(TAP.c.hash).where(TAP.c.tap_id == tap_id), select(TAP_HASH.c.hash).where(TAP_HASH.c.tap_id == tap_id)
    )
    return connection.execute(hashes).scalar_one_or_none()
