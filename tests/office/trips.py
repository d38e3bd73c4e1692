"""Small trips in the office's database: accounts with passes, taps and priced journeys."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from openstile.journal.taps import microseconds_of
from openstile.office.store.accounts import ACCOUNT, PASS
from openstile.office.store.gates import GATE, GATE_EPOCH
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.taps import TAP, TAP_DAY, TAP_FRESH

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
STOP = "stop-marked-9f3c61"


@dataclass(slots=True)
class Town:
    """One gate with one journal, and riders `a`, `b` … with a pass each."""

    connection: Connection
    taps: int = 0
    journeys: int = 0

    def found(self, riders: Iterable[str] = "ab") -> "Town":
        """Puts the gate and the riders there."""
        gate = {"gate_id": "north-1", "stop_id": "north", "network_id": None, "direction": "in", "state": "admitted",
                "added_us": 1}  # fmt: skip
        epoch = {"epoch_id": 1, "gate_id": "north-1", "epoch": b"e" * 16, "journal_key": b"k" * 32, "begun_us": 1,
                 "reason": "claimed", "after_epoch": None, "after_seq": None, "seq": 0, "hash": b"h" * 32,
                 "forked": False, "gap_us": None}  # fmt: skip
        self.connection.execute(insert(GATE), gate)
        self.connection.execute(insert(GATE_EPOCH), epoch)
        for rider in riders:
            self.connection.execute(
                insert(ACCOUNT),
                {"account_id": rider * 32, "state": "open", "currency": "EUR", "category": None, "contact": None,
                 "opened_on": date(2026, 1, 1), "version": 0},
            )  # fmt: skip
            self.connection.execute(insert(PASS), pass_row(rider))
        return self

    def tap(
        self, rider: str, ago: timedelta, *, review: str = "clear", received_ago: timedelta | None = None,
        fresh: bool = False,
    ) -> int:  # fmt: skip
        """A tap so long before NOW; its id."""
        self.taps += 1
        at_us = microseconds_of(NOW - ago)
        received_us = at_us if received_ago is None else microseconds_of(NOW - received_ago)
        row = {"tap_id": self.taps, "epoch_id": 1, "seq": self.taps, "hash": b"h" * 32, "pass_id": pass_id(rider),
               "at_us": at_us, "product": "single", "direction": "in", "status_unsure": False,
               "received_us": received_us, "offset_us": 0, "review": review, "review_reason": None}  # fmt: skip
        self.connection.execute(insert(TAP), {name: row[name] for name in TAP.c.keys()})  # noqa: SIM118
        if fresh:
            self.connection.execute(insert(TAP_FRESH), {"account_id": rider * 32, "tap_id": self.taps})
        return self.taps

    def journey(self, rider: str, taps: list[int], *, state: str = "complete", day: date | None = None) -> str:
        """A priced journey with these taps; its id."""
        self.journeys += 1
        times = list(self.connection.execute(select(TAP.c.at_us).where(TAP.c.tap_id.in_(taps))).scalars())
        row = {"journey_id": f"{self.journeys:032d}", "account_id": rider * 32, "day": day or date(2026, 5, 18),
               "products": '["single"]', "amount_minor": 280, "currency": "EUR", "state": state, "posting_id": "p" * 32,
               "counted": "{}", "key": str(taps[0]), "taps": json.dumps(taps), "started_us": min(times),
               "ended_us": max(times), "from_stop": STOP, "to_stop": STOP,
               "explanation": json.dumps([["fare", [STOP], 280]])}  # fmt: skip
        self.connection.execute(insert(JOURNEY), row)
        return str(row["journey_id"])

    def ride(self, rider: str, ago: timedelta, **named: Any) -> str:
        """A journey of one tap."""
        return self.journey(rider, [self.tap(rider, ago)], **named)

    def states(self) -> dict[str, str]:
        """The state of each journey."""
        return dict(self.connection.execute(select(JOURNEY.c.journey_id, JOURNEY.c.state)).all())

    def tap_ids(self) -> list[int]:
        """The taps that are there."""
        return sorted(self.connection.execute(select(TAP.c.tap_id)).scalars())

    def counts(self) -> set[tuple[Any, ...]]:
        """What stayed of taps."""
        return {tuple(row) for row in self.connection.execute(select(TAP_DAY))}


def pass_id(rider: str) -> bytes:
    """The id of a rider's pass: bytes that one finds again in a file."""
    return f"pass-of-{rider}".encode().ljust(16, b"\xa7")


def pass_row(rider: str, *, ended_ago: timedelta = timedelta(days=-30)) -> dict[str, Any]:
    """A pass that ended so long before NOW."""
    return {"pass_id": pass_id(rider), "account_id": rider[0] * 32, "product": "single", "category": None,
            "reference": "face", "state": "valid", "not_before_us": 1, "expires_us": microseconds_of(NOW - ended_ago),
            "replaced_by": None}  # fmt: skip
