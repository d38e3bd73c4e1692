"""One span, one line of the log and one count for each run of a job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context

from openstile.office.observe.logs import where_of
from openstile.office.observe.metrics import Metrics
from openstile.office.store.database import OfficeDatabaseError
from openstile.terms.instants import Clock

_log = structlog.get_logger("openstile.office")
_tracer = trace.get_tracer("openstile.office")


@contextmanager
def observed_job(name: str, *, metrics: Metrics, clock: Clock) -> Iterator[None]:
    """Around one run of the job `name`. An error is noted by its type and place, and goes no further: a job that
    failed runs again at its next turn."""
    begun = time.perf_counter()
    outcome = "failed"
    with _tracer.start_as_current_span(f"job {name}", context=Context(), record_exception=False) as span:
        try:
            yield
            outcome = "done"
        except Exception as error:  # noqa: BLE001 - see above
            more = {"kind": error.kind} if isinstance(error, OfficeDatabaseError) else {}
            _log.error("job failed", job=name, error=type(error).__name__, where=where_of(error), **more)
        seconds = time.perf_counter() - begun
        span.set_attribute("openstile.job.outcome", outcome)
    metrics.job_runs.labels(name, outcome).inc()
    metrics.job_seconds.labels(name).observe(seconds)
    if outcome == "done":
        metrics.job_last.labels(name).set(clock.now().timestamp())
