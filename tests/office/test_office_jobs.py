"""Jobs: one with more to do goes on at once, and none keeps the office from ending."""

import io
import threading

from openstile.office.jobs import Job, running_jobs
from openstile.office.observe.logs import lines_to
from openstile.office.observe.metrics import Metrics
from openstile.terms.instants import SystemClock

_NEVER_S = 10**6


def test_job_with_more_to_do_runs_again_at_once_and_then_waits() -> None:
    ran, enough = [], threading.Event()

    def work() -> bool:
        ran.append(1)
        if len(ran) == 5:
            enough.set()
        return len(ran) < 5

    with running_jobs([Job("probe", _NEVER_S, work)], metrics=Metrics(), clock=SystemClock()):
        assert enough.wait(30)
    assert len(ran) == 5


def test_job_with_endless_work_ends_between_two_steps() -> None:
    begun = threading.Event()

    def work() -> bool:
        begun.set()
        return True

    with running_jobs([Job("probe", _NEVER_S, work)], metrics=Metrics(), clock=SystemClock()):
        assert begun.wait(30)
    assert "job probe" not in [thread.name for thread in threading.enumerate()]


def test_job_that_hangs_does_not_keep_the_office_from_ending() -> None:
    begun, hangs, log = threading.Event(), threading.Event(), io.StringIO()

    def work() -> None:
        begun.set()
        hangs.wait()

    try:
        with (
            lines_to(log),
            running_jobs([Job("probe", 1, work)], metrics=Metrics(), clock=SystemClock(), end_s=0.05),
        ):
            assert begun.wait(30)
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "job probe")
        assert thread.daemon
        assert '"event": "job cut off"' in log.getvalue()
    finally:
        hangs.set()
    thread.join()
