"""The volume of the database and everything beside it is full, under load, until somebody makes room.

A real small file system (tmpfs, mounted as root). PostgreSQL may end itself over it: whoever supervises it
starts it again, as the container's restart policy does, and it comes up once there is room.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from store.postgres_binaries import PostgresError
from tests.anomaly.crowd import crowd_at_work
from tests.anomaly.drill import AFTER_SECONDS, BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import Installation, running

SIZE_MIB = 420
# Write-ahead log is made anew and taken away all the time, so that a full volume is met within seconds.
LITTLE_LOG = {"max_wal_size": "32MB", "min_wal_size": "32MB", "wal_recycle": "off"}
SUPERVISED_EVERY_SECONDS = 1.0


@contextmanager
def small_volume() -> Iterator[Path]:
    """A mounted file system of SIZE_MIB."""
    if os.geteuid() != 0:
        pytest.skip("a volume that can be full was NOT tested: mounting one needs root")
    directory = Path(tempfile.mkdtemp(prefix="hbv-"))
    options = ["-o", f"size={SIZE_MIB}m,mode=0755"]
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
        directory.rmdir()


def fill(volume: Path) -> Path:
    """Take the last byte. Returns the file that holds them."""
    filler = volume / "filler"
    with open(filler, "ab", buffering=0) as out, suppress(OSError):
        while True:
            out.write(bytes(65536))
    return filler


@asynccontextmanager
async def supervised(installation: Installation) -> AsyncIterator[list[float]]:
    """PostgreSQL is started again whenever it ended. Yields when that happened."""
    starts: list[float] = []

    async def watch() -> None:
        while True:
            await asyncio.sleep(SUPERVISED_EVERY_SECONDS)
            if installation.has_ended_postgres():
                with suppress(PostgresError, OSError):
                    installation.start_postgres()
                    starts.append(time.monotonic())

    task = asyncio.create_task(watch())
    try:
        yield starts
    finally:
        task.cancel()


@pytest.mark.drill
async def test_the_disk_is_full(place: Path, report: Callable[[Row], None]) -> None:
    with small_volume() as volume:
        await asyncio.to_thread(copied, place, volume / "data")
        async with running(volume / "data", LITTLE_LOG) as installation:
            async with crowd_at_work(installation) as crowd, supervised(installation) as starts:
                await asyncio.sleep(BEFORE_SECONDS)
                filler = await asyncio.to_thread(fill, volume)
                await crowd.is_turned_away()
                await asyncio.sleep(WITHIN_SECONDS)
                filler.unlink()
                recovery = await crowd.recovered(time.monotonic())
                await asyncio.sleep(AFTER_SECONDS)
            report(crowd.row("disk full", [recovery], f"PostgreSQL ended itself {len(starts)} times"))


def copied(place: Path, to: Path) -> None:
    """With owners and modes."""
    subprocess.run(["cp", "-a", str(place), str(to)], check=True)
    assert shutil.disk_usage(to).free > 50 * 2**20
