"""kill -9 of PostgreSQL under load, and its start by whoever supervises it: the service goes on by itself."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.anomaly.crowd import crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, TIMES, WITHIN_SECONDS, Row
from tests.anomaly.installation import Installation


@pytest.mark.drill
async def test_postgres_killed_and_restarted(
    installation: Installation, report: Callable[[Row], None]
) -> None:
    recovery = []
    async with crowd_at_work(installation) as crowd:
        for _ in range(TIMES):
            await asyncio.sleep(BEFORE_SECONDS)
            installation.kill_postgres()
            await asyncio.sleep(WITHIN_SECONDS)
            installation.start_postgres()
            recovery.append(await crowd.recovered(time.monotonic()))
        await asyncio.sleep(AFTER_SECONDS)
    report(crowd.row("PostgreSQL killed and restarted", recovery))
