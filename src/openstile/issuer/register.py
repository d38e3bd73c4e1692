"""The register of passes: which were issued, how they stand, and where each has its bit in a status list."""

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from openstile.issuer.connection import connect, explained, transaction
from openstile.issuer.passes import PassState, RegisteredPass
from openstile.issuer.rows import COLUMNS, add_row, list_of, pass_of, read_pass, read_usage
from openstile.passes.claims import StatusReference, check_instant
from openstile.passes.usage import KeyUsage
from openstile.terms import BadInputError, PassId, utc_from_epoch
from openstile.terms.limits import PASS_ID_BYTES, REGISTER_PASSES_SHOWN_MAX, STATUS_ENTRIES_MAX

HELD_FOR = timedelta(days=7)
"""How long an index that was reserved waits for its pass."""
FILLED_MAX = 0.9
"""The part of a list's indices that may be in use: beyond it a random free one takes many draws, and those left say too
much of who came last."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change of a pass's state."""

    state: PassState
    at: datetime


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """What one status list has to say at one moment: `withdrawn` is read while the snapshot lasts, in rising order."""

    entries: int
    issued_at: datetime
    withdrawn: Iterator[int]


class PassRegister:
    """The register in one file, which processes share by turns. Not for use from several threads at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use `PassRegister.open`."""
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "PassRegister":
        """The register at `path` (0600, in a folder of 0700), begun when it is not there. Raises RegisterError."""
        return cls(path, connect(path))

    def reserve_index(
        self, uri: str, *, entries: int, now: datetime, randbelow: Callable[[int], int] = secrets.randbelow
    ) -> int:
        """A random index below `entries` that no pass of the list at `uri` has, held for HELD_FOR. Durable.

        `randbelow` gives a uniform number below its argument. Raises BadInputError when FILLED_MAX of the list is
        in use, or when it has more entries already.
        """
        StatusReference(uri, 0)
        with transaction(self._connection, self.path):
            list_id, in_list, taken = self._list(uri, entries)
            if taken + 1 > in_list * FILLED_MAX:
                raise BadInputError(
                    f"status list {uri}: {taken} of its {in_list} entries are in use, and random ones are only found "
                    "while a tenth is free; set issuer.status_list_uri to a new address, and keep publishing this one"
                )
            until = int((now + HELD_FOR).timestamp())
            for _ in range(256):  # each draw is free with a chance of a tenth or more
                index = randbelow(in_list)
                if not self._is_taken(list_id, index):
                    self._connection.execute("INSERT INTO held_index VALUES (?, ?, ?)", (list_id, index, until))
                    return index
        raise BadInputError(f"status list {uri}: the source of randomness gave no unused index in 256 draws")

    def add(self, registered: RegisteredPass) -> None:
        """Takes in one pass. Durable. Raises BadInputError when its id or its index is in use already."""
        self.add_all((registered,))

    def add_all(self, passes: Iterable[RegisteredPass]) -> int:
        """Takes in many passes, all or none; returns how many. Durable. As `add`."""
        count = 0
        with transaction(self._connection, self.path):
            for registered in passes:
                add_row(self._connection, registered)
                count += 1
        return count

    def get(self, pass_id: PassId) -> RegisteredPass | None:
        """The pass of this id, or None when it is not here."""
        with explained(self.path):
            return read_pass(self._connection, pass_id)

    def beginning(self, digits: str, *, limit: int = 2) -> tuple[RegisteredPass, ...]:
        """At most `limit` passes whose id, written in hexadecimal, begins with `digits`."""
        low, high = (bytes.fromhex(digits.ljust(2 * PASS_ID_BYTES, end)) for end in "0f")
        rows = self._rows("WHERE pass.pass_id BETWEEN ? AND ? ORDER BY pass.pass_id LIMIT ?", (low, high, limit))
        return tuple(rows)

    def passes(self, *, state: PassState | None = None, limit: int = 100) -> tuple[RegisteredPass, ...]:
        """At most `limit` passes, of one state or of all. Their order says nothing of when they were issued."""
        if not 1 <= limit <= REGISTER_PASSES_SHOWN_MAX:
            raise BadInputError(f"limit {limit}: give 1 to {REGISTER_PASSES_SHOWN_MAX}")
        values: tuple[object, ...]
        if state is None:
            rest, values = "ORDER BY pass.pass_id LIMIT ?", (limit,)
        elif state is PassState.VALID:
            rest, values = "WHERE state = 'valid' ORDER BY pass.pass_id LIMIT ?", (limit,)
        else:  # by the index of withdrawn passes, which are few
            rest, values = (
                "WHERE state <> 'valid' AND state = ? ORDER BY list, list_index LIMIT ?",
                (state.value, limit),
            )
        return tuple(self._rows(rest, values))

    def counts(self) -> dict[PassState, int]:
        """How many passes there are of each state, ended ones included until they are forgotten."""
        with explained(self.path):
            found = dict(self._connection.execute("SELECT state, count(*) FROM pass GROUP BY state"))
        return {state: found.get(state.value, 0) for state in PassState}

    def set_state(self, pass_id: PassId, state: PassState, *, at: datetime) -> RegisteredPass:
        """Changes how one pass stands, as `set_states`."""
        return self.set_states((pass_id,), state, at=at)[0]

    def set_states(self, pass_ids: Iterable[PassId], state: PassState, *, at: datetime) -> tuple[RegisteredPass, ...]:
        """Changes how passes stand from `at` (whole seconds) on, all or none; returns them as they are then. Durable.

        A pass that is in that state already is left as it is. Raises BadInputError for a pass that is not here, that
        names no status list, or that is revoked: that is final.
        """
        check_instant(at, what="state change")
        with transaction(self._connection, self.path):
            return tuple(self._set_state(pass_id, state, at) for pass_id in pass_ids)

    def changes(self, pass_id: PassId) -> tuple[StateChange, ...]:
        """Every change of this pass's state, oldest first."""
        query = "SELECT state, at FROM state_change WHERE pass_id = ? ORDER BY number"
        with explained(self.path):
            rows = self._connection.execute(query, (pass_id.value,)).fetchall()
        return tuple(StateChange(PassState(state), utc_from_epoch(at)) for state, at in rows)

    def withdrawn_indices(self, uri: str) -> Iterator[int]:
        """The indices of suspended and revoked passes in the list at `uri`, in rising order, as they are read."""
        query = (
            "SELECT list_index FROM pass WHERE state <> 'valid' AND list = (SELECT id FROM status_list WHERE uri = ?) "
            "ORDER BY list_index"
        )
        with explained(self.path):
            yield from (index for (index,) in self._connection.execute(query, (uri,)))

    @contextmanager
    def begin_list(self, uri: str, *, entries: int, issued_at: datetime) -> Iterator[ListSnapshot]:
        """The next list at `uri` as of one moment; no pass changes while it is read.

        Its time is `issued_at` (whole seconds), or one second after that of the list before when that is later; it is
        noted for good when the block ends without an error. `entries` is taken where the list has fewer.
        """
        StatusReference(uri, 0)
        check_instant(issued_at, what="status list")
        with transaction(self._connection, self.path):
            list_id, in_list, _ = self._list(uri, entries)
            query = "SELECT issued_at FROM status_list WHERE id = ?"
            (last,) = self._connection.execute(query, (list_id,)).fetchone()
            at = max(int(issued_at.timestamp()), (last or 0) + 1)
            yield ListSnapshot(in_list, utc_from_epoch(at), self.withdrawn_indices(uri))
            self._connection.execute("UPDATE status_list SET issued_at = ? WHERE id = ?", (at, list_id))

    def lists(self) -> tuple[str, ...]:
        """The addresses of the status lists that passes here name, first used first."""
        with explained(self.path):
            return tuple(uri for (uri,) in self._connection.execute("SELECT uri FROM status_list ORDER BY id"))

    def entries(self, uri: str) -> int | None:
        """How many entries the list at `uri` has by now; None when no pass here names it."""
        with explained(self.path):
            row = self._connection.execute("SELECT entries FROM status_list WHERE uri = ?", (uri,)).fetchone()
        return None if row is None else int(row[0])

    def usage(self, *, now: datetime) -> tuple[KeyUsage, ...]:
        """How many passes that have not ended depend on each key, by role and id; one entry for each key of a pass."""
        with explained(self.path):
            return read_usage(self._connection, now=now)

    def forget_expired(self, before: datetime, *, held_until: datetime, at_most: int = 1_000_000) -> int:
        """Deletes passes that ended before `before`, and what was noted of them; returns how many. Durable.

        Gates may still hold a list that says "withdrawn" at the index of such a pass, so that index is given to no new
        pass before `held_until`. Indices that were held until `before` or earlier become free.
        """
        seconds, until = int(before.timestamp()), int(held_until.timestamp())
        chosen = "SELECT pass_id FROM pass WHERE expires < ? ORDER BY expires LIMIT ?"
        with transaction(self._connection, self.path):
            self._connection.execute("DELETE FROM held_index WHERE until <= ?", (seconds,))
            self._connection.execute(
                "INSERT INTO forgetting VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE "
                "SET ended_before = max(ended_before, excluded.ended_before)",
                (seconds,),
            )
            withdrawn = self._connection.execute(
                f"SELECT list, list_index FROM pass WHERE state <> 'valid' AND pass_id IN ({chosen})",  # noqa: S608
                (seconds, at_most),
            ).fetchall()
            gone = self._connection.execute(
                f"DELETE FROM pass WHERE pass_id IN ({chosen})",  # noqa: S608
                (seconds, at_most),
            ).rowcount
            self._connection.executemany(
                "INSERT INTO held_index VALUES (?, ?, ?)", ((*place, until) for place in withdrawn)
            )
        return gone

    def close(self) -> None:
        """Closes the file. Closing twice does nothing."""
        with explained(self.path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, rest: str, values: Sequence[object]) -> list[RegisteredPass]:
        with explained(self.path):
            return [pass_of(row) for row in self._connection.execute(f"{COLUMNS} {rest}", values)]

    def _list(self, uri: str, entries: int) -> tuple[int, int, int]:
        """Id, entries and indices in use of the list at `uri`, which is begun or grows when it has fewer entries."""
        if not 1 <= entries <= STATUS_ENTRIES_MAX:
            raise BadInputError(f"status list {uri}: {entries} entries are not 1 to {STATUS_ENTRIES_MAX}")
        return list_of(self._connection, uri, entries)

    def _is_taken(self, list_id: int, index: int) -> bool:
        query = (
            "SELECT EXISTS (SELECT 1 FROM held_index WHERE list = ?1 AND list_index = ?2) "
            "OR EXISTS (SELECT 1 FROM pass WHERE list = ?1 AND list_index = ?2)"
        )
        return bool(self._connection.execute(query, (list_id, index)).fetchone()[0])

    def _set_state(self, pass_id: PassId, state: PassState, at: datetime) -> RegisteredPass:
        found = read_pass(self._connection, pass_id)
        if found is None:
            raise BadInputError(f"pass {pass_id}: is not in the register; give the id of a pass that was issued here")
        if found.status is None:
            raise BadInputError(
                f"pass {pass_id}: names no status list, so it cannot be withdrawn singly; it ends "
                f"{found.expires:%Y-%m-%d}, or with its key (openstile keys revoke {found.issuer_kid.hex()}); "
                "set issuer.status_list_uri, and new passes can be withdrawn"
            )
        if found.state is state:
            return found
        if found.state is PassState.REVOKED:
            raise BadInputError(f"pass {pass_id}: is revoked, and that is final; issue the rider a new pass")
        self._connection.execute(
            "UPDATE pass SET state = ?, changed_at = ? WHERE pass_id = ?",
            (state.value, int(at.timestamp()), pass_id.value),
        )
        changed = read_pass(self._connection, pass_id)
        assert changed is not None
        return changed
