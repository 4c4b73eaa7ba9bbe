"""PostgreSQL has no connection left, just when everybody has to connect anew."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.anomaly.crowd import crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import Installation, running

CONNECTIONS = 40


@asynccontextmanager
async def all_taken(installation: Installation) -> AsyncIterator[int]:
    """Every connection there is, taken again and again while the block runs. Yields how many were got."""
    held: list[asyncpg.Connection[Any]] = []

    async def take() -> None:
        while True:
            with suppress(asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError, OSError):
                held.append(await asyncpg.connect(installation.server.dsn("hb_api")))
                continue
            if held:
                await asyncio.sleep(0.05)

    task = asyncio.create_task(take())
    try:
        while len(held) < CONNECTIONS // 2:  # noqa: ASYNC110 - what the server gives
            await asyncio.sleep(0.01)
        yield len(held)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        for one in held:
            one.terminate()


@pytest.mark.drill
async def test_no_connection_is_left(place: Path, report: Callable[[Row], None]) -> None:
    async with running(place, {"max_connections": str(CONNECTIONS)}) as installation:
        async with crowd_at_work(installation) as crowd:
            await asyncio.sleep(BEFORE_SECONDS)
            installation.kill_postgres()
            installation.start_postgres()
            async with all_taken(installation) as taken:
                await asyncio.sleep(WITHIN_SECONDS)
            recovery = await crowd.recovered(time.monotonic())
            await asyncio.sleep(AFTER_SECONDS)
        report(crowd.row("no connection left", [recovery], f"{taken} of {CONNECTIONS} taken"))
