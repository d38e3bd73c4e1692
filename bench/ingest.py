"""Ingest: a gate's batch verified, compared and stored by the office, against plain inserts of the same rows."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import mean

from sqlalchemy import delete, insert, select
from tests.databases import PostgresServer, postgresql
from tests.office.sync_workshop import START

from bench.ingest_office import FILL_DAYS, BenchGate, BenchOffice
from bench.machine import file_system_of
from bench.report import Section, Table, Target
from bench.timing import Stopwatches
from bench.workshop import Workshop
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH, tap_number

NAME = "ingest"
TITLE = "Ingest: batches of taps against plain inserts of the same rows"
_SIZES = (500, 1000)
_RATIO_MIN = 0.2
_SLOWER_MAX = 1.2
_GATES = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: full, or quick."""

    rounds: int
    riders: int
    stored: int


FULL = Size(rounds=80, riders=100_000, stored=5_000_000)
QUICK = Size(rounds=15, riders=10_000, stored=200_000)


def measure(workshop: Workshop) -> Section:
    """On each engine three databases: plain inserts, an empty office, and one that holds millions of taps; in turn."""
    size = QUICK if workshop.quick else FULL
    if taps := os.environ.get("OPENSTILE_BENCH_TAPS"):
        size = Size(size.rounds, size.riders, int(taps))
    try:
        with _all_cores(), postgresql(durable=True) as server:
            return _measure(workshop, server, size)
    except LookupError as error:
        return Section(NAME, TITLE, skipped=f"{error}; `apt-get install postgresql` brings it")


def _measure(workshop: Workshop, server: PostgresServer, size: Size) -> Section:
    watches = Stopwatches()
    with workshop.progress(NAME, 2 * len(_SIZES) * size.rounds) as step:
        for engine in ("SQLite", "PostgreSQL"):
            gates = [BenchGate.new(f"gate-{number}") for number in range(_GATES)]
            riders = [secrets.token_bytes(16) for _ in range(size.riders)]
            offices = [_office(workshop, server, engine, name, gates, riders) for name in ("raw", "empty", "full")]
            offices[2].fill(size.stored)
            at = START + timedelta(days=FILL_DAYS)
            for taps in _SIZES:
                for index in range(size.rounds):
                    at += timedelta(minutes=1)
                    _in_turn(watches, f"{engine}, {taps} taps", index, offices, gates[index % _GATES], riders, taps, at)
                    step()
            for office in offices:
                office.close()
    return _told(watches, size, file_system_of(workshop.work))


def _office(
    workshop: Workshop, server: PostgresServer, engine: str, name: str, gates: list[BenchGate], riders: list[bytes]
) -> BenchOffice:
    url = f"sqlite:///{workshop.work / f'{name}.db'}" if engine == "SQLite" else server.new_database()
    return BenchOffice.open(url, gates=gates, riders=riders)


def _in_turn(
    watches: Stopwatches,
    name: str,
    index: int,
    offices: list[BenchOffice],
    gate: BenchGate,
    riders: list[bytes],
    taps: int,
    at: datetime,
) -> None:
    """The same batch into both offices, and its rows into the third database; who is first changes."""
    raw, empty, full = offices
    body = gate.next_batch(riders, taps, at)
    todo = [(f"{name}, empty", empty), (f"{name}, full", full)]
    for label, office in todo if index % 2 else reversed(todo):
        watches.run(label, partial(office.take, gate, body, at))
    epoch_id = empty.epoch_ids[gate.name]
    first = tap_number(epoch_id, gate.stored - taps + 1)
    with empty.database.read() as connection:
        rows = [dict(row) for row in connection.execute(select(TAP).where(TAP.c.tap_id >= first,
                TAP.c.tap_id < first + taps)).mappings()]  # fmt: skip
    assert len(rows) == taps

    def plain() -> None:
        with raw.database.write() as connection:
            connection.execute(insert(TAP), rows)

    watches.run(f"{name}, plain inserts", plain)
    if index % 10 == 9:  # as pricing does, while nobody measures
        for office in (empty, full):
            with office.database.write() as connection:
                connection.execute(delete(TAP_FRESH))
                connection.execute(delete(PRICING_DUE))


def _told(watches: Stopwatches, size: Size, file_system: str) -> Section:
    rows, targets = [], []
    figures: dict[str, object] = dict(watches.figures())
    for engine in ("SQLite", "PostgreSQL"):
        for taps in _SIZES:
            name = f"{engine}, {taps} taps"
            plain, empty, full = (watches.times(f"{name}, {kind}") for kind in ("plain inserts", "empty", "full"))
            ratio, slower = plain.median / empty.median, full.median / empty.median
            figures |= {f"{name}: ratio": ratio, f"{name}: slower": slower}
            rates = (taps / times.median * 1000 for times in (empty, full, plain))
            means = mean(full.samples) / mean(empty.samples)
            rows.append((name, *(f"{rate:,.0f}" for rate in rates), f"{ratio:.2f}", f"{slower:.2f}", f"{means:.2f}"))
            targets += [
                Target(f"{name}: at least {_RATIO_MIN} of plain inserts", f"{ratio:.2f}", reached=ratio >= _RATIO_MIN),
                Target(
                    f"{name}: with {size.stored:,} stored at most {_SLOWER_MAX} times as long",
                    f"{slower:.2f} times",
                    reached=slower <= _SLOWER_MAX,
                ),
            ]
    columns = ("batches", "taps/s, empty", f"taps/s, {size.stored:,} stored", "taps/s, plain inserts", "empty / plain",
               "full / empty", "of means")  # fmt: skip
    return Section(
        NAME,
        TITLE,
        tables=(Table(f"Medians of {size.rounds} batches each, interleaved", columns, tuple(rows)),),
        targets=tuple(targets),
        notes=(
            "Ours is from the batch's bytes to the commit: strict reading, the chain, the head's signature, comparison "
            "with what is stored, accounts of passes, clocks, taps, whose pricing is due. Plain inserts are SQLAlchemy "
            "Core's, of the same rows into the same table with its indexes. All commit durably.",
            f"{size.riders:,} passes, {_GATES} gates. All cores, the server on them too; file system {file_system}.",
        ),
        figures=figures,
    )


@contextmanager
def _all_cores() -> Iterator[None]:
    """The server and we share the machine as they would."""
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, pinned)
