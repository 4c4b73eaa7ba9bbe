"""The service's clock jumps forth and back under load (PostgreSQL and the people keep theirs).

Minutes: what a clock that was never set does. An hour: a wrong time server. While it is wrong, people's own
signed acts may be refused; what was said to be done is done, and nothing of it waits for the wrong hour.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.anomaly.crowd import Crowd, crowd_at_work
from tests.anomaly.drill import BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import running
from tests.support.history import Change

MINUTE = 60
JUMPS = (4 * MINUTE, -4 * MINUTE, 60 * MINUTE, -60 * MINUTE)


def everything_may_have_ended(crowd: Crowd) -> None:
    """An hour on, no grant stands; whether the service noticed nobody knows."""
    change = Change(
        kind="end", pair=None, grant=None, types=frozenset(), began=time.monotonic(), ended=float("inf")
    )
    crowd.history.changes.append(change)


@pytest.mark.drill
async def test_the_clock_jumps(place: Path, report: Callable[[Row], None], tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    recovery: list[float] = []
    offset.write_text("0")
    entry, settings = "tests.anomaly.at_other_time", {"DRILL_CLOCK_OFFSET": str(offset)}
    async with running(place, entry=entry, **settings) as installation:
        async with crowd_at_work(installation) as crowd:
            await asyncio.sleep(BEFORE_SECONDS)
            for jump in JUMPS:
                everything_may_have_ended(crowd)
                crowd.is_forgiving = True
                offset.write_text(str(jump))
                await asyncio.sleep(WITHIN_SECONDS)
                offset.write_text("0")
                recovery.append(await crowd.recovered(time.monotonic()))
                crowd.is_forgiving = False
                await asyncio.sleep(BEFORE_SECONDS)
        report(crowd.row("clock of the service jumps", recovery))
