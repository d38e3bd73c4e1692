"""What the office does by itself, again and again: a thread for each job, ended between two runs."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from openstile.office.observe.jobs import observed_job
from openstile.office.observe.metrics import Metrics
from openstile.terms.instants import Clock

END_S = 15.0
"""How long jobs may take to finish what they are at when the office ends: as long as requests (server.GRACE_S)."""
_log = structlog.get_logger("openstile.office")


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done every so many seconds. `run` is in small steps, each durable: it may be cut off by a kill.

    When `run` returns True there is more to do, and it runs again at once.
    """

    name: str
    every_s: float
    run: Callable[[], object]


@contextmanager
def running_jobs(jobs: Sequence[Job], *, metrics: Metrics, clock: Clock, end_s: float = END_S) -> Iterator[None]:
    """Within it the jobs run, first at once. At the end each finishes what it is at.

    One that takes longer than `end_s` is cut off when the process ends, as by a kill.
    """
    ended = threading.Event()

    def keep_at(job: Job) -> None:
        while not ended.is_set():
            has_more = False
            with observed_job(job.name, metrics=metrics, clock=clock):
                has_more = job.run() is True
            if not has_more:
                ended.wait(job.every_s)

    threads = {
        job.name: threading.Thread(target=keep_at, args=(job,), name=f"job {job.name}", daemon=True) for job in jobs
    }
    for thread in threads.values():
        thread.start()
    try:
        yield
    finally:
        ended.set()
        until_ns = clock.monotonic_ns() + int(end_s * 1e9)
        for name, thread in threads.items():
            thread.join(max(0.0, (until_ns - clock.monotonic_ns()) / 1e9))
            if thread.is_alive():
                _log.warning("job cut off", job=name)
