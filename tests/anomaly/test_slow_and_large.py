"""Callers who say nothing, stop in the middle or send without end, at a real server (S33).

More connections than two processes of Granian hold by its own settings (2 x 512) stay open while others are
served. With HEALTHBOOK_COUNTS=full it is waited until the server has closed every one of them.
"""

import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from healthbook.connections import HEAD_MILLISECONDS
from healthbook.demo_sheet import DemoSheet, load_sheet
from tests.support.client import Api, App
from tests.support.service import Service, start_service

FULL = os.environ.get("HEALTHBOOK_COUNTS") in ("drill", "full")
SILENT = 1200
SLOW_HEADS = 150
SLOW_BODIES = 150
CLOSED_SECONDS_MAX = HEAD_MILLISECONDS / 1000 + 45
HEAD = b"POST /v1/auth/practitioner/sign-in HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def service(place: Path) -> Iterator[Service]:
    running = start_service(place, workers=2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


@contextmanager
def connected(service: Service, count: int, first: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that said this and wait."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, min(most, 4096)), most))
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            opened[-1].sendall(first)
        yield opened
    finally:
        for one in opened:
            one.close()


def closed(one: socket.socket, until: float) -> bool:
    """Whether the server ends this connection by then, with or without an answer."""
    with suppress(TimeoutError, ConnectionResetError):
        while True:
            one.settimeout(max(0.01, until - time.monotonic()))
            if not one.recv(65_536):
                return True
    return False


def test_s33_callers_who_never_finish_keep_nobody_out(service: Service, sheet: DemoSheet) -> None:
    app = App.of_sheet(Api(service.base_url), sheet.citizens[0])
    with (
        connected(service, SILENT, b"") as silent,
        connected(service, SLOW_HEADS, HEAD) as heads,
        connected(service, SLOW_BODIES, HEAD + JSON + b"Content-Length: 1000\r\n\r\n{") as bodies,
    ):
        for _ in range(20):
            assert app.get("/v1/me/summary")["sections"]
        if FULL:
            until = time.monotonic() + CLOSED_SECONDS_MAX
            assert [closed(one, until) for one in (*silent, *heads, *bodies)].count(False) == 0


def said(service: Service, *parts: bytes) -> bytes:
    """The first line of the answer; nothing where the server hangs up without one."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as caller:
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                caller.sendall(part)
        with suppress(ConnectionResetError):
            return caller.recv(4096).partition(b"\r\n")[0]
    return b""


def test_s33_a_body_that_is_announced_too_large_is_refused_before_it_comes(service: Service) -> None:
    for length in (70_000, 10_000_000_000, 10**18):
        answer = said(service, HEAD + JSON + b"Content-Length: %d\r\n\r\n{" % length)
        assert answer.startswith(b"HTTP/1.1 413"), (length, answer)


def test_s33_a_body_without_a_length_is_refused_once_it_is_too_large(service: Service) -> None:
    chunk = b"%x\r\n" % 16_384 + b"x" * 16_384 + b"\r\n"
    answer = said(service, HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 64)
    assert answer.startswith(b"HTTP/1.1 413"), answer


@pytest.mark.parametrize(
    "length", [b"-1", b"0x10", b"1e3", b"99999999999999999999999", b"10, 11", b"10\r\nContent-Length: 11"]
)
def test_s33_a_length_that_is_none_reaches_no_route(service: Service, length: bytes) -> None:
    answer = said(service, HEAD + JSON + b"Content-Length: " + length + b"\r\n\r\n{}")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer


@pytest.mark.parametrize("head", [b"X-Long: " + b"x" * 2_000_000, b"X: y\r\n" * 20_000])
def test_s33_a_head_without_end_is_refused(service: Service, head: bytes) -> None:
    answer = said(service, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer


def test_s33_two_lengths_that_differ_smuggle_no_second_request(service: Service) -> None:
    """A length beside chunks is how a proxy and a server come to differ about where a request ends."""
    smuggled = b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(smuggled)
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as caller:
        caller.sendall(HEAD + JSON + both + smuggled)
        caller.shutdown(socket.SHUT_WR)
        answered = b""
        with suppress(ConnectionResetError):
            while part := caller.recv(65_536):
                answered += part
    assert b"200 OK" not in answered
