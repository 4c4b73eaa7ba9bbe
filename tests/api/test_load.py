"""A process that is full says so at once, strangers first, and waits for no body without end (S33)."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from prometheus_client import REGISTRY, generate_latest
from structlog.testing import capture_logs

from api.app import Api, collect_handlers, create_app
from api.callers import LATELY_SECONDS, Callers
from api.endings import ENDINGS
from api.line import Line
from api.load import ENDINGS_UNPROVEN_MAX, Load, Place
from api.pages.home import home
from api.public.auth import refresh_session
from api.public.health import live
from api.request import Call, answer
from identity.passwords import POOL
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen

END = f"/v1/me/grants/{uuid7(datetime(2026, 1, 1, tzinfo=UTC))}"


def worthless(number: int) -> dict[str, str]:
    """What anybody can write."""
    shown = ("Authorization", f"Bearer abc{number}") if number % 2 else ("Cookie", f"citizen=abc{number}")
    return dict([shown])


def found(app: Api, number: int) -> dict[str, str]:
    """What somebody shows behind whom this process found a session."""
    app.runtime.callers.found(f"token-{number}")
    return bearer(f"token-{number}")


def figure(name: str, labels: dict[str, str]) -> float:
    """What Prometheus would be told."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def until_answered(asked: list[asyncio.Task[httpx.Response]], count: int) -> None:
    """Until so many of them have an answer."""
    for one in islice(asyncio.as_completed(asked), count):
        await one


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

    @get("/v1/mine", actors=("citizen",), operation_id="mine")
    async def mine(call: NamedDependency[Call]) -> Response[Any]:
        async with call.begin():
            return answer(b"{}")

    @delete("/v1/me/grants/{grant_id:uuid}", actors=("citizen",), operation_id="ending", status_code=204)
    async def ending(call: NamedDependency[Call], grant_id: FromPath[UUID]) -> None:
        async with call.begin():
            pass

    handlers: list[HTTPRouteHandler] = [working, taking, weighing, mine, ending, live, home]
    made = create_app(store, clock, handlers=handlers)
    made.load = Load(made.runtime.callers, made.is_ending, most=4, most_strangers=2, body_seconds=0.2)
    return made


@pytest.fixture
async def known(store: Store, clock: FrozenClock, app: Api) -> dict[str, str]:
    """What somebody shows whom this process has found lately."""
    shown = bearer((await make_citizen(store, clock)).token)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as opened:
        assert (await opened.get("/v1/mine", headers=shown)).status_code == 200
    return shown


@pytest.fixture
async def client(app: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as opened:
        yield opened


async def test_s33_who_comes_when_a_process_is_full_is_told_so_at_once(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    inside = [asyncio.create_task(client.get("/v1/working", headers=found(app, one))) for one in range(4)]
    await gate.until_more(4)
    refused = await client.get("/v1/working", headers=found(app, 4))
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["cache-control"] == "no-store"
    assert (await client.get("/health/live")).status_code == 200
    gate.open.set()
    assert {one.status_code for one in await asyncio.gather(*inside)} == {200}
    assert (await client.get("/v1/working", headers=found(app, 4))).status_code == 200
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_strangers_by_the_hundred_keep_nobody_out_who_is_signed_in(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    strangers = [asyncio.create_task(client.get("/v1/working")) for _ in range(100)]
    await gate.until_more(2)
    known = [asyncio.create_task(client.get("/v1/working", headers=found(app, one))) for one in range(2)]
    await gate.until_more(2)
    await until_answered(strangers, 98)
    gate.open.set()
    assert {one.status_code for one in await asyncio.gather(*known)} == {200}
    answers = [one.status_code for one in await asyncio.gather(*strangers)]
    assert (answers.count(200), answers.count(503)) == (2, 98)
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_worthless_tokens_and_cookies_keep_nobody_out_who_is_signed_in(
    app: Api, client: httpx.AsyncClient, gate: Gate, known: dict[str, str]
) -> None:
    flood = [asyncio.create_task(client.get("/v1/working", headers=worthless(one))) for one in range(100)]
    await gate.until_more(2)
    assert (await client.get("/v1/mine", headers=known)).status_code == 200
    cookie = {"Cookie": f"display=vi; __Host-citizen={known['Authorization'].removeprefix('Bearer ')}"}
    page = asyncio.create_task(client.get("/v1/working", headers=cookie))
    await gate.until_more(1)
    await until_answered(flood, 98)
    gate.open.set()
    assert (await page).status_code == 200
    answers = [one.status_code for one in await asyncio.gather(*flood)]
    assert (answers.count(200), answers.count(503)) == (2, 98)
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_a_flood_of_sign_ins_keeps_no_session_from_being_renewed(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    """Its token stands in the body: by its route it waits with those who show one, and no hash is made."""
    app.load = Load(app.runtime.callers, most=16, most_strangers=8)
    flood = [asyncio.create_task(client.get("/v1/working")) for _ in range(100)]
    await gate.until_more(6)
    assert (await client.post("/v1/auth/refresh", json={})).status_code == 404
    gate.open.set()
    await asyncio.gather(*flood)


async def test_s33_a_session_is_known_from_its_renewal_on(store: Store, clock: FrozenClock) -> None:
    who = await make_citizen(store, clock)
    renewing = create_app(store, clock, handlers=[refresh_session])
    transport = httpx.ASGITransport(renewing)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        token, issued_at, signature = who.phone.sign_refresh(who.tokens, clock.now())
        body = {"refresh_token": token, "iat": issued_at, "signature": signature}
        renewed = await client.post("/v1/auth/refresh", json=body)
    assert renewed.status_code == 200, renewed.text
    callers = renewing.runtime.callers
    assert callers.is_known(callers.digest(renewed.json()["access_token"]))


@pytest.mark.parametrize(("shows", "gets_in"), [(lambda _: {}, 200), (worthless, 503)])
async def test_s33_a_real_session_gets_in_after_a_restart_and_is_known_from_then_on(
    app: Api,
    client: httpx.AsyncClient,
    gate: Gate,
    known: dict[str, str],
    shows: Callable[[int], dict[str, str]],
    gets_in: int,
) -> None:
    """Sign-ins take nothing of what is kept for tokens; where tokens flood, it is told when to try again."""
    app.runtime.callers = Callers()
    app.load = Load(app.runtime.callers, most=16, most_strangers=8)
    flood = [asyncio.create_task(client.get("/v1/working", headers=shows(one))) for one in range(100)]
    await gate.until_more(6)
    assert (await client.get("/v1/working", headers=shows(100))).status_code == 503
    first = await client.get("/v1/mine", headers=known)
    assert (first.status_code, first.headers.get("retry-after")) == (gets_in, {503: "2"}.get(gets_in))
    gate.open.set()
    await asyncio.gather(*flood)
    assert (await client.get("/v1/mine", headers=known)).status_code == 200
    app.load = Load(app.runtime.callers, most=1, most_strangers=0)
    assert (await client.get("/v1/mine", headers=known)).status_code == 200


async def test_s33_one_session_does_not_take_every_place(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    app.load = Load(app.runtime.callers, most=16, most_strangers=8)
    flood = [asyncio.create_task(client.get("/v1/working", headers=found(app, 0))) for _ in range(100)]
    await gate.until_more(8)
    other = asyncio.create_task(client.get("/v1/working", headers=found(app, 1)))
    await gate.until_more(1)
    gate.open.set()
    assert (await other).status_code == 200
    assert [one.status_code for one in await asyncio.gather(*flood)].count(200) == 8


async def test_s33_who_signed_out_or_never_was_is_a_stranger_again(
    app: Api, client: httpx.AsyncClient
) -> None:
    worn = found(app, 0)
    app.load = Load(app.runtime.callers, most=4, most_strangers=0)
    assert (await client.get("/v1/mine", headers=worn)).status_code == 401
    assert (await client.get("/v1/mine", headers=worn)).status_code == 503


def test_s33_who_was_found_is_forgotten_after_a_while_and_when_too_many_come() -> None:
    now = 0.0
    callers = Callers(2, lambda: now)
    first, second, third = (callers.digest(one) for one in "abc")
    callers.found("a")
    callers.found("b")
    callers.found("a")
    callers.found("c")
    assert [callers.is_known(one) for one in (first, second, third)] == [True, False, True]
    now = LATELY_SECONDS
    assert [callers.is_known(one) for one in (first, second, third)] == [False, False, False]
    assert Callers().digest("a") != first, "another process cannot be told by this one's memory"


@pytest.mark.parametrize("is_known", [True, False])
async def test_s31_a_full_process_keeps_places_for_whoever_ends_an_access(
    app: Api, client: httpx.AsyncClient, gate: Gate, known: dict[str, str], is_known: bool
) -> None:
    inside = [asyncio.create_task(client.get("/v1/working", headers=found(app, one))) for one in range(4)]
    await gate.until_more(4)
    if not is_known:
        app.runtime.callers.gone(known["Authorization"].removeprefix("Bearer "))
    assert (await client.get("/v1/mine", headers=known)).status_code == 503
    assert (await client.delete(END, headers=known)).status_code == 204
    assert (await client.delete(END)).status_code == 503
    gate.open.set()
    await asyncio.gather(*inside)


async def test_s31_invented_tokens_do_not_take_the_places_of_known_ones_for_endings(
    app: Api, client: httpx.AsyncClient, known: dict[str, str]
) -> None:
    app.load = Load(app.runtime.callers, app.is_ending, most=0)
    scope: Any = {"type": "http", "method": "DELETE", "path": END}

    def place(shown: dict[str, str]) -> Place | Refused:
        headers = [(name.lower().encode(), value.encode()) for name, value in shown.items()]
        found_one = app.load.place_for({**scope, "headers": headers})
        if isinstance(found_one, Place):
            app.load.take(found_one)
        return found_one

    assert [isinstance(place(worthless(0)), Place) for _ in range(4)] == [True, True, False, False]
    invented = [place(worthless(one)) for one in range(1, 100)]
    assert len([one for one in invented if isinstance(one, Place)]) == ENDINGS_UNPROVEN_MAX - 2
    assert (await client.delete(END, headers=known)).status_code == 204


def test_s31_every_route_that_keeps_a_place_is_there() -> None:
    routes = {
        (method, re.sub(r":\w+}", "}", path))
        for handler in collect_handlers(demo=False)
        if isinstance(handler, HTTPRouteHandler)
        for path in handler.paths
        for method in handler.http_methods
    }
    assert sorted(ENDINGS - routes) == []


async def test_s33_a_shed_request_is_a_figure_and_no_line_of_its_own(
    app: Api, client: httpx.AsyncClient
) -> None:
    app.load = Load(app.runtime.callers, most=4, most_strangers=2)
    before = REGISTRY.get_sample_value("healthbook_shed_requests_total", {"who": "nameless"}) or 0.0

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        for _ in range(2):
            app.load.take(Place("nameless"))
        yield b"y"

    with capture_logs() as lines:
        shed = await client.post("/v1/taking", content=body())
        for _ in range(20):
            assert (await client.get("/v1/working")).status_code == 503
    assert (shed.status_code, shed.json()["code"], shed.headers["retry-after"]) == (503, "unavailable", "2")
    said = [one for one in lines if one["event"] != "request"]
    assert [(one["event"], one["log_level"], one["count"]) for one in said] == [
        ("requests turned away", "warning", 1)
    ]
    assert REGISTRY.get_sample_value("healthbook_shed_requests_total", {"who": "nameless"}) == before + 21


@pytest.mark.parametrize("who", ["practitioner", "operator"])
async def test_s33_a_sign_in_that_would_not_be_hashed_is_refused_before_its_body_is_read(
    store: Store, clock: FrozenClock, who: str
) -> None:
    """Whatever it says, a body of no use included. It counts as a sign-in that failed, and is no error."""
    counted = (
        ("healthbook_shed_requests_total", {"who": "hashing"}),
        ("healthbook_answers_total", {"journey": "sign-in", "outcome": "failed"}),
    )
    before = [figure(*one) for one in counted]
    async with client_of(store, clock) as client:
        with ExitStack() as kept, capture_logs() as lines:
            while POOL.refusal() is None:
                kept.enter_context(POOL.expected())
            busy = await client.post(f"/v1/auth/{who}/sign-in", content=b"no JSON")
            assert (await client.get("/v1/me", headers=worthless(1))).status_code == 401, "others go on"
        unread = await client.post(f"/v1/auth/{who}/sign-in", content=b"no JSON")
    assert (busy.status_code, busy.json()["code"]) == (503, "sign-in-busy")
    assert busy.headers["retry-after"] == "2"
    said = [one for one in lines if one["event"] == "request"]
    assert said[0]["route"] == f"/v1/auth/{who}/sign-in"
    assert [figure(*one) for one in counted] == [before[0] + 1, before[1] + 1]
    assert not [one for one in lines if one["event"] == "request failed"]
    assert unread.status_code in (400, 415)


async def test_s34_no_method_of_a_callers_own_is_a_label_while_sign_ins_are_refused(
    store: Store, clock: FrozenClock
) -> None:
    async with client_of(store, clock) as client:
        with ExitStack() as kept:
            while POOL.refusal() is None:
                kept.enter_context(POOL.expected())
            busy = await client.request("THEIRWORD", "/v1/auth/practitioner/sign-in")
    assert busy.status_code == 503
    assert b"THEIRWORD" not in generate_latest()


async def test_s33_a_meant_refusal_from_within_is_no_error(store: Store, clock: FrozenClock) -> None:
    @get("/v1/busy", actors=("public",), operation_id="busy")
    async def busy() -> Response[Any]:
        POOL.require_room()
        return answer(b"{}")

    app = create_app(store, clock, handlers=[busy])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        with ExitStack() as kept, capture_logs() as lines:
            while POOL.refusal() is None:
                kept.enter_context(POOL.expected())
            told = await client.get("/v1/busy")
    assert (told.status_code, told.json()["code"]) == (503, "sign-in-busy")
    assert [one["event"] for one in lines] == ["request"]


async def test_s33_strangers_go_one_in_each_round_and_the_known_in_between(app: Api) -> None:
    """Who is known and needs ten rounds is not behind three hundred."""
    went: list[str] = []

    async def ask(name: str, headers: dict[str, str]) -> None:
        shown = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        scope: Any = {"type": "http", "method": "GET", "path": "/v1/mine", "headers": shown}
        await app.load.admit(scope)
        for _ in range(10 if headers and name == "known" else 0):
            await asyncio.sleep(0)
        went.append(name)

    strangers = [asyncio.ensure_future(ask("stranger", worthless(number))) for number in range(300)]
    await asyncio.gather(ask("known", found(app, 1)), *strangers)
    assert went.index("known") < 20
    assert len(went) == 301


async def test_s33_a_stranger_who_leaves_the_line_stops_nobody_behind() -> None:
    line = Line(5)
    waiting = [asyncio.ensure_future(line.turn("nameless")) for _ in range(5)]
    await asyncio.sleep(0)
    for one in waiting[:4]:
        one.cancel()
    assert await asyncio.wait_for(waiting[4], 10)
    assert await asyncio.wait_for(line.turn("nameless"), 10)


async def test_s33_the_line_is_bounded_and_the_kinds_take_turns() -> None:
    line, went = Line(50), list[str]()

    async def ask(kind: str) -> bool:
        got = await line.turn(kind)
        went.append(f"{kind} {got}")
        return got

    flood = [asyncio.ensure_future(ask("nameless")) for _ in range(80)]
    renewal = asyncio.ensure_future(ask("unproven"))
    got = await asyncio.gather(*flood)
    assert got == [True] * 50 + [False] * 30, "who finds it full is told so at once"
    assert await renewal
    assert went.index("unproven True") <= 32, "behind those who were refused, and one or two of the others"
    assert await line.turn("nameless")


async def test_s31_a_full_line_keeps_nobody_from_ending_an_access(
    app: Api, client: httpx.AsyncClient
) -> None:
    line = app.load._line = Line(0)
    assert not await line.turn("unproven")
    assert (await client.get("/v1/mine", headers=worthless(1))).status_code == 503
    assert (await client.delete(END, headers=worthless(1))).status_code == 401


async def test_s33_bodies_that_come_at_once_do_not_get_more_places_than_there_are(
    app: Api, client: httpx.AsyncClient, gate: Gate
) -> None:
    """While a body comes it holds no place; whoever has sent it asks for one like everybody."""
    app.load = Load(app.runtime.callers, most=4, most_strangers=2)
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
    known = asyncio.create_task(client.get("/v1/working", headers=found(app, 0)))
    await gate.until_more(1)
    gate.open.set()
    assert (await known).status_code == 200
    answers = [one.status_code for one in await asyncio.gather(*strangers)]
    assert (answers.count(201), answers.count(503)) == (2, 18)
    assert (app.load.inside, app.load.strangers) == (0, 0)


async def test_s33_a_browser_that_finds_no_place_reads_a_page_in_vietnamese(
    app: Api, client: httpx.AsyncClient
) -> None:
    app.load = Load(app.runtime.callers, most=0)
    browsers = {"Accept": "text/html,*/*"}
    page = await client.get("/", headers=browsers)
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="vi">' in page.text
    assert "Thử lại" in page.text
    assert (await client.get("/v1/working", headers=browsers)).json()["code"] == "unavailable"


async def test_s33_a_page_and_what_it_asks_within_take_one_place(app: Api, client: httpx.AsyncClient) -> None:
    app.load = Load(app.runtime.callers, most=1, most_strangers=1)
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
