"""Traces for OpenTelemetry, off unless TRACES_ENDPOINT is set and the extra `tracing` is installed.

The instrumentation that others ship writes addresses, queries and agents into spans. Ours hold the template,
method, status and request id, and nothing that a caller sent: no `traceparent` is taken over either (S34).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from api.tracing import Finish, Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span

SERVICE: Final = "healthbook"
NO_EXTRA: Final = (
    "TRACES_ENDPOINT is set and OpenTelemetry is not installed: install the extra `tracing` "
    "(pip install 'so-suc-khoe-dien-tu[tracing]') or unset it."
)
# As OpenTelemetry calls methods that are not HTTP's own: a caller's word is no name of ours.
OTHER: Final = "_OTHER"
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def can_trace() -> bool:
    """Whether the extra is installed."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


@asynccontextmanager
async def opened_tracing(endpoint: str) -> AsyncIterator[Trace]:
    """Traces of one server process, sent in batches over OTLP/HTTP; what is left is sent at the end."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    async with traced_by(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint))) as trace:
        yield trace


@asynccontextmanager
async def traced_by(processor: "SpanProcessor") -> AsyncIterator[Trace]:
    """The same with a processor of one's own."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def trace(request_id: str) -> Iterator[Finish]:
        # The text of an exception can hold a row (S22): the span says that it failed by its status.
        with tracer.start_as_current_span(
            OTHER, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            span.set_attribute("healthbook.request_id", request_id)
            yield finish_of(span)

    try:
        yield trace
    finally:
        await asyncio.to_thread(provider.shutdown)


def finish_of(span: "Span") -> Finish:
    def finish(method: str, route: str | None, status: int) -> None:
        known = method if method in METHODS else OTHER
        span.update_name(f"{known} {route}" if route else known)
        span.set_attribute("http.request.method", known)
        if route:
            span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)

    return finish
