"""`backup run` goes on by itself when the repository or the server was away, and meanwhile says so."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from healthbook.backups import service
from healthbook.backups.fetch import plan
from healthbook.backups.layout import MANIFEST, Base, NodeStatus, label_of
from healthbook.backups.service import Run
from healthbook.backups.vault import Vault, opened_vault
from healthbook.settings import read_settings
from healthbook.wiring import Place, StartError
from kernel.clock import SystemClock
from store.archives import ArchiveError
from store.postgres import Server, start_server
from store.sealing import make_identity

SECONDS_MAX = 300  # a bound for what hangs; a stream that lost its server looks again each five seconds


async def until(found: Callable[[NodeStatus], bool], vault: Vault) -> NodeStatus:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            for status in await vault.nodes():
                if found(status):
                    return status
        except ArchiveError:
            pass
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def write(server: Server) -> datetime:
    """One committed row; when it was."""
    connection = await asyncpg.connect(server.dsn("hb_owner"))
    await connection.execute("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS i")
    await connection.execute("INSERT INTO t VALUES (2)")
    await connection.close()
    return datetime.now(UTC)


def other_base(node: str) -> Base:
    """What a repository has of another server under a name."""
    now = SystemClock().now()
    return Base(
        node=node,
        label=label_of(now),
        system="1",
        major=18,
        timeline=1,
        segment_bytes=16 * 1024 * 1024,
        first=1,
        started_at=now,
        ended_at=now,
        parts=[],
    )


async def test_it_goes_on_when_repository_or_server_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROUND_SECONDS", 0.2)
    repository, away = tmp_path / "repository", tmp_path / "away"
    # So long a path that its server's socket lies elsewhere: it must be found again at the next start.
    data = tmp_path / ("data" * 20)
    told = {"HEALTHBOOK_DATA": str(data), "HEALTHBOOK_BACKUP": str(repository)}
    told["HEALTHBOOK_BACKUP_RECIPIENTS"] = make_identity(tmp_path / "identity")
    settings, stop = read_settings(told), asyncio.Event()
    settings.data.mkdir()
    server = start_server(settings.data / "postgres")
    try:
        async with opened_vault(settings) as vault:
            running = asyncio.create_task(
                Run(Place(settings, server), vault, SystemClock(), stop).until_stopped()
            )
            at = await write(server)
            await until(lambda one: one.safe_until is not None and one.safe_until >= at, vault)
            deadline = time.monotonic() + SECONDS_MAX
            while not await vault.bases("n0"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            # The disk of the repository is gone, and comes back.
            repository.rename(away)
            with capture_logs() as said:
                repository.touch()
                at = await write(server)
                deadline = time.monotonic() + SECONDS_MAX
                while not any(one["event"] == "backup_failed" and one["what"] == "log" for one in said):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
            repository.unlink()
            away.rename(repository)
            await until(lambda one: one.safe_until is not None and one.safe_until >= at, vault)
            # The server is gone: said, and what was safe stays said.
            server.stop()
            fault = await until(lambda one: bool(one.fault), vault)
            assert fault.safe_until is not None
            assert fault.safe_until >= at
            server = start_server(settings.data / "postgres")
            at = await write(server)
            await until(
                lambda one: not one.fault and one.safe_until is not None and one.safe_until >= at, vault
            )
            at = await write(server)
            stop.set()
            await asyncio.wait_for(running, SECONDS_MAX)
            # What came before it was told to stop is in its last round.
            (status,) = await vault.nodes()
            assert status.safe_until is not None
            assert status.safe_until >= at
            trip = await plan(vault, "n0", None)
            assert len(trip.segments) >= 2
    finally:
        server.stop()


async def test_a_repository_of_another_server_is_left_as_it_is(tmp_path: Path) -> None:
    told = {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_BACKUP": str(tmp_path / "repository")}
    told["HEALTHBOOK_BACKUP_RECIPIENTS"] = make_identity(tmp_path / "identity")
    settings, stop = read_settings(told), asyncio.Event()
    settings.data.mkdir()
    server = start_server(settings.data / "postgres")
    try:
        async with opened_vault(settings) as vault:
            other = other_base("n0")
            await vault.note(f"n0/base/{other.label}/{MANIFEST}", other)
            running = Run(Place(settings, server), vault, SystemClock(), stop).until_stopped()
            with pytest.raises(StartError, match="another server"):
                await asyncio.wait_for(running, SECONDS_MAX)
            assert await vault.archive.names("n0/wal/") == []
    finally:
        server.stop()
