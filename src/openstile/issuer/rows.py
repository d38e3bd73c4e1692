"""The register's rows as values, and back."""

import sqlite3
from collections import Counter
from datetime import datetime
from typing import Any, Literal

from openstile.issuer.passes import PassState, RegisteredPass
from openstile.passes.claims import StatusReference
from openstile.passes.usage import KeyUsage
from openstile.terms import BadInputError, PassId, utc_from_epoch

COLUMNS = (
    "SELECT pass.pass_id, product, issuer_kid, group_kid, token_sha256, not_before, expires, uri, list_index, state, "
    "changed_at "
    "FROM pass LEFT JOIN status_list ON status_list.id = pass.list"
)
"""What `pass_of` reads."""


def pass_of(row: tuple[Any, ...]) -> RegisteredPass:
    """The pass of a row of COLUMNS."""
    pass_id, product, issuer_kid, group_kid, token_sha256, not_before, expires, uri, index, state, changed_at = row
    return RegisteredPass(
        pass_id=PassId(pass_id),
        product=product,
        issuer_kid=issuer_kid,
        group_kid=group_kid,
        token_sha256=token_sha256,
        not_before=utc_from_epoch(not_before),
        expires=utc_from_epoch(expires),
        status=None if uri is None else StatusReference(uri, index),
        state=PassState(state),
        changed_at=None if changed_at is None else utc_from_epoch(changed_at),
    )


def read_pass(connection: sqlite3.Connection, pass_id: PassId) -> RegisteredPass | None:
    """The pass of this id, or None."""
    row = connection.execute(f"{COLUMNS} WHERE pass.pass_id = ?", (pass_id.value,)).fetchone()
    return None if row is None else pass_of(row)


def list_of(connection: sqlite3.Connection, uri: str, entries: int) -> tuple[int, int, int]:
    """Id, entries and indices in use of the list at `uri`, which begins or grows when it has fewer than `entries`."""
    row = connection.execute("SELECT id, entries, taken FROM status_list WHERE uri = ?", (uri,)).fetchone()
    if row is not None and row[1] >= entries:
        return row[0], row[1], row[2]
    row = connection.execute(
        "INSERT INTO status_list (uri, entries) VALUES (?, ?) ON CONFLICT (uri) DO UPDATE "
        "SET entries = max(entries, excluded.entries) RETURNING id, entries, taken",
        (uri, entries),
    ).fetchone()
    return row[0], row[1], row[2]


def add_row(connection: sqlite3.Connection, added: RegisteredPass) -> None:
    """Adds a pass, whose index is held no longer. Raises BadInputError when id or index are in use."""
    list_id, index = None, None
    if added.status is not None:
        index = added.status.index
        list_id, _, _ = list_of(connection, added.status.uri, index + 1)
        connection.execute("DELETE FROM held_index WHERE list = ? AND list_index = ?", (list_id, index))
    changed_at = None if added.changed_at is None else int(added.changed_at.timestamp())
    try:
        connection.execute(
            "INSERT INTO pass VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (added.pass_id.value, added.product, added.issuer_kid, added.group_kid, added.token_sha256,
             int(added.not_before.timestamp()), int(added.expires.timestamp()), list_id, index,
             added.state.value, changed_at),
        )  # fmt: skip
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
            raise
        raise BadInputError(
            f"pass {added.pass_id}: its id, or its index in the status list, is in the register already; issue it anew"
        ) from None


def read_usage(connection: sqlite3.Connection, *, now: datetime) -> tuple[KeyUsage, ...]:
    """How many passes that have not ended at `now` depend on each key."""
    query = (
        "SELECT issuer_kid, group_kid, state, sum(expires > ?), max(expires) FROM pass "
        "GROUP BY issuer_kid, group_kid, state"
    )
    second = int(now.timestamp())
    counted: Counter[tuple[Literal["issuer", "gate-group"], bytes]] = Counter()
    last: dict[tuple[Literal["issuer", "gate-group"], bytes], int] = {}
    for issuer_kid, group_kid, state, passes, expires in connection.execute(query, (second,)):
        keys: tuple[tuple[Literal["issuer", "gate-group"], bytes], ...] = (
            ("issuer", issuer_kid),
            ("gate-group", group_kid),
        )
        for key in keys:
            counted[key] += passes if state == PassState.VALID else 0
            if state != PassState.REVOKED and expires > second:
                last[key] = max(last.get(key, 0), expires)
    return tuple(
        KeyUsage(role, kid.hex(), passes, utc_from_epoch(last[role, kid]) if (role, kid) in last else None)
        for (role, kid), passes in sorted(counted.items())
    )
