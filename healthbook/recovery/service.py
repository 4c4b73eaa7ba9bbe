"""`healthbook admin recover`: a restored database serves nobody before this ran to its end (security.md S12).

A new epoch begins, which ends or holds what lived; the journal is replayed; codes go; every log gets a row
that marks the gap before anything else is written there. Every step is a transaction of its own with its
progress in it: killed at any point, the next run goes on.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act, record_admin_event
from healthbook.recovery import queries
from healthbook.recovery.replay import REPLAY
from kernel.access import Actor
from store.database import Store, Tx
from store.epoch import start_epoch
from store.installation import is_elsewhere, settle
from store.journal import (
    GENESIS,
    JournalFiles,
    Line,
    begin_recovery,
    finish_recovery,
    is_ahead,
    mark_of,
    note_replayed,
    open_recovery,
    position_of,
    read_lines,
    write_out,
)
from store.models import Recovery

LINES_AT_ONCE: Final = 200
LOGS_AT_ONCE: Final = 200
TELL_EVERY: Final = 10_000
# The row that audit/export.py reads as the mark of a gap.
RECOVERED: Final = "restore:log:recovered"
_RESTORE: Final = Actor(kind="job", actor_id=UUID(int=0), name="restore")


class Recovered(Struct, frozen=True, kw_only=True):
    """What was done. held: grants that wait for their citizens."""

    epoch: int
    replayed: int
    held: int
    logs: int


async def begin(
    store: Store, files: JournalFiles, now: datetime, *, forced: bool, unless_unused: bool = False
) -> Recovery | None:
    """The recovery that is under way, or a new one where the database is behind its journal (or `forced`: an
    operator restored a backup that nothing was done after; unless_unused: and somebody signed in since the
    last recovery). None where there is nothing to recover."""
    async with store.transaction() as tx:
        at = await position_of(tx)
    lines = read_lines(files, at.seq, at.h)
    epochs = [int(line.ids["number"]) async for line, _ in lines if line.kind == "epoch"]
    async with store.transaction() as tx:
        under_way = await open_recovery(tx)
        if under_way is not None:
            return under_way
        position = await position_of(tx)
        behind = is_ahead(await mark_of(files), position) or await is_elsewhere(tx)
        if not behind and (not forced or (unless_unused and await _is_unused(tx))):
            return None
        epoch = await start_epoch(tx, now, after=max(epochs, default=0))
        return await begin_recovery(tx, epoch.number, position.seq + 1, now)


async def recover(
    store: Store,
    files: JournalFiles,
    signed: tuple[str, str],
    now: datetime,
    *,
    forced: bool = False,
    unless_unused: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Recovered | None:
    """Do all of it. Raises JournalError where the journal does not hold together: then nothing is served.

    tell: hears now and then how many logs are marked.
    """
    found = await begin(store, files, now, forced=forced, unless_unused=unless_unused)
    if found is None:
        return None
    await _replay(store, files, found, now)
    async with store.transaction() as tx:
        for dead in queries.DEAD:
            await dead.run(tx)
        await queries.END_KIOSK_CODES.run(tx)
        await queries.END_REQUESTS.run(tx, now)
        await queries.END_MIRRORED_REQUESTS.run(tx, now)
    logs = await _mark_logs(store, found.epoch, now, tell)
    done = await _finish(store, files, found, signed, logs, now)
    # The epoch's line stands in the database now: a journal without a mark would be taken for another one's.
    await write_out(store, files)
    return done


async def _is_unused(tx: Tx) -> bool:
    last = await queries.LAST_FINISHED.one(tx)
    return last is not None and await queries.SIGNED_IN_SINCE.one(tx, last) is None


async def take_promoted(store: Store, files: JournalFiles, signed: tuple[str, str], now: datetime) -> bool:
    """Let a standby's database serve in place of the one it followed, at an operator's word that nothing was
    lost; False, and nothing done, where the journal knows better or a recovery is under way."""
    async with store.transaction() as tx:
        behind = is_ahead(await mark_of(files), await position_of(tx))
        if behind or await open_recovery(tx) is not None:
            return False
        await settle(tx)
        await record_admin_event(tx, signed[0], "restore:promoted", signed[1], 1, now)
    return True


async def _replay(store: Store, files: JournalFiles, found: Recovery, now: datetime) -> None:
    batch: list[Line] = []
    async for line, _ in read_lines(files, found.next_seq - 1):
        batch.append(line)
        if len(batch) == LINES_AT_ONCE:
            await _replay_some(store, found.epoch, batch, now)
            batch = []
    if batch:
        await _replay_some(store, found.epoch, batch, now)


async def _replay_some(store: Store, epoch: int, batch: list[Line], now: datetime) -> None:
    async with store.transaction() as tx:
        for line in batch:
            await REPLAY[line.kind](tx, line, now)
        await note_replayed(tx, epoch, batch[-1].seq + 1, len(batch))


async def _mark_logs(store: Store, epoch: int, now: datetime, tell: Callable[[int], None]) -> int:
    """The row into every log, a page at a time. Returns how many this run wrote."""
    written = 0
    while True:
        async with store.transaction() as tx:
            after = await queries.LAST_LOG.one(tx, epoch)
            page = await queries.LOGS_AFTER.all(tx, after, LOGS_AT_ONCE)
            for patient_id in page:
                await record_act(tx, patient_id, _RESTORE, RECOVERED, request_id=f"restore-{epoch}", now=now)
            if not page:
                return written
            await queries.ADVANCE_LOGS.run(tx, epoch, page[-1])
        before, written = written, written + len(page)
        if before // TELL_EVERY != written // TELL_EVERY:
            tell(written)


async def _finish(
    store: Store, files: JournalFiles, found: Recovery, signed: tuple[str, str], logs: int, now: datetime
) -> Recovered:
    """The database goes on where the journal ends, and says so in both."""
    seq, h = 0, GENESIS
    async for line, line_hash in read_lines(files, found.next_seq - 1):
        seq, h = line.seq, line_hash
    mark = await mark_of(files)
    async with store.transaction() as tx:
        await finish_recovery(tx, found.epoch, seq, h, mark.beat if mark else 0, now)
        await settle(tx)
        replayed = max(0, seq - found.next_seq + 1) + found.replayed
        await record_admin_event(tx, signed[0], "restore:recover", signed[1], replayed, now)
        held = await queries.HELD_GRANTS.one(tx, now) or 0
    return Recovered(epoch=found.epoch, replayed=replayed, held=held, logs=logs)
