"""Whatever goes wrong, the answer is a problem: a code, two languages, a place, and no value."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import structlog
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta, Struct

from api.app import create_app
from api.request import Call, answer
from kernel.problems import ProblemType, Refused, refuse
from store.blobs import BlobDamagedError, BlobUnavailableError
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of

SEEDED = "079190000011"
LIMIT = ProblemType(
    code="probe-limit",
    status=429,
    vi="Quá nhiều.",
    en="Too many.",
    next_vi="Chờ.",
    next_en="Wait.",
    retryable=True,
)


class Inner(Struct, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(pattern="^[0-9]{6}$")]


class Body(Struct, kw_only=True, forbid_unknown_fields=True):
    pin: Annotated[str, Meta(max_length=6)]
    count: int = 0
    items: list[Inner] = []


@post("/probe/body", actors=("public",), operation_id="probe_body", status_code=200)
async def take_body(data: JSONBody[Body]) -> Response[Body]:
    """Take a body."""
    return answer(data)


@post("/probe/closed", actors=("citizen",), operation_id="probe_closed", status_code=200)
async def take_closed(call: NamedDependency[Call], data: JSONBody[Body]) -> Response[Body]:
    """Take a body of a citizen."""
    async with call.begin():
        return answer(data)


@get("/probe/page/{page_id:uuid}", actors=("public",), operation_id="probe_page")
async def take_page(
    call: NamedDependency[Call], page_id: FromPath[Any], limit: FromQuery[int] = 1
) -> Response[Any]:
    """Take a page."""
    return answer(str(limit).encode())


@get("/probe/fail/{kind:str}", actors=("public",), operation_id="probe_fail")
async def fail(kind: FromPath[str]) -> Response[Any]:
    """Fail in some way."""
    errors: dict[str, Exception] = {
        "value": ValueError(SEEDED),
        "check": asyncpg.CheckViolationError(f"Failing row contains ({SEEDED})"),
        "lost": asyncpg.ConnectionDoesNotExistError("connection was closed"),
        "half-lost": asyncpg.InternalClientError('protocol is in the "failed" state'),
        "full": asyncpg.TooManyConnectionsError("too many clients"),
        "wait": TimeoutError(),
        "socket": ConnectionRefusedError(),
        "shutdown": asyncpg.AdminShutdownError("terminating"),
        "blobs": BlobUnavailableError(SEEDED),
        "garbled": BlobDamagedError(SEEDED),
        "deadlock": asyncpg.DeadlockDetectedError(SEEDED),
    }
    raise errors[kind]


@get("/probe/refuse", actors=("public",), operation_id="probe_refuse")
async def refused() -> Response[Any]:
    """Refuse with a wait."""
    return answer(Refused(problem=LIMIT, retry_after_seconds=17, remaining=0))


@get("/probe/raise", actors=("public",), operation_id="probe_raise")
async def raised() -> Response[Any]:
    """Raise a problem."""
    refuse(LIMIT, "somewhere")


PROBES: list[Any] = [take_body, take_closed, take_page, fail, refused, raised]


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, handlers=PROBES) as opened:
        yield opened


def assert_problem(response: httpx.Response, status: int, code: str, where: str | None = None) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/problems/{code}")
    for text in ("title", "detail", "title_en", "detail_en"):
        assert problem[text]
    assert [error["where"] for error in problem.get("errors", [])] == ([where] if where else [])
    assert SEEDED not in response.text


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"{", "malformed-body", None),
        (b'{"pin":"1"}x', "malformed-body", None),
        (b'{"pin":"\xff"}', "malformed-body", None),
        (b"[" * 60_000, "invalid-field", "body"),
        (b"", "invalid-field", "body"),
        (b"null", "invalid-field", "body"),
        (b"[]", "invalid-field", "body"),
        (b"{}", "invalid-field", "pin"),
        (b'{"pin":1}', "invalid-field", "pin"),
        (b'{"pin":"079190000011"}', "invalid-field", "pin"),
        (b'{"pin":"1","count":"3"}', "invalid-field", "count"),
        (b'{"pin":"1","079190000011":"3"}', "invalid-field", "body"),
        (b'{"pin":"1","items":[{"code":"079190000011"}]}', "invalid-field", "items[...].code"),
        (b'{"pin":"1","items":[{}]}', "invalid-field", "items[0].code"),
    ],
)
async def test_a_bad_body_is_refused_with_its_place(
    client: httpx.AsyncClient, body: bytes, code: str, where: str | None
) -> None:
    response = await client.post("/probe/body", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    places = [error["where"] for error in response.json().get("errors", [])]
    assert_problem(response, 400, code, places[0] if places else None)
    assert (places[0].replace("0", "...") if places else None) == (
        where.replace("0", "...") if where else None
    )


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""]
)
async def test_another_content_type_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert_problem(
        await client.post("/probe/body", content=b'{"pin":"1"}', headers=headers),
        415,
        "unsupported-media-type",
    )


async def test_a_large_body_is_refused(client: httpx.AsyncClient) -> None:
    big = b'{"pin":"' + b"1" * 70_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert_problem(await client.post("/probe/body", content=big, headers=headers), 413, "body-too-large")


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get(f"/v1/{SEEDED}"), 404, "not-found")
    refused_method = await client.put("/probe/body")
    assert_problem(refused_method, 405, "method-not-allowed")
    assert refused_method.headers["allow"] == "POST"


async def test_parameters_are_named_and_unknown_ones_refused(client: httpx.AsyncClient) -> None:
    page = "/probe/page/01985e2c-7a00-7abc-8def-0123456789ab"
    assert (await client.get(page, params={"limit": 3})).status_code == 200
    assert_problem(await client.get(page, params={"limit": SEEDED + "x"}), 400, "invalid-field", "limit")
    assert_problem(await client.get(page, params={"limt": "3"}), 400, "invalid-field", "query")
    assert_problem(await client.get("/probe/page/x"), 404, "not-found")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("value", 500, "internal-error"),
        ("check", 500, "internal-error"),
        ("lost", 503, "unavailable"),
        ("half-lost", 503, "unavailable"),
        ("full", 503, "unavailable"),
        ("wait", 503, "unavailable"),
        ("socket", 503, "unavailable"),
        ("shutdown", 503, "unavailable"),
        ("blobs", 503, "unavailable"),
        ("garbled", 503, "unavailable"),
        ("deadlock", 503, "unavailable"),
    ],
)
async def test_s22_an_exception_is_logged_by_class_and_sqlstate_only(
    client: httpx.AsyncClient, kind: str, status: int, code: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        response = await client.get(f"/probe/fail/{kind}")
    assert_problem(response, status, code)
    assert ("retry-after" in response.headers) is (status == 503)
    failed = [line for line in lines if line["event"] == "request failed"]
    assert len(failed) == 1
    assert SEEDED not in repr(lines)
    assert failed[0]["route"] == "/probe/fail/{kind}"


async def test_a_refusal_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/probe/refuse")
    assert_problem(response, 429, "probe-limit")
    assert response.headers["retry-after"] == "17"
    assert response.json()["retry_after_seconds"] == 17
    assert response.json()["remaining"] == 0
    assert_problem(await client.get("/probe/raise"), 429, "probe-limit", "somewhere")


async def test_a_stranger_learns_nothing_of_the_body(client: httpx.AsyncClient) -> None:
    """401 comes before 400, with a token or without one."""
    headers = {"content-type": "application/json"}
    assert_problem(await client.post("/probe/closed", content=b"{", headers=headers), 401, "not-signed-in")
    wrong = headers | {"Authorization": "Bearer " + "A" * 64}
    response = await client.post("/probe/closed", content=b"{", headers=wrong)
    assert_problem(response, 401, "not-signed-in")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_two_failures_alike_are_equal_byte_for_byte(client: httpx.AsyncClient) -> None:
    first, second = await asyncio.gather(client.get("/nothing"), client.get("/nowhere"))
    assert first.content == second.content
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_caller_that_hangs_up_while_sending_is_no_fault_of_ours(
    store: Store, clock: FrozenClock
) -> None:
    app = create_app(store, clock)
    sent: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"kind":', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/auth/sign-in/start",
        "raw_path": b"/v1/auth/sign-in/start",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"50")],
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "root_path": "",
        "scheme": "http",
        "server": ("localhost", 80),
    }
    with structlog.testing.capture_logs() as lines:
        async with app.lifespan():
            await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [line for line in lines if line["log_level"] == "error"] == []
