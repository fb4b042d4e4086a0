"""Logs, traces and metrics: one trace id from the first request to the last consumer."""

from __future__ import annotations

import contextvars
import io
import logging
import sys
from collections.abc import Mapping
from typing import TextIO, cast

import orjson
import structlog
from opentelemetry import context as otel_context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""Id of the request or event at work; it is in every log line, answer and recorded event."""

tracer = trace.get_tracer("msp")
_propagator = TraceContextTextMapPropagator()

HTTP_SECONDS = Histogram(
    "msp_http_request_seconds",
    "Time to answer a request",
    ("service", "method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
EVENTS_PUBLISHED = Counter("msp_events_published_total", "Events confirmed by the broker", ("service", "stream"))
EVENTS_HEARD = Counter("msp_events_heard_total", "Events taken from the queue", ("service", "stream", "outcome"))
RELAY_FAILURES = Counter("msp_relay_failures_total", "Publishing that has to be tried again", ("service", "reason"))
OUTBOX_ROWS = Gauge("msp_outbox_rows", "Events not yet confirmed by the broker", ("service",))
OUTBOX_OLDEST_SECONDS = Gauge("msp_outbox_oldest_seconds", "Age of the oldest unsent event", ("service",))
INBOX_OPEN = Gauge("msp_inbox_open", "Messages not settled yet", ("service", "status"))
JOB_SECONDS = Histogram("msp_job_tick_seconds", "Time of one tick of a job", ("service", "job"))


class _StandardOutput(io.TextIOBase):
    """Whatever standard output is when something is logged: loggers are kept, and a test puts another one in its place."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def configure(*, service: str, log_level: str = "info", otlp_endpoint: str = "") -> None:
    """Set up JSON logs on standard output, and traces to an OTLP endpoint when there is one."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_trace,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardOutput())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    for noisy in ("uvicorn.access", "aio_pika", "aiormq"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if otlp_endpoint:
        # Imported only when used: the exporter pulls in an HTTP client that no test needs.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        provider = TracerProvider(resource=Resource.create({"service.name": service}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint)))
        trace.set_tracer_provider(provider)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return bound


def outgoing() -> dict[str, str]:
    """Return the context an event or a request carries on: ``traceparent`` and ``correlationid``, when known."""
    carried: dict[str, str] = {}
    _propagator.inject(carried)
    if request_id.get():
        carried["correlationid"] = request_id.get()
    return carried


def incoming(traceparent: str | None) -> otel_context.Context:
    """Return the trace context a received ``traceparent`` stands for."""
    carried: Mapping[str, str] = {"traceparent": traceparent} if traceparent else {}
    return _propagator.extract(carried)


def _add_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    if request_id.get():
        event["request_id"] = request_id.get()
    return event
