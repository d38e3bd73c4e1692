"""What the office does by itself, again and again: a thread for each job, ended between two runs."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from openstile.office.observe.jobs import observed_job
from openstile.office.observe.metrics import Metrics
from openstile.terms.instants import Clock


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done every so many seconds. `run` is in small steps, each durable: it may be cut off by a kill."""

    name: str
    every_s: float
    run: Callable[[], object]


@contextmanager
def running_jobs(jobs: Sequence[Job], *, metrics: Metrics, clock: Clock) -> Iterator[None]:
    """Within it the jobs run, first at once. At the end each finishes what it is at."""
    ended = threading.Event()

    def keep_at(job: Job) -> None:
        while not ended.is_set():
            with observed_job(job.name, metrics=metrics, clock=clock):
                job.run()
            ended.wait(job.every_s)

    threads = [threading.Thread(target=keep_at, args=(job,), name=f"job {job.name}") for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
