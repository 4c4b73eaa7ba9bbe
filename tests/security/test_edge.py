"""What holds for every answer: headers, hosts, cookies, and what the log line keeps (S20, S34)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from api.app import collect_handlers
from api.headers import client_address
from api.request import PUBLIC, Call, answer
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of

SEEDED = "079190000011"


@get("/probe/{number:str}", actors=("public",), operation_id="probe_number")
async def probe(call: NamedDependency[Call], number: FromPath[str], q: FromQuery[str] = "") -> Response[Any]:
    """Echo nothing."""
    return answer(call.network_prefix().encode(), media_type="text/plain")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


async def test_s34_every_answer_forbids_index_storage_and_sniffing(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/v1/me/summary", "/nothing", "/docs", "/docs/openapi.json"):
        headers = (await client.get(path)).headers
        assert headers["x-robots-tag"] == "noindex"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "localhost@evil", "127.0.0.2"]
)
async def test_s20_a_foreign_host_gets_400(client: httpx.AsyncClient, host: str) -> None:
    response = await client.get("/health/live", headers={"Host": host})
    assert response.status_code == 400
    assert response.json()["code"] == "bad-host"


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST"])
async def test_s20_a_named_host_is_served(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/health/live", headers={"Host": host})).status_code == 200


async def test_s20_forwarded_headers_of_strangers_change_nothing(client: httpx.AsyncClient) -> None:
    plain = await client.get("/docs/openapi.json")
    forged = await client.get(
        "/docs/openapi.json",
        headers={
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "gopher",
            "X-Forwarded-For": "1.2.3.4",
        },
    )
    assert forged.content == plain.content


def test_s20_only_configured_proxies_may_name_the_caller() -> None:
    def scope(peer: str, forwarded: str) -> Any:
        return {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}

    proxies = frozenset({"10.0.0.1", "10.0.0.2"})
    assert client_address(scope("203.0.113.9", "1.1.1.1"), proxies) == "203.0.113.9"
    assert client_address(scope("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2"), proxies) == "203.0.113.9"
    assert client_address(scope("10.0.0.1", ""), proxies) == "10.0.0.1"


async def test_s34_a_log_line_keeps_the_template_and_no_value(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock, handlers=[probe]) as client:
        with structlog.testing.capture_logs() as lines:
            await client.get(
                f"/probe/{SEEDED}",
                params={"q": SEEDED},
                headers={"Referer": f"https://x/{SEEDED}", "User-Agent": SEEDED, **bearer(SEEDED)},
            )
            await client.get(f"/nothing/{SEEDED}")
            await client.request(f"X{SEEDED}", f"/nothing/{SEEDED}")
            await client.request(f"X{SEEDED}", f"/probe/{SEEDED}")
    assert [(line["method"], line["route"]) for line in lines] == [
        ("GET", "/probe/{number}"),
        *[("none", None)] * 3,
    ]
    assert SEEDED not in repr(lines)
    assert {"method", "status", "milliseconds", "request_id"} <= set(lines[0])


def closed_routes() -> list[tuple[str, str]]:
    return [
        (method, path)
        for handler in collect_handlers(demo=True)
        if isinstance(handler, HTTPRouteHandler) and PUBLIC not in handler.opt["actors"]
        for path in handler.paths
        for method in handler.http_methods
    ]


async def test_s34_a_cookie_signs_nobody_in(client: httpx.AsyncClient) -> None:
    for method, path in closed_routes():
        plain = path.replace(":uuid}", "}").replace(":str}", "}")
        filled = "/".join(
            "01985e2c-7a00-7abc-8def-0123456789ab" if p.startswith("{") else p for p in plain.split("/")
        )
        cookie = {"Cookie": "token=abc; session=abc; Authorization=Bearer abc"}
        assert (await client.request(method, filled, headers=cookie)).status_code == 401, (method, path)
