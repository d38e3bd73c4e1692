"""Logs, metrics and spans: what is seen of the office says nothing of who."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from tests.office.office_world import OfficeWorld

from openstile.office.api.routing import new_router
from openstile.office.jobs import Job, running_jobs
from openstile.office.observe.jobs import observed_job
from openstile.office.observe.logs import KEYS, configure_logs
from openstile.office.staff.roles import Role


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What this process logs."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logs(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:], root.level = before, level


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """The spans of this process, from now on."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def _use(world: OfficeWorld) -> tuple[str, ...]:
    """Requests with ids, tokens, queries and a bug; what must be seen nowhere."""
    router = new_router("probe")

    @router.get("/probe/bug")
    def bug() -> int:
        raise ZeroDivisionError("secret-4711")

    world.app.include_router(router)
    rider, agent = world.rider(), world.staff(Role.AGENT, name="Ada")
    invitation = world.ask("POST", f"/v1/accounts/{rider.account_id}/invitation", as_=agent).json()["invitation"]
    world.ask("GET", "/v1/session?query-4711", as_=rider)
    world.ask("GET", "/v1/path-4711/%E2%80%A8x")
    world.ask("GET", "/probe/bug", headers={"traceparent": "00-" + "47" * 16 + "-" + "11" * 8 + "-01"})
    world.ask("BREW", "/v1/session")
    return (
        rider.account_id, agent.staff_id, agent.name, invitation, world.token_of(rider), "4711", "192.0.2.1", "BREW",
    )  # fmt: skip


def test_lines_of_the_log_have_known_keys_and_no_values_of_people(world: OfficeWorld, logged: io.StringIO) -> None:
    secrets = _use(world)
    structlog.get_logger("openstile.office").info("request", account=secrets[0], route="/x")
    logging.getLogger("uvicorn.error").warning("peer %s sent %s", secrets[6], secrets[0])
    logging.getLogger("sqlalchemy").error("failed", exc_info=ValueError(secrets[0]))
    told = logged.getvalue()
    lines = [json.loads(line) for line in told.splitlines()]
    assert len(lines) >= 9
    assert all(set(line) <= KEYS for line in lines)
    assert [secret for secret in secrets if secret in told] == []
    (bug,) = [line for line in lines if line["event"] == "bug"]
    assert bug["error"] == "ZeroDivisionError"
    assert "test_api_observed.py" in bug["where"]
    routes = {line["route"] for line in lines if line["event"] == "request"}
    assert {"/v1/accounts/{account_id}/invitation", "/v1/session", "unmatched", "/probe/bug"} <= routes


def test_why_the_database_failed_is_in_the_log_and_not_in_the_answer(world: OfficeWorld, logged: io.StringIO) -> None:
    rider = world.rider()
    world.token_of(rider)
    with world.office.database.write() as connection:
        connection.execute(text("ALTER TABLE session RENAME TO session_4711"))
    answer = world.ask("GET", "/v1/session", as_=rider)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines() if "database failed" in line]
    assert line["kind"] in {"SQLITE_ERROR", "42P01"}
    assert line["kind"] not in answer.text
    with (
        observed_job("probe", metrics=world.office.metrics, clock=world.clock),
        world.office.database.read() as connection,
    ):
        connection.execute(text("SELECT * FROM session"))
    (failed,) = [json.loads(one) for one in logged.getvalue().splitlines() if "job failed" in one]
    assert failed["kind"] == line["kind"]


def test_metrics_have_names_of_routes_alone(world: OfficeWorld) -> None:
    secrets = _use(world)
    told = world.office.metrics.text().decode()
    assert [secret for secret in secrets if secret in told] == []
    assert 'method="other",route="/v1/session",status="405"' in told or 'method="other",route="unmatched"' in told
    assert 'openstile_requests_total{method="GET",route="/probe/bug",status="500"} 1.0' in told


def test_spans_hold_routes_and_join_no_trace_of_a_client(world: OfficeWorld, exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    secrets = _use(world)
    spans = exporter.get_finished_spans()
    told = "".join(span.to_json() for span in spans)
    assert [secret for secret in secrets if secret in told] == []
    assert "GET /probe/bug" in {span.name for span in spans}
    assert {key for span in spans for key in span.attributes or {}} == {
        "http.request.method", "http.route", "http.response.status_code",
    }  # fmt: skip
    assert all(span.parent is None and not span.events for span in spans)


def test_job_that_fails_is_noted_and_runs_again(
    world: OfficeWorld, logged: io.StringIO, exporter: InMemorySpanExporter
) -> None:
    exporter.clear()
    ran: list[int] = []

    def work() -> None:
        ran.append(1)
        if len(ran) == 1:
            raise ZeroDivisionError("secret-4711")

    metrics = world.office.metrics
    with running_jobs([Job("probe", 0.001, work)], metrics=metrics, clock=world.clock):
        while len(ran) < 3:
            pass
    assert metrics.registry.get_sample_value("openstile_job_runs_total", {"job": "probe", "outcome": "failed"}) == 1
    done = metrics.registry.get_sample_value("openstile_job_runs_total", {"job": "probe", "outcome": "done"})
    assert done == len(ran) - 1
    assert "secret-4711" not in logged.getvalue() + "".join(span.to_json() for span in exporter.get_finished_spans())
    assert '"event": "job failed"' in logged.getvalue()
