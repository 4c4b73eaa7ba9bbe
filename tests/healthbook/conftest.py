"""An installation of its own that the commands run against, as an operator runs them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from store.blobs import BlobStore
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.site import Site

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]


def environment(directory: Path, **more: str) -> dict[str, str]:
    """This process's environment without settings of ours, and the data in `directory`."""
    ours = (
        "HEALTHBOOK",
        "DATABASE",
        "PORT",
        "HOST",
        "WORKERS",
        "ALLOWED",
        "TRUSTED",
        "FCM",
        "SMS",
        "POOL",
        "HOTLINE",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"HEALTHBOOK_DATA": str(directory), "PYTHONPATH": str(ROOT)} | more


@pytest.fixture
async def site(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
    tmp_path: Path,
) -> AsyncIterator[Site]:
    """An installation whose database comes back from a backup, with the journal beside it."""
    made = Site(server, keys, blobs, clock, await make_database(), tmp_path / "journal")
    await made.open(made.name)
    await made.work()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def installation() -> Iterator[Path]:
    """A data directory with real keys and a migrated database, and nobody in it."""
    with tempfile.TemporaryDirectory(prefix="hbi-") as name:
        directory = Path(name)
        for command in (["admin", "make-keys", str(directory / "keys")], ["migrate"]):
            run_command(directory, *command, check=True)
        yield directory


def run_command(
    directory: Path, *command: str, check: bool = False, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`healthbook <command>` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "healthbook", *command],
        env=environment(directory, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=check,
    )
