"""The service meets its memory limit under load: the kernel kills what is largest, and the rest goes on.

A real limit (control group, as a container's) over `healthbook serve` and all below it, little above what it
holds at rest; large files come in beside the crowd until something is killed.
"""

import asyncio
import base64
import io
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.anomaly.crowd import Crowd, crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, LARGE, Row
from tests.anomaly.installation import Installation
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen

GROUPS = Path("/sys/fs/cgroup/memory")
MEBIBYTE = 2**20
ABOVE_MEBIBYTES = 8
KILLED_SECONDS_MAX = 60
TIMES = 3 if LARGE else 1
# Each has so many papers a day, and two may be at it for one person.
GREEDY = 6


@contextmanager
def limited(pids: list[int]) -> Iterator[Path]:
    """These processes and all that they start share a limit, little above what they have taken since."""
    if not os.access(GROUPS, os.W_OK):
        pytest.skip("a memory limit was NOT tested: it needs root and a control group for memory")
    group = GROUPS / f"healthbook-drill-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError, OSError):
                (GROUPS / "cgroup.procs").write_text(pid)
        with suppress(OSError):
            group.rmdir()


def kills(group: Path) -> int:
    """How many processes the limit has cost."""
    lines = (group / "memory.oom_control").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def large_photo() -> str:
    """A page as a phone takes it, in base64: small on the way, large once it is opened."""
    drawn = io.BytesIO()
    Image.new("RGB", (4000, 2900), (240, 235, 220)).save(drawn, "JPEG", quality=30)
    return base64.b64encode(drawn.getvalue()).decode()


@asynccontextmanager
async def greed(installation: Installation, crowd: Crowd) -> AsyncIterator[None]:
    """Large photos from people who sent none yet, one after the other, until the block ends."""
    clock = FrozenClock(datetime.now(UTC))
    async with installation.opened("hb_api") as store:
        greedy = [await make_citizen(store, clock) for _ in range(GREEDY)]
    body = {"kind": "paper-book", "date": "2019", "content": await asyncio.to_thread(large_photo)}
    over = asyncio.Event()

    async def send(one: Citizen) -> None:
        async with crowd.client() as client:
            while not over.is_set():
                # Whatever it is answered with: a photo too many is refused.
                with suppress(httpx.HTTPError):
                    await client.post("/v1/me/documents", json=body, headers=bearer(one.token), timeout=30)
                await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(send(one)) for one in greedy]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)


@pytest.mark.drill
async def test_memory_is_short(installation: Installation, report: Callable[[Row], None]) -> None:
    recovery: list[float] = []
    whole = 0
    assert installation.service is not None
    with limited(installation.family()) as group:
        async with crowd_at_work(installation) as crowd:
            for killed in range(TIMES):
                await asyncio.sleep(BEFORE_SECONDS)
                async with greed(installation, crowd):
                    used = int((group / "memory.usage_in_bytes").read_text())
                    (group / "memory.limit_in_bytes").write_text(str(used + ABOVE_MEBIBYTES * MEBIBYTE))
                    await until_killed(group, killed)
                    (group / "memory.limit_in_bytes").write_text("-1")
                healed = time.monotonic()
                await asyncio.sleep(1)
                if installation.service.process.poll() is not None:
                    # It was the first process itself: the container's restart policy starts it again.
                    whole += 1
                    await asyncio.to_thread(installation.start)
                recovery.append(await crowd.recovered(healed))
            await asyncio.sleep(AFTER_SECONDS)
        killed = kills(group)
    note = f"{killed} processes killed by it, {whole} times the first one"
    report(crowd.row("memory limit", recovery, note))
    assert whole == 0, "those that it starts anew give way to it"


async def until_killed(group: Path, before: int) -> None:
    """Until the limit cost one more."""
    deadline = time.monotonic() + KILLED_SECONDS_MAX
    while kills(group) <= before:
        assert time.monotonic() < deadline, "the limit was never met"
        await asyncio.sleep(0.05)
