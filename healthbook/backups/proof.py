"""`healthbook verify-backup`: a copy is one when it was brought back. It needs the identity, so it runs where
that is at hand, on another machine than the service's."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from healthbook.backups import queries
from healthbook.backups.fetch import (
    LOG,
    Goal,
    NoBackupError,
    Tell,
    Trip,
    last_commit,
    plan,
    refuse_short,
    refuse_start,
    settings_for,
    unpack,
)
from healthbook.backups.files import check_files
from healthbook.backups.layout import number_of, position_of, switches
from healthbook.backups.restoring import Wish, goal_of
from healthbook.backups.tools import ToolError, run
from healthbook.backups.vault import opened_vault
from healthbook.settings import Settings
from healthbook.wiring import StartError
from store.archives import ArchiveError
from store.postgres import replay, start_server
from store.postgres_binaries import find_binaries
from store.sealing import SealError


class WalRange(Struct, frozen=True, rename={"start": "Start-LSN"}):
    """From where on a copy needs the log."""

    start: str


class Manifest(Struct, frozen=True, rename={"wal": "WAL-Ranges"}):
    """What we read of PostgreSQL's own list of a copy (backup_manifest)."""

    wal: list[WalRange]


class Proof(Struct, frozen=True, kw_only=True):
    """What was proven. rows: of all tables, read to their ends; None where the server was not started."""

    label: str
    segments: int
    files: int
    last_commit: str
    log_parsed: bool
    tables: int | None = None
    rows: int | None = None


def prove(settings: Settings, wish: Wish, room: Path | None, tell: Tell, *, start: bool) -> Proof:
    """Open everything, compare every file with the copy's own list, read its log, and start it where asked.

    room: where a whole server has place. Call it from the main thread. Raises StartError with what is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="hb-verify-", dir=room) as name:
        directory = Path(name) / "postgres"
        directory.mkdir(mode=0o700)
        restored = directory / "restored"
        try:
            trip, goal, files, ends = asyncio.run(_open_all(settings, wish, restored, tell, start))
            proof = _read_copy(trip, restored, files, ends)
        except NoBackupError as error:
            raise StartError(str(error)) from error
        except (ArchiveError, SealError, ToolError) as error:
            raise StartError(f"The backup is not whole: {error}.") from error
        if not start:
            return proof
        tables, rows = _started(trip, goal, directory, restored, tell)
        return replace(proof, tables=tables, rows=rows)


async def _open_all(
    settings: Settings, wish: Wish, into: Path, tell: Tell, start: bool
) -> tuple[Trip, Goal, int, str]:
    """The last one: the position that the log must be readable to: its end, or its last segment's begin."""
    async with opened_vault(settings, wish.identity) as vault:
        goal = await goal_of(vault, wish)
        trip = await plan(vault, wish.node, goal.to, wish.label)
        if start:
            refuse_start(trip)
        await unpack(vault, trip, into, tell)
        refuse_short(trip, into, goal.to)
        known = await vault.position(wish.node)
        last = number_of(trip.segments[-1], trip.base.segment_bytes) * trip.base.segment_bytes
        ends = known if known and wish.to is None else f"{last >> 32:X}/{last & 0xFFFFFFFF:X}"
        return trip, goal, await check_files(vault, lambda _: None), ends


def _read_copy(trip: Trip, restored: Path, files: int, ends: str) -> Proof:
    """pg_verifybackup: each file against the SHA-256 of the list that the server itself made; pg_waldump: the
    log record by record, to where the server had flushed it."""
    same = find_binaries().major == trip.base.major
    told = ["--exit-on-error", f"--ignore={LOG}", f"--wal-directory={restored / LOG}"]
    run("pg_verifybackup", *told, *([] if same else ["--no-parse-wal"]), str(restored))
    for timeline, start, end in _stretches(trip, restored, ends) if same else []:
        told = [f"--timeline={timeline}", f"--start={start}", f"--end={end}", "--quiet"]
        run("pg_waldump", *told, f"--path={restored / LOG}")
    last = last_commit(trip, restored)
    return Proof(
        label=trip.base.label,
        segments=len(trip.segments),
        files=files,
        last_commit=f"{last:%Y-%m-%dT%H:%M:%SZ}" if last else "-",
        log_parsed=same,
    )


def _stretches(trip: Trip, restored: Path, ends: str) -> list[tuple[int, str, str]]:
    """Timelines from the copy's own beginning to the end, each with the positions it is read between."""
    listed = msgspec.json.decode((restored / "backup_manifest").read_bytes(), type=Manifest)
    start = listed.wal[0].start
    newest = max([trip.base.timeline, *trip.histories])
    found = []
    for timeline, left_at in [*switches(newest, trip.histories), (newest, ends)]:
        if timeline >= trip.base.timeline and position_of(left_at) > position_of(start):
            found.append((timeline, start, left_at))
            start = left_at
    return found


def _started(trip: Trip, goal: Goal, directory: Path, restored: Path, tell: Tell) -> tuple[int, int]:
    """Replay, open, and read every row: each page's checksum is looked at on the way."""
    told = settings_for(trip, restored, goal)
    (restored / "recovery.signal").touch(mode=0o600)
    tell("The server replays its log.")
    replay(directory, restored, told)
    shutil.rmtree(directory / "cluster" / LOG)
    server = start_server(directory)
    try:
        return asyncio.run(_count(server.dsn("hb_backup")))
    finally:
        server.stop()


async def _count(dsn: str) -> tuple[int, int]:
    connection = await asyncpg.connect(dsn)
    try:
        tables = await queries.TABLES.all(connection)
        counts = [await connection.fetchval(queries.read_all(table)) for table in tables]
        return len(tables), sum(counts)
    finally:
        await connection.close()
