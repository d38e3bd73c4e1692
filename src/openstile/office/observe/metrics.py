"""Counters for Prometheus. Labels are names of routes, jobs and kinds: never of a rider, pass, account or gate."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one office, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "openstile_requests_total", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "openstile_request_seconds", "Time to answer", ["method", "route"], buckets=_SECONDS, registry=self.registry
        )
        self.in_flight = Gauge("openstile_requests_in_flight", "Requests being answered", registry=self.registry)
        self.sign_ins = Counter("openstile_sign_ins_total", "Sign-ins", ["way", "outcome"], registry=self.registry)
        self.job_runs = Counter("openstile_job_runs_total", "Runs of jobs", ["job", "outcome"], registry=self.registry)
        self.job_seconds = Histogram(
            "openstile_job_seconds", "Time of a job's run", ["job"], buckets=_SECONDS, registry=self.registry
        )
        self.job_last = Gauge(
            "openstile_job_last_success_timestamp_seconds",
            "When a job last ended well",
            ["job"],
            registry=self.registry,
        )
        self.events = Counter(
            "openstile_events_total", "What happened, by kind (taps_stored, forks, reviews)", ["kind"],
            registry=self.registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
