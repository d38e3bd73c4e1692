"""One process that posts rides of riders of its own until its time is over: `python -m bench.ledger_worker`."""

import sys
import time
from collections.abc import Sequence

from bench.ledger_raw import CENTS, DAY, RIDERS, Ride
from openstile.ledger import AccountKind, Entry, Posting
from openstile.ledger.store import LEDGER, Ledger
from openstile.office.store.database import Database
from openstile.terms.money import Money

REVENUE = "revenue:fares"
WORKERS_MAX = 8
_FARE = Money(CENTS, "EUR")


def open_books(url: str, *, shards: int) -> Database:
    """A database with the ledger's tables, a revenue account and riders."""
    database = Database.open(url)
    LEDGER.create_all(database.engine)
    with database.write() as connection:
        ledger = Ledger(connection)
        ledger.open_account(REVENUE, AccountKind.INCOME, "EUR", overdraft_minor=None, shards=shards, on=DAY)
        for rider in range(RIDERS):
            ledger.open_account(rider_name(rider), AccountKind.LIABILITY, "EUR", overdraft_minor=10**12, on=DAY)
    return database


def post(database: Database, rides: Sequence[Ride]) -> None:
    """One transaction, from plain values to the commit."""
    requests = [
        Posting("fare", DAY, (Entry(rider_name(rider), _FARE), Entry(REVENUE, -_FARE)), key) for key, rider in rides
    ]
    with database.write() as connection:
        Ledger(connection).post_many(requests)


def rider_name(rider: int) -> str:
    """The account of a rider; ids of real ones are random."""
    return f"riders:{rider:032x}"


def main() -> None:
    """Waits for a line, posts for so many seconds, and prints how many postings it made and the CPU seconds it took."""
    url, worker, size, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    database = Database.open(url, pool_size=1)
    own = range(worker * RIDERS // WORKERS_MAX, (worker + 1) * RIDERS // WORKERS_MAX)
    for turn in range(10):  # until every statement is prepared
        post(database, [(f"warm-{worker}-{turn}-{at}", own[at]) for at in range(size)])
    print("ready", flush=True)
    sys.stdin.readline()
    end, used_s, count = time.monotonic() + seconds, time.process_time(), 0
    while time.monotonic() < end:
        post(database, [(f"{worker}-{at}", own[at % len(own)]) for at in range(count, count + size)])
        count += size
    print(count, time.process_time() - used_s, flush=True)
    database.close()


if __name__ == "__main__":
    main()
