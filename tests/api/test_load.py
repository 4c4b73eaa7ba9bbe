"""A process that is full says so at once, strangers first, and waits for no body without end (S33)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from api.app import Api, create_app
from api.load import Load
from api.pages.home import home
from api.public.health import live
from api.request import Call, answer
from store.database import Store
from tests.support.clock import FrozenClock

KNOWN = {"Authorization": "Bearer whatever"}


class Gate:
    """Requests that work until the test says so."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self._came = asyncio.Semaphore(0)

    async def pass_through(self) -> None:
        self._came.release()
        await self.open.wait()

    async def until_more(self, came: int) -> None:
        """Until so many more are inside."""
        for _ in range(came):
            await self._came.acquire()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def app(store: Store, clock: FrozenClock, gate: Gate) -> Api:
    @get("/v1/working", actors=("public",), operation_id="working")
    async def working() -> Response[Any]:
        await gate.pass_through()
        return answer(b"{}")

    @post("/v1/taking", actors=("public",), operation_id="taking")
    async def taking(call: NamedDependency[Call]) -> Response[Any]:
        return answer(str(len(await call.body())).encode(), media_type="text/plain")

    @post("/v1/weighing", actors=("public",), operation_id="weighing")
    async def weighing(call: NamedDependency[Call]) -> Response[Any]:
        await call.body()
        await gate.pass_through()
        return answer(b"{}")

    handlers: list[HTTPRouteHandler] = [working, taking, weighing, live, home]
    made = create_app(store, clock, handlers=handlers)
    made.load = Load(most=4, most_strangers=2, body_seconds=0.2)
    return made


@pytest.fixture
async def client(app: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as opened:
        yield opened


async def test_s33_who_comes_when_a_process_is_full_is_told_so_at_once(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    inside = [asyncio.create_task(client.get("/v1/working", headers=KNOWN)) for _ in range(4)]
    await gate.until_more(4)
    refused = await client.get("/v1/working", headers=KNOWN)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["cache-control"] == "no-store"
    assert (await client.get("/health/live")).status_code == 200
    gate.open.set()
    assert {one.status_code for one in await asyncio.gather(*inside)} == {200}
    assert (await client.get("/v1/working", headers=KNOWN)).status_code == 200
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_strangers_by_the_hundred_keep_nobody_out_who_is_signed_in(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    strangers = [asyncio.create_task(client.get("/v1/working")) for _ in range(100)]
    await gate.until_more(2)
    known = [asyncio.create_task(client.get("/v1/working", headers=KNOWN)) for _ in range(2)]
    await gate.until_more(2)
    gate.open.set()
    assert {one.status_code for one in await asyncio.gather(*known)} == {200}
    answers = [one.status_code for one in await asyncio.gather(*strangers)]
    assert (answers.count(200), answers.count(503)) == (2, 98)
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_bodies_that_come_at_once_do_not_get_more_places_than_there_are(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    """While a body comes it holds no place; whoever has sent it asks for one like everybody."""
    app.load = Load(most=4, most_strangers=2)
    sent, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        begun.release()
        await sent.wait()
        yield b"y"

    strangers = [asyncio.create_task(client.post("/v1/weighing", content=body())) for _ in range(20)]
    for _ in range(20):
        await begun.acquire()
    sent.set()
    await gate.until_more(2)
    known = asyncio.create_task(client.get("/v1/working", headers=KNOWN))
    await gate.until_more(1)
    gate.open.set()
    assert (await known).status_code == 200
    answers = [one.status_code for one in await asyncio.gather(*strangers)]
    assert (answers.count(201), answers.count(503)) == (2, 18)
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_a_browser_that_finds_no_place_reads_a_page_in_vietnamese(
    app: Api, client: httpx.AsyncClient
) -> None:
    app.load = Load(most=0)
    browsers = {"Accept": "text/html,*/*"}
    page = await client.get("/", headers=browsers)
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="vi">' in page.text
    assert "Thử lại" in page.text
    assert (await client.get("/v1/working", headers=browsers)).json()["code"] == "unavailable"


async def test_s33_a_page_and_what_it_asks_within_take_one_place(app: Api, client: httpx.AsyncClient) -> None:
    app.load = Load(most=1, most_strangers=1)
    assert (await client.get("/", headers={"Accept": "text/html"})).status_code == 200


async def test_s33_a_work_that_breaks_gives_its_place_back(store: Store, clock: FrozenClock) -> None:
    @get("/v1/breaking", actors=("public",), operation_id="breaking")
    async def breaking() -> Response[Any]:
        raise ValueError

    app = create_app(store, clock, handlers=[breaking])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/v1/breaking")).status_code == 500
    assert app.load.inside == 0


async def sent_slowly(app: Api, parts: int) -> int:
    """What a body is answered of which so many parts come and then nothing more."""
    asked: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(parts):
        asked.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
    said: list[Any] = []

    async def receive() -> Any:
        assert app.load.inside == 0, "a body that is still coming holds no place"
        return await asked.get()

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/taking",
        "raw_path": b"/v1/taking",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-length", b"1000")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "http_version": "1.1",
        "scheme": "http",
        "extensions": {},
        "asgi": {"version": "3.0"},
    }
    async with asyncio.timeout(30):
        await app(scope, receive, send)
    status: int = said[0]["status"]
    return status


@pytest.mark.parametrize("parts", [0, 3])
async def test_s33_a_body_that_never_ends_is_given_up_and_holds_no_place_meanwhile(
    app: Api, parts: int
) -> None:
    assert await sent_slowly(app, parts) == 400
    assert app.load.inside == 0
