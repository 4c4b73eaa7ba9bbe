"""push.fcm: CPU of one push through the Firebase client, against bare HTTP/2 requests with the same bodies.

Both speak to the same server of HTTP v1, which runs in a process of its own; only this process's CPU time is
counted. CPU is what limits pushes (notifications.md §3): the round trip to Google is not in it.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import httpx
import msgspec
import pytest
from firebase_admin import messaging

from bench.results import Result, compare
from kernel.clock import SystemClock
from notifications.fcm.account import read_account
from notifications.fcm.credential import LoopCredential
from notifications.fcm.messages import message_of
from notifications.fcm.sender import FcmSender
from notifications.models import PushMessage, PushTarget
from notifications.ports import BATCH_MAX
from tests.support.fcm_server import PROJECT

NAME = "push.fcm"
TARGET = 0.5
ROUNDS = 3
BATCHES = 6

T = TypeVar("T")


def measure() -> Result:
    """Messages per CPU-second of both, in turns."""
    with (
        tempfile.TemporaryDirectory() as made,
        _server(Path(made)) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(messaging._MessagingService, "FCM_URL", url)
        patch.setenv("SSL_CERT_FILE", f"{made}/ca.pem")
        ours, theirs = asyncio.run(_rounds(Path(made), url.format(PROJECT)))
    return compare(
        NAME,
        ours=ours,
        against="bare httpx, one HTTP/2 connection",
        theirs=theirs,
        target=TARGET,
        unit="messages/CPU-s",
    )


@contextmanager
def _server(directory: Path) -> Iterator[str]:
    """Where sends go."""
    command = [sys.executable, "-m", "tests.support.fcm_server", str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


async def _rounds(directory: Path, url: str) -> tuple[list[float], list[float]]:
    clock = SystemClock()
    async with (
        FcmSender(read_account(directory / "account.json"), clock) as sender,
        httpx.AsyncClient(http2=True) as client,
    ):
        await _through_firebase(sender, _batch(clock))
        token = await _token(directory)
        await _bare(client, url, token, _bodies(_batch(clock), clock))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            batches = [_batch(clock) for _ in range(BATCHES)]
            ours.append(await _rate(lambda batch: _through_firebase(sender, batch), batches))
            bodies = [_bodies(batch, clock) for batch in batches]
            theirs.append(await _rate(lambda some: _bare(client, url, token, some), bodies))
    return ours, theirs


async def _token(directory: Path) -> str:
    """What a request of the bare client shows: a token of its own."""
    credential = LoopCredential(read_account(directory / "account.json"))
    assert await credential.ready() is None
    headers: dict[str, str] = {}
    credential.before_request(None, "POST", "", headers)
    return headers["authorization"]


def _batch(clock: SystemClock) -> list[PushMessage]:
    until = clock.now() + timedelta(hours=1)
    return [
        PushMessage(
            target=PushTarget("fid", f"ok-{uuid4().hex}"),
            type="medicine-due",
            id=uuid4(),
            collapse="reminder",
            expires_at=until,
            platform="android",
        )
        for _ in range(BATCH_MAX)
    ]


async def _rate(send: Callable[[list[T]], Awaitable[None]], batches: list[list[T]]) -> float:
    started = time.process_time()
    for batch in batches:
        await send(batch)
    return sum(map(len, batches)) / (time.process_time() - started)


async def _through_firebase(sender: FcmSender, batch: list[PushMessage]) -> None:
    outcomes = await sender.send(batch)
    assert {outcome.status for outcome in outcomes} == {"sent"}


def _bodies(batch: list[PushMessage], clock: SystemClock) -> list[bytes]:
    """The same messages as the client writes them, made before anything is measured."""
    encode, now = messaging._MessagingService.encode_message, clock.now()
    return [msgspec.json.encode({"message": encode(message_of(push, now))}) for push in batch]


async def _bare(client: httpx.AsyncClient, url: str, token: str, bodies: list[bytes]) -> None:
    async def one(body: bytes) -> None:
        answer = await client.post(url, content=body, headers={"authorization": token})
        assert answer.json()["name"]

    await asyncio.gather(*map(one, bodies))
