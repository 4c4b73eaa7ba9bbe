"""`make mock` answers every operation's example with a success that the document admits."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.answers import DOCUMENT, as_documented
from tests.support.example_requests import Request, example_requests
from tests.support.npm import installed

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
STARTED_SECONDS = 120


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a mock that is started for this file, on a free port and with a copy that nobody changes."""
    installed(OPENAPI)
    served = tmp_path_factory.mktemp("mock") / "openapi.json"
    served.write_bytes(DOCUMENT.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, OPENAPI / "serve_mock.py", str(served)],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    ) as running:
        try:
            yield _when_it_answers(running, f"http://127.0.0.1:{port}")
        finally:
            running.terminate()


def _when_it_answers(running: subprocess.Popen[bytes], address: str) -> str:
    until = time.monotonic() + STARTED_SECONDS
    while time.monotonic() < until:
        assert running.poll() is None, "the mock ended"
        try:
            httpx.get(address + "/health/live")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return address
    raise AssertionError("the mock does not answer")


# Prism reads no MessagePack: it takes the bytes for a text and asks for an object.
UNREAD = "application/msgpack"
# It writes JSON under names that say so, and application/smart-health-card does not.
UNWRITTEN = "download_health_card"


async def test_every_operation_answers_its_example_with_a_success(address: str) -> None:
    wrong = []
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for request in example_requests():
            if request.headers.get("Content-Type") == UNREAD or request.operation_id == UNWRITTEN:
                continue
            answered = await _send(client, request)
            if answered.status_code >= 400:
                wrong.append(
                    f"{request.operation_id}: {answered.status_code} {answered.headers.get('sl-violations')}"
                )
            else:
                await as_documented(answered)
    assert not wrong, "\n".join(wrong)


async def test_a_request_that_the_document_does_not_admit_is_refused(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        unsigned = await client.get("/v1/me/grants")
        wrong = await client.post("/v1/auth/sign-in/start", json={"kind": "number"})
    assert unsigned.status_code == 401
    assert wrong.status_code == 400


async def _send(client: httpx.AsyncClient, request: Request) -> httpx.Response:
    word = "DPoP" if request.actor == "partner" else "Bearer"
    headers = {} if request.actor == "public" else {"Authorization": f"{word} {'A' * 43}"}
    if word == "DPoP":
        headers["DPoP"] = "A" * 43
    return await client.request(
        request.method, request.url, headers=headers | request.headers, content=request.content
    )
