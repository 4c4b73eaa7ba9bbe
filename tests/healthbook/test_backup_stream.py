"""The log goes on by itself, whatever became of what brings it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from healthbook.backups import tools, wal
from healthbook.backups.layout import number_of
from healthbook.backups.tools import ROLE, Node
from healthbook.backups.vault import Vault
from healthbook.backups.wal import SLOT, LogStream, make_spool
from store.archives import ArchiveError, DirectoryArchive
from store.postgres import Server, start_server
from store.sealing import make_identity, read_recipients

MIB = 1024 * 1024
SECONDS_MAX = 120  # a bound for what hangs
# So little is kept for who is away that a test can write more.
LITTLE = {"max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB", "min_wal_size": "32MB"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = start_server(tmp_path / "postgres", LITTLE)
    yield started
    started.stop()


@pytest.fixture
def stream(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> LogStream:
    monkeypatch.setattr(wal, "ARRIVAL_SECONDS", 1.0)
    monkeypatch.setattr(tools, "END_SECONDS_MAX", 0.5)
    recipients = read_recipients([make_identity(tmp_path / "identity")])
    vault = Vault(DirectoryArchive(tmp_path / "repository"), recipients, [])
    return LogStream(Node("n0", server.dsn(ROLE)), vault, tmp_path / "spool")


async def write(server: Server, rows: int) -> None:
    connection = await asyncpg.connect(server.dsn("hb_owner"))
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS t (i int)")
        await connection.execute("INSERT INTO t SELECT generate_series(1, $1::int)", rows)
    finally:
        await connection.close()


async def arrived(stream: LogStream) -> None:
    """Rounds, until one has brought all that the server had flushed when it began."""
    deadline = time.monotonic() + SECONDS_MAX
    while await stream.ship() is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def freeze(stream: LogStream) -> None:
    """What brings the log neither ends nor receives."""
    assert stream._process is not None
    os.kill(stream._process.pid, signal.SIGSTOP)


async def test_what_brings_the_log_and_hangs_is_begun_anew(server: Server, stream: LogStream) -> None:
    async with stream:
        await arrived(stream)
        freeze(stream)
        await write(server, 1)
        await arrived(stream)
        freeze(stream)


async def test_it_goes_on_behind_what_the_server_threw_away(
    server: Server, stream: LogStream, tmp_path: Path
) -> None:
    async with stream:
        await arrived(stream)
        before = set(await stream._vault.log("n0"))
        freeze(stream)
        for _ in range(4):
            await write(server, 500_000)
        await arrived(stream)
        # Its new slot may begin where the server stands: nothing has come through it yet.
        await write(server, 1)
        await arrived(stream)
        numbers = sorted(number_of(name, 16 * MIB) for name in before | set(await stream._vault.log("n0")))
        assert numbers[-1] - numbers[0] >= len(numbers), "nothing was thrown away"


async def test_it_goes_on_with_a_server_that_came_back_without_the_slot(
    server: Server, stream: LogStream, tmp_path: Path
) -> None:
    """As one that was restored, or a standby that stands in."""
    async with stream:
        await arrived(stream)
        server.stop()
        shutil.rmtree(tmp_path / "postgres" / "cluster" / "pg_replslot" / SLOT)
        again = start_server(tmp_path / "postgres")
        try:
            await write(again, 1)
            await arrived(stream)
        finally:
            again.stop()


async def test_what_the_spool_still_has_goes_along_before_a_new_slot_begins(
    server: Server, stream: LogStream, tmp_path: Path
) -> None:
    """The server threw it away with the slot: nobody else has it, also while the repository refuses."""
    async with stream:
        await arrived(stream)
        freeze(stream)
        for _ in range(4):
            await write(server, 500_000)
    spool = tmp_path / "spool" / "n0"
    (partial,) = spool.iterdir()
    # As received since the last round: one that is complete, and the beginning of the next.
    left = {partial.name.removesuffix(".partial"), "00000002.history"}
    partial.rename(spool / partial.name.removesuffix(".partial"))
    (spool / "00000002.history").write_text("1\t0/3000000\tno recovery target specified\n")
    kept, refusing = tmp_path / "repository" / "n0" / "wal", tmp_path / "repository" / "away"
    kept.rename(refusing)
    kept.write_bytes(b"")
    with pytest.raises((ArchiveError, OSError)):
        await stream.ship()
    assert {path.name for path in spool.iterdir()} == left
    kept.unlink()
    refusing.rename(kept)
    async with stream:
        await arrived(stream)
    log = await stream._vault.log("n0")
    assert left <= set(log), "what was received is gone"
    assert ".partial" not in log[partial.name.removesuffix(".partial")].name


async def test_what_the_spool_has_of_another_server_never_goes_along(
    stream: LogStream, tmp_path: Path
) -> None:
    """A server that was made anew begins to count anew: the old one's segments would stand among its own."""
    make_spool(tmp_path / "spool" / "n0")
    old = tmp_path / "spool" / "n0" / "0000000100000000000000AA"
    old.write_bytes(bytes(24) + (12345).to_bytes(8, sys.byteorder) + bytes(100))
    async with stream:
        await arrived(stream)
    assert old.name not in await stream._vault.log("n0")
    assert not old.exists()


async def test_it_goes_on_after_a_segment_that_was_half_made(
    server: Server, stream: LogStream, tmp_path: Path
) -> None:
    """A full disk, or a kill, while its place was taken up: pg_receivewal never touches such a file again."""
    async with stream:
        await arrived(stream)
    (partial,) = (tmp_path / "spool" / "n0").iterdir()
    os.truncate(partial, 5 * MIB + 1)
    async with stream:
        await arrived(stream)


async def test_a_segment_that_was_completed_meanwhile_goes_along(stream: LogStream, tmp_path: Path) -> None:
    make_spool(tmp_path / "spool" / "n0")
    whole = tmp_path / "spool" / "n0" / "000000010000000000000001"
    whole.write_bytes(b"log")
    await stream._send(whole.with_name(f"{whole.name}.partial"))
    assert list(await stream._vault.log("n0")) == [whole.name]


HOLD = """
import asyncio, sys
from healthbook.backups.tools import Node, begin
async def hold():
    process = await begin(Node("n0", sys.argv[1]), "pg_receivewal", "--directory", sys.argv[2])
    print(process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(hold())
"""


def test_what_brings_the_log_ends_with_a_killed_backup(server: Server, tmp_path: Path) -> None:
    told = [sys.executable, "-c", HOLD, server.dsn(ROLE), str(tmp_path)]
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        holder.kill()
    deadline = time.monotonic() + SECONDS_MAX
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
