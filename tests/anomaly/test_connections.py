"""PostgreSQL has no connection left, just when everybody has to connect anew."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.anomaly.crowd import crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import Installation, running

CONNECTIONS = 40
REFUSED_SECONDS_MAX = 60


@dataclass
class Taken:
    """What the drill holds, and how often the server said that there is no more (SQLSTATE 53300)."""

    held: list["asyncpg.Connection[Any]"] = field(default_factory=list)
    refused: int = 0

    async def take(self, dsn: str) -> None:
        while True:
            try:
                self.held.append(await asyncpg.connect(dsn))
                continue
            except asyncpg.TooManyConnectionsError:
                self.refused += 1
            except (asyncpg.CannotConnectNowError, OSError):
                pass
            await asyncio.sleep(0.02)

    async def until_refused(self, times: int) -> None:
        deadline = time.monotonic() + REFUSED_SECONDS_MAX
        while self.refused < times:
            assert time.monotonic() < deadline, f"{len(self.held)} taken and never refused"
            await asyncio.sleep(0.01)


@asynccontextmanager
async def all_taken(installation: Installation) -> AsyncIterator[Taken]:
    """Every connection there is, taken again and again; the block begins when none is left."""
    taken = Taken()
    task = asyncio.create_task(taken.take(installation.server.dsn("hb_api")))
    try:
        await taken.until_refused(1)
        yield taken
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        for one in taken.held:
            one.terminate()


@pytest.mark.drill
async def test_no_connection_is_left(place: Path, report: Callable[[Row], None]) -> None:
    async with running(place, {"max_connections": str(CONNECTIONS)}) as installation:
        async with crowd_at_work(installation) as crowd:
            await asyncio.sleep(BEFORE_SECONDS)
            installation.kill_postgres()
            installation.start_postgres()
            async with all_taken(installation) as taken:
                began, before = taken.refused, crowd.turned_away + crowd.reads + crowd.kept.count
                await asyncio.sleep(WITHIN_SECONDS)
                # At the end as at the begin, while people asked on.
                await taken.until_refused(taken.refused + 1)
                refused = taken.refused - began
                asked = crowd.turned_away + crowd.reads + crowd.kept.count - before
            recovery = await crowd.recovered(time.monotonic())
            await asyncio.sleep(AFTER_SECONDS)
        assert asked > 0, "nobody worked while there was none"
        note = f"{len(taken.held)} of {CONNECTIONS} taken, refused {refused} times"
        report(crowd.row("no connection left", [recovery], note))
