"""How far a log leads that has a gap, and which servers a copy starts on."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from healthbook.backups.base import make_base
from healthbook.backups.layout import MANIFEST, STATUS, Base, NodeStatus, segment_of
from healthbook.backups.proof import prove
from healthbook.backups.restoring import Wish, bring_back
from healthbook.backups.tools import ROLE, Node
from healthbook.backups.vault import SEALED, opened_vault
from healthbook.backups.wal import LogStream
from healthbook.settings import Settings, read_settings
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.postgres import start_server
from store.sealing import make_identity


class LaterClock(SystemClock):
    """An hour ahead: a whole copy of then says that its log was not yet written now."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


async def write(dsn: str, rows: int) -> datetime:
    """So many rows in a transaction; when it was committed."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS t (i int)")
    await connection.execute("GRANT SELECT ON t TO hb_backup")
    await connection.execute("INSERT INTO t SELECT generate_series(1, $1::int)", rows)
    await connection.close()
    return datetime.now(UTC)


async def fill(settings: Settings) -> tuple[datetime, datetime]:
    """Two whole copies, and between them a log whose last segments are lost; a time before the gap and one
    in it."""
    server = start_server(settings.data / "postgres")
    try:
        async with opened_vault(settings) as vault:
            node, owner = Node("n0", server.dsn(ROLE)), server.dsn("hb_owner")
            async with LogStream(node, vault, settings.backup_spool) as stream:
                first = await make_base(vault, node, SystemClock(), lambda _: None)
                before = await write(owner, 1)
                await write(owner, 1)
                within = await write(owner, 900_000)
                later = await make_base(vault, node, LaterClock(), lambda _: None)
                assert await stream.ship()
            assert later.first - first.first >= 3
            for number in (later.first - 2, later.first - 1):
                await vault.archive.delete(f"n0/wal/{segment_of(1, number, first.segment_bytes)}{SEALED}")
            now = LaterClock().now()
            await vault.note(f"{STATUS}n0.json", NodeStatus(node="n0", safe_until=now, looked_at=now))
            return before, within
    finally:
        server.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    told = {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_BACKUP": str(tmp_path / "repository")}
    told["HEALTHBOOK_BACKUP_RECIPIENTS"] = make_identity(tmp_path / "identity")
    (tmp_path / "data").mkdir()
    return read_settings(told)


def test_a_gap_in_the_log_is_in_nobodys_way_to_before_it(settings: Settings, tmp_path: Path) -> None:
    before, within = asyncio.run(fill(settings))
    wish = Wish(identity=tmp_path / "identity", to=before)
    proof = prove(settings, wish, tmp_path, lambda _: None, start=True)
    assert (proof.tables, proof.rows) == (1, 1)
    for start in (False, True):
        with pytest.raises(StartError, match="is missing"):
            prove(settings, replace(wish, to=within), tmp_path, lambda _: None, start=start)


def test_a_copy_of_another_major_version_is_not_started_here(settings: Settings, tmp_path: Path) -> None:
    """Said before anything is fetched."""
    now = SystemClock().now()
    label = f"{now:%Y%m%dT%H%M%SZ}"
    base = Base(
        node="n0",
        label=label,
        system="1",
        major=15,
        timeline=1,
        segment_bytes=1 << 24,
        first=1,
        started_at=now,
        ended_at=now,
        parts=[],
    )
    for name, value in (
        (f"n0/base/{label}/{MANIFEST}", msgspec.json.encode(base)),
        (f"n0/wal/{1:08}00000000{1:08}.age", b""),
    ):
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(value)
    wish = Wish(identity=tmp_path / "identity")
    with pytest.raises(StartError, match="copy of PostgreSQL 15"):
        prove(settings, wish, tmp_path, lambda _: None, start=True)
    with pytest.raises(StartError, match="copy of PostgreSQL 15"):
        bring_back(settings, wish, lambda _: None)
