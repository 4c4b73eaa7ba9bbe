"""docker/proxy/nginx.conf at work, before the real service: what slow and large callers get (S33, S34)."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from api.app import collect_handlers
from api.problems import BODY_TOO_LARGE, UNAVAILABLE
from healthbook.demo_sheet import DemoSheet, load_sheet
from kernel.problems import ProblemType
from tests.support.client import Api, App
from tests.support.nginx import Proxy, nginx_before
from tests.support.service import Service, free_port, start_service

FULL = os.environ.get("HEALTHBOOK_COUNTS") in ("drill", "full")
ONE_ADDRESS = 200
MEBIBYTE = 1 << 20
CLOSED_SECONDS_MAX = 45
SEEDED = "079190000011"


@pytest.fixture(scope="module")
def service(place: Path) -> Iterator[Service]:
    running = start_service(place, workers=2, TRUSTED_PROXIES="127.0.0.1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def proxy(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with nginx_before(service.port, tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


@pytest.fixture
def caller(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.base_url, verify=proxy.tls, timeout=30) as client:
        yield client


def is_problem(answer: httpx.Response, kind: ProblemType) -> bool:
    """Whether the proxy's own answer is what the service itself says of this, and no more is known of it."""
    said = answer.json()
    members = {name: said[name] for name in ("code", "status", "title", "detail", "title_en", "detail_en")}
    return answer.headers["content-type"].startswith("application/problem+json") and members == {
        "code": kind.code,
        "status": kind.status,
        "title": kind.vi,
        "detail": kind.next_vi,
        "title_en": kind.en,
        "detail_en": kind.next_en,
    }


def test_s33_every_route_gets_as_large_a_body_through_as_it_takes(
    service: Service, proxy: Proxy, caller: httpx.Client
) -> None:
    """What is announced is refused by the proxy where it is larger than the place admits; 100-continue asks
    for no byte of it."""
    routes = [
        (path, handler.request_max_body_size)
        for handler in collect_handlers(demo=False)
        for path in getattr(handler, "paths", ())
        if isinstance(getattr(handler, "request_max_body_size", None), int)
    ]
    assert max(most for _, most in routes) > 100 * MEBIBYTE
    for path, most in routes:
        concrete = path.replace("{case_id:uuid}", "0" * 8).replace("{consultation_id:uuid}", "0" * 8)
        with proxy.connect() as line:
            line.sendall(
                f"POST {concrete} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {most}\r\n"
                "Expect: 100-continue\r\n\r\n".encode()
            )
            assert line.recv(4096).split(b" ")[1] != b"413", (path, most)


class Instance:
    """Something that answers 200 on a port that stays its own, until it is stopped."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told: object) -> None:
        del told


def test_instances_that_end_one_right_after_the_other_leave_nobody_unanswered(tmp_path: Path) -> None:
    """One that was away a moment ago is asked all the same when it is the only one."""
    first, second = Instance(free_port()), Instance(free_port())
    with (
        nginx_before(first.port, tmp_path, second.port) as proxy,
        httpx.Client(base_url=proxy.base_url, verify=proxy.tls) as client,
    ):
        first.stop()
        assert {client.get("/").status_code for _ in range(4)} == {200}
        first.start()
        second.stop()
        assert {client.get("/").status_code for _ in range(4)} == {200}
    first.stop()


def test_s33_a_body_that_is_larger_than_its_place_is_refused_in_our_words(caller: httpx.Client) -> None:
    refused = caller.post("/v1/auth/practitioner/sign-in", content=b"x" * (6 * MEBIBYTE))
    assert refused.status_code == 413
    assert is_problem(refused, BODY_TOO_LARGE)
    assert refused.headers["strict-transport-security"]


def test_s33_one_address_that_drips_keeps_nobody_out_and_gets_no_more_places(
    service: Service, proxy: Proxy, sheet: DemoSheet, caller: httpx.Client
) -> None:
    app = App.of_sheet(Api(service.base_url), sheet.citizens[0])
    head = b"POST /v1/auth/practitioner/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    with ExitStack() as stack:
        lines = [stack.enter_context(proxy.connect()) for _ in range(ONE_ADDRESS + 20)]
        for line in lines:
            line.sendall(head)
        deadline = time.monotonic() + 20
        while (refused := caller.get("/v1/health-articles")).status_code != 503:
            assert time.monotonic() < deadline, "one address may hold any number of places"
        assert is_problem(refused, UNAVAILABLE)
        assert refused.headers["retry-after"] == "2"
        # No byte of these bodies came to the service: whoever reaches it otherwise is served.
        assert app.get("/v1/me/summary")["sections"]
        if FULL:
            until = time.monotonic() + CLOSED_SECONDS_MAX
            for line in lines:
                line.settimeout(max(0.1, until - time.monotonic()))
                with suppress(ConnectionResetError):
                    while line.recv(4096):
                        pass
    deadline = time.monotonic() + 30
    while caller.get("/health/live").status_code != 200:
        assert time.monotonic() < deadline


def test_s33_a_head_that_never_ends_is_cut(proxy: Proxy) -> None:
    with proxy.connect() as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n")
        assert line.recv(4096).split(b" ")[1] in (b"400", b"414", b"431", b"494")


def test_s34_the_proxys_log_names_no_path_no_query_and_no_caller(proxy: Proxy, caller: httpx.Client) -> None:
    caller.get(
        f"/v1/me/{SEEDED}?q={SEEDED}", headers={"Referer": f"https://x/{SEEDED}", "User-Agent": SEEDED}
    )
    lines = proxy.log.read_text().splitlines()
    assert {tuple(json.loads(line)) for line in lines} == {
        ("at", "method", "status", "bytes", "seconds", "request_id")
    }
    assert not any(word in line for line in lines for word in (SEEDED, "127.0.0.1", "/v1"))


def test_s33_a_service_that_is_away_is_said_in_our_words(tmp_path: Path) -> None:
    with (
        nginx_before(free_port(), tmp_path) as proxy,
        httpx.Client(base_url=proxy.base_url, verify=proxy.tls) as caller,
    ):
        answer = caller.get("/v1/me")
        assert answer.status_code == 503
        assert is_problem(answer, UNAVAILABLE)
        assert answer.headers["retry-after"] == "2"
