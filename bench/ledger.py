"""The ledger: postings with every check, against the same rows by the plain driver; and many workers against one."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from tests.databases import PostgresServer, postgresql

from bench.ledger_raw import RIDERS, RawLoop, RawPostgresql, RawSqlite, Ride
from bench.ledger_worker import WORKERS_MAX, open_books, post
from bench.machine import file_system_of
from bench.report import Section, Table, Target
from bench.timing import Stopwatches, Times, milliseconds
from bench.workshop import REPOSITORY, Workshop
from openstile.ledger.store.verify import verify
from openstile.office.store.database import Database

NAME = "ledger"
TITLE = "Ledger: postings against the raw loop"
_SIZES = (1, 100)
_SHARDS = 64
_WORKERS = (1, WORKERS_MAX)
_WORKER_SIZES = (1, 50)
"""A posting a transaction, as top-ups and purchases are; and as many as the office prices accounts in one."""


def measure(workshop: Workshop) -> Section:
    """Both engines, batches in turn with the raw loop, into databases of their own; then workers."""
    try:
        with _all_cores(), postgresql(durable=True) as server:
            return _measure(workshop, server)
    except LookupError as error:
        return Section(NAME, TITLE, skipped=f"{error}; `apt-get install postgresql` brings it")


def _measure(workshop: Workshop, server: PostgresServer) -> Section:
    watches = Stopwatches()
    rounds = 30 if workshop.quick else 200
    with workshop.progress(NAME, 2 * len(_SIZES) * rounds) as step:
        for engine in ("SQLite", "PostgreSQL"):
            url = f"sqlite:///{workshop.work / 'books.db'}" if engine == "SQLite" else server.new_database()
            raw: RawLoop = (
                RawSqlite(workshop.work / "raw.db") if engine == "SQLite" else RawPostgresql(server.new_database())
            )
            books = open_books(url, shards=_SHARDS)
            for size in _SIZES:
                for index in range(rounds):
                    rides = _rides(f"{size}-{index}", size)
                    _in_turn(watches, f"{engine}, {size} a transaction", index, books, raw, rides)
                    step()
            _verify(books)
            raw.close()
    seconds = 1.5 if workshop.quick else 5.0
    workers = {size: _workers(server, size, seconds, 3 if workshop.quick else 7) for size in _WORKER_SIZES}
    rows, targets, figures = _compared(watches)
    ratio = workers[1].ratio
    targets.append(
        Target(f"{WORKERS_MAX} PostgreSQL workers at least 2 times 1", f"{ratio:.1f} times", reached=ratio >= 2)
    )
    return Section(
        NAME,
        TITLE,
        tables=(
            Table(
                "Postings, interleaved; medians",
                ("transaction", "n", "ours", "raw loop", "ours / raw", "by CPU time"),
                rows,
            ),
            Table(
                f"Workers of PostgreSQL with riders of their own, one revenue account in {_SHARDS} shards",
                ("postings a transaction", "workers", "postings/s", "times 1", "a worker's CPU a posting"),
                tuple(row for size in _WORKER_SIZES for row in workers[size].rows(size)),
            ),
        ),
        targets=tuple(targets),
        notes=(
            "Ours is from plain values to the commit: checked values, hash, account look-up and locks, keys, limits, "
            "triggers. The raw loop writes the same rows into the same columns, keys and index with the plain driver, "
            "a balance at each entry, and checks nothing. Both commit durably, a flush a transaction. CPU time is that "
            "of this process, which in SQLite does all the work: it does not count waiting for the disk.",
            f"All {os.cpu_count()} cores, the server on them too: what one worker and its server leave idle is all "
            f"that more workers can gain. File system {file_system_of(workshop.work)}.",
        ),
        figures={
            **figures,
            "workers": {str(size): found.figures() for size, found in workers.items()},
            "workers_ratio": ratio,
        },
    )


def _in_turn(watches: Stopwatches, name: str, index: int, books: Database, raw: RawLoop, rides: Sequence[Ride]) -> None:
    """Who goes first changes from round to round."""
    both = [(f"{name}: ours", lambda: post(books, rides)), (f"{name}: raw", lambda: raw.post(rides))]
    for label, action in both if index % 2 else reversed(both):
        before = time.process_time()
        watches.run(label, action)
        watches.add(f"{label}, CPU", (time.process_time() - before) * 1000)


def _compared(watches: Stopwatches) -> tuple[tuple[tuple[str, ...], ...], list[Target], dict[str, object]]:
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    figures: dict[str, object] = dict(watches.figures())
    for engine in ("SQLite", "PostgreSQL"):
        for size in _SIZES:
            name = f"{engine}, {size} a transaction"
            ours, raw = watches.times(f"{name}: ours"), watches.times(f"{name}: raw")
            ratio = raw.median / ours.median
            used = watches.times(f"{name}: raw, CPU").median / watches.times(f"{name}: ours, CPU").median
            by_cpu = f"{used:.2f}" if engine == "SQLite" else "-"
            rows.append((name, str(len(ours.samples)), _rate(size, ours), _rate(size, raw), f"{ratio:.2f}", by_cpu))
            if size > 1:
                targets.append(Target(f"{name}: at least 0.5 of the raw loop", f"{ratio:.2f}", reached=ratio >= 0.5))
            figures[f"{name}: ratio"] = ratio
    return tuple(rows), targets, figures


def _rate(size: int, times: Times) -> str:
    return f"{1000 * size / times.median:,.0f}/s"


def _rides(prefix: str, size: int) -> list[Ride]:
    return [(f"{prefix}-{at}", (hash(prefix) + at * 7919) % RIDERS) for at in range(size)]


@dataclass(frozen=True, slots=True)
class _Workers:
    """Of runs with so many workers: postings a second, and CPU milliseconds of the workers for one."""

    rates: dict[int, list[float]]
    used_ms: dict[int, list[float]]

    @property
    def ratio(self) -> float:
        return median(self.rates[WORKERS_MAX]) / median(self.rates[1])

    def rows(self, size: int) -> Iterator[tuple[str, ...]]:
        for workers, found in self.rates.items():
            times = median(found) / median(self.rates[1])
            yield (str(size), str(workers), f"{median(found):,.0f}", f"{times:.1f}",
                   milliseconds(median(self.used_ms[workers])))  # fmt: skip

    def figures(self) -> dict[str, object]:
        return {"rates": self.rates, "used_ms": self.used_ms, "ratio": self.ratio}


def _workers(server: PostgresServer, size: int, seconds: float, rounds: int) -> _Workers:
    found = _Workers({workers: [] for workers in _WORKERS}, {workers: [] for workers in _WORKERS})
    for index in range(rounds):
        for workers in _WORKERS if index % 2 else _WORKERS[::-1]:
            url = server.new_database()
            books = open_books(url, shards=_SHARDS)
            posted, used_s = _run(url, workers, size, seconds)
            found.rates[workers].append(posted / seconds)
            found.used_ms[workers].append(1000 * used_s / posted)
            _verify(books)
    return found


def _run(url: str, workers: int, size: int, seconds: float) -> tuple[int, float]:
    """How many postings they made together, and the CPU seconds that they took."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.ledger_worker", url, str(worker), str(size), str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )
        for worker in range(workers)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [process.communicate()[0].split() for process in processes]
    return sum(int(posted) for posted, _ in ends), sum(float(used_s) for _, used_s in ends)


def _verify(books: Database) -> None:
    with books.read() as connection:
        found = verify(connection).findings
    books.close()
    if found:
        raise RuntimeError(f"the measured books are wrong: {found[0]}")


@contextmanager
def _all_cores() -> Iterator[None]:
    """Undoes the pinning to one core: a server and its clients work at the same time."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
