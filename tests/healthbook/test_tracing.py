"""Traces, where somebody wants them: template and request id, and nothing that a caller sent (S22, S34)."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.request import Call
from api.tracing import Trace
from healthbook import tracing
from healthbook.settings import SettingsError, read_settings
from healthbook.start_check import reasons_not_to_start
from healthbook.tracing import traced_by
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of

SEEDED = "079190000017"


@get("/probe/{number:str}", actors=("public",), problems=(), operation_id="probe")
async def probe(number: FromPath[str], call: NamedDependency[Call]) -> None:
    async with call.begin_public() as tx:
        await tx.fetch("SELECT $1::text::uuid", number)


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_s34_a_span_holds_template_method_status_and_request_id_alone(
    store: Store, clock: FrozenClock
) -> None:
    kept = InMemorySpanExporter()

    def trace() -> AbstractAsyncContextManager[Trace]:
        return traced_by(SimpleSpanProcessor(kept))

    headers = {
        "Referer": f"https://x/{SEEDED}",
        "User-Agent": SEEDED,
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "X-Request-Id": SEEDED,
    }
    async with client_of(store, clock, handlers=[probe], open_trace=trace) as client:
        failed = await client.get(f"/probe/{SEEDED}", headers=headers)
        nowhere = await client.get(f"/nothing/{SEEDED}?q={SEEDED}", headers=headers)
        await client.request(f"X{SEEDED}", f"/probe/{SEEDED}", headers=headers)
        spans = kept.get_finished_spans()
    assert [span.name for span in spans] == ["GET /probe/{number}", "_OTHER", "_OTHER"]
    assert said(spans[0]) == {
        "healthbook.request_id": failed.headers["x-request-id"],
        "http.request.method": "GET",
        "http.route": "/probe/{number}",
        "http.response.status_code": failed.status_code,
    }
    assert failed.status_code == 500
    assert said(spans[1])["healthbook.request_id"] == nowhere.headers["x-request-id"]
    assert [span.name for span in spans if SEEDED in span.to_json()] == []
    assert [span.events for span in spans] == [()] * 3, "no text of an exception"
    assert "a" * 32 not in spans[0].to_json(), "a caller's own trace is not taken over"


def test_without_the_extra_a_start_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = read_settings({"TRACES_ENDPOINT": "http://collector:4318/v1/traces"})
    assert reasons_not_to_start(wanted, demo_database=False, demo_keys=False) == []
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    assert not tracing.can_trace()
    (reason,) = reasons_not_to_start(wanted, demo_database=False, demo_keys=False)
    assert "extra `tracing`" in reason
    assert reasons_not_to_start(read_settings({}), demo_database=False, demo_keys=False) == []


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector/x", "http://user:secret@collector/"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="TRACES_ENDPOINT"):
        read_settings({"TRACES_ENDPOINT": address})
