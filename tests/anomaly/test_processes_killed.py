"""kill -9 of the service's own processes under load, at random points: those that answer, the one that holds
their port, the worker. Whoever is left starts what died; nobody's hand is needed."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

import pytest

from healthbook.serve import LIVES_SECONDS_MIN
from tests.anomaly.crowd import Crowd, crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, TIMES, Row
from tests.anomaly.installation import API_PROCESSES, Installation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found as on Linux")

SEED: Final = 20261123
# A server process that dies again so soon after it was started anew is taken for one that cannot start.
APART_SECONDS: Final = 6.0


async def kill(
    installation: Installation, crowd: Crowd, chance: random.Random, who: Callable[[], int]
) -> float:
    """One process ends at a random point of the work. Returns the seconds until everybody was served."""
    await asyncio.sleep(chance.uniform(BEFORE_SECONDS / 2, BEFORE_SECONDS))
    os.kill(who(), signal.SIGKILL)
    seconds = await crowd.recovered(time.monotonic())
    assert installation.service is not None
    assert installation.service.process.poll() is None
    return seconds


def answering(installation: Installation, chance: random.Random) -> int:
    """One of the processes that answer requests."""
    return chance.choice(installation.children(holder(installation)))


def holder(installation: Installation) -> int:
    """The process that holds the port and starts those that answer."""
    by_children = {pid: len(installation.children(pid)) for pid in installation.children()}
    return next(pid for pid, count in by_children.items() if count == API_PROCESSES)


@pytest.mark.drill
async def test_an_answering_process_killed(installation: Installation, report: Callable[[Row], None]) -> None:
    chance = random.Random(SEED)
    async with crowd_at_work(installation) as crowd:
        recovery = []
        for number in range(TIMES):
            await asyncio.sleep(APART_SECONDS if number else 0)
            recovery.append(await kill(installation, crowd, chance, lambda: answering(installation, chance)))
        await asyncio.sleep(AFTER_SECONDS)
    report(crowd.row("an API process killed", recovery))


@pytest.mark.drill
async def test_the_holder_of_the_port_killed(
    installation: Installation, report: Callable[[Row], None]
) -> None:
    chance = random.Random(SEED)
    async with crowd_at_work(installation) as crowd:
        # Sooner it would be taken for one that cannot start.
        await asyncio.sleep(LIVES_SECONDS_MIN)
        recovery = [await kill(installation, crowd, chance, lambda: holder(installation))]
        await asyncio.sleep(AFTER_SECONDS)
    report(crowd.row("the API's parent killed", recovery))


@pytest.mark.drill
async def test_the_worker_killed(installation: Installation, report: Callable[[Row], None]) -> None:
    """Whichever of the childless children it is: the signer is not there in a demo without its keys."""
    chance = random.Random(SEED)
    async with crowd_at_work(installation) as crowd:
        recovery = []
        for _ in range(TIMES):
            await asyncio.sleep(chance.uniform(BEFORE_SECONDS / 2, BEFORE_SECONDS))
            for pid in set(installation.children()) - {holder(installation)}:
                os.kill(pid, signal.SIGKILL)
            recovery.append(await crowd.recovered(time.monotonic()))
        await asyncio.sleep(AFTER_SECONDS)
    report(crowd.row("the worker killed", recovery))
