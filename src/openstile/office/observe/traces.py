"""Where spans go: nowhere, unless the operator says so and the extra `telemetry` is installed."""

from openstile.terms import BadInputError


def export_traces(url: str) -> None:
    """From now on this process sends its spans to `url` (OTLP over HTTP). They hold routes, statuses and jobs alone.

    Raises BadInputError where the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found,unused-ignore]
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadInputError("office.traces_url: needs the extra telemetry; run: pip install '.[telemetry]'") from None
    from opentelemetry import trace

    provider = TracerProvider(resource=Resource({"service.name": "openstile-office"}))  # and nothing of this machine
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    trace.set_tracer_provider(provider)
