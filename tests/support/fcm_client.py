"""The real firebase-admin client in front of tests/support/fcm_server.py, in two ways.

`patched`: one private name of the pinned version says where sends go. `WireSender`: nothing of the client is
touched; a process of its own, in a mount namespace of its own, finds fcm.googleapis.com in /etc/hosts at a
loopback address on port 443 and trusts the server's certificate. That needs root and `unshare`.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import structlog
from firebase_admin import _http_client, messaging

from kernel.clock import SystemClock
from notifications.fcm.account import read_account
from notifications.fcm.sender import FcmSender
from notifications.models import Outcome, PushMessage
from tests.support.fcm_server import HOST, FcmServer

# The command that binds a hosts file of its own before it becomes the client.
BIND = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


def wire_address() -> str:
    """A loopback address of this process alone: test processes run side by side."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16) % 64}.{(pid >> 8) % 256}.{pid % 256}"


def can_unshare() -> bool:
    """Whether this machine lets us have a mount namespace of our own and port 443."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = ["unshare", "-m", "sh", "-c", BIND, "sh", "/etc/hosts", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def quick_retries() -> pytest.MonkeyPatch:
    """The client waits 0.5, 1, 2 and 4 s between its own tries of a 500 or 503; tests wait less."""
    patch = pytest.MonkeyPatch()
    patch.setattr(_http_client.DEFAULT_HTTPX_RETRY_CONFIG, "backoff_factor", 0.005)
    return patch


@asynccontextmanager
async def patched(
    server: FcmServer, directory: Path, deadline: float, clock: object | None = None
) -> AsyncIterator[FcmSender]:
    """A sender of this process. A missing name is an error here: look at the new version first."""
    account, ca = server.write(directory)
    patch = quick_retries()
    patch.setattr(messaging._MessagingService, "FCM_URL", server.url)
    patch.setenv("SSL_CERT_FILE", str(ca))
    try:
        async with FcmSender(read_account(account), clock or SystemClock(), deadline) as sender:
            yield sender
    finally:
        patch.undo()


class WireSender:
    """The port over a pipe: messages as one line of JSON, outcomes as another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(batch) + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if line == b"too many\n":
            raise ValueError("at most 100")
        return msgspec.json.decode(line, type=list[Outcome])


@asynccontextmanager
async def on_the_wire(server: FcmServer, directory: Path, deadline: float) -> AsyncIterator[WireSender]:
    """A sender in a process of its own; `server` listens on wire_address(), port 443."""
    account, ca = server.write(directory)
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{wire_address()} {HOST}\n")
    child = [sys.executable, "-m", "tests.support.fcm_client", str(account), str(deadline)]
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-m", "sh", "-c", BIND, "sh", str(hosts), *child),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**22,
        env={**os.environ, "SSL_CERT_FILE": str(ca)},
    )
    try:
        yield WireSender(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


async def main(account: Path, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    quick_retries()
    async with FcmSender(read_account(account), SystemClock(), deadline) as sender:
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            try:
                outcomes = await sender.send(msgspec.json.decode(line, type=list[PushMessage]))
            except ValueError:
                sys.stdout.buffer.write(b"too many\n")
            else:
                sys.stdout.buffer.write(msgspec.json.encode(outcomes) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
