"""Taking a file of rows in: each row its own unit in its own transaction, with its answer beside it.

A row and what became of it commit together, so a file that was killed half-way goes on at the row where it
stopped when it is sent again; rows that were accepted are left alone then, refused ones are tried anew.
"""

import asyncio
import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID
from zlib import crc32

import msgspec

from ehr.entry.service import Desk, log_unit
from ehr.intake.gate import judge_plain
from ehr.intake.models import BadInputError, Reason, Unit
from ehr.intake.service import Sender, import_unit
from ehr.intake.units import Prepared, prepare
from ehr.rows import queries
from ehr.rows.models import AnyKind, Row, RowKind, RowsFiles, RowsReceipt, RowsSeen, RowTold, StandingKind
from ehr.rows.problems import ROWS_NOT_FOUND, ROWS_UNREADABLE
from ehr.rows.queries import FileRow
from ehr.rows.reading import Read, read_rows
from identity import budgets
from identity.problems import IDENTIFIER_TAKEN
from kernel.clock import Clock
from kernel.ids import uuid7
from kernel.problems import ProblemError, Refused
from store.database import Store, Tx

TRIES: Final = 3
FILES_SHOWN: Final = 20
FILES_A_STEP: Final = 5
# Rows that are written at once, each on a connection of its own: most of a row's time is waiting for answers.
LANES: Final = 3
_REASONS = msgspec.json.Decoder(list[Reason])

# A row made ready: its unit and rows, or itself where it goes on what stands, or why it is refused.
Ready = tuple[Unit, Prepared] | Row | list[Reason]
_Place = tuple[int, Ready]


class _RefusedRowError(Exception):
    """Undoes the transaction of a row that is refused."""

    def __init__(self, reasons: list[Reason]) -> None:
        self.reasons = reasons
        super().__init__("refused row")


async def take_rows(
    store: Store, clock: Clock, desk: Desk, kind: AnyKind, body: bytes, media_type: str
) -> RowsReceipt | Refused:
    """Take in all rows of a file that have no answer yet; the receipt of the whole file.

    Opens its own transactions. Refuses with `rows-unreadable` and the faults of the file, `too-many`.
    """
    try:
        read = await asyncio.to_thread(read_rows, body, media_type, kind.columns)
    except BadInputError as error:
        return Refused(problem=ROWS_UNREADABLE, where=_places(error.reasons))
    async with store.transaction() as tx:
        file_id = await _claim(tx, desk, kind, body, len(read), clock.now())
        if isinstance(file_id, Refused):
            return file_id
        accepted = set(await queries.ACCEPTED_ROWS.all(tx, desk.facility.facility_id, file_id))
    run = _Run(store, clock, desk, kind, file_id)
    await run.take([one for one in read if one.number not in accepted])
    async with store.transaction() as tx:
        return await receipt_of(tx, desk.facility.facility_id, file_id)


async def receipt_of(tx: Tx, facility_id: UUID, file_id: UUID) -> RowsReceipt | Refused:
    """A file of this facility with what became of its rows so far."""
    found = await queries.FILE_BY_ID.one(tx, facility_id, file_id)
    if found is None:
        return Refused(problem=ROWS_NOT_FOUND)
    lines = await queries.LINES.all(tx, facility_id, file_id)
    rows = [
        RowTold(
            row=line.row_number, status=line.status, reasons=_REASONS.decode(line.reasons), id=line.entry_id
        )
        for line in lines
    ]
    return RowsReceipt(file=_seen(found), rows=rows)


async def recent_files(tx: Tx, facility_id: UUID, kind: str) -> RowsFiles:
    """What this facility sent last of kinds that begin so, with how far each is."""
    rows = await queries.RECENT_FILES.all(tx, facility_id, kind, FILES_SHOWN)
    return RowsFiles(files=[_seen(row) for row in rows])


async def mark_row_returned(tx: Tx, facility_id: UUID, file_id: UUID, unit: str, code: str) -> None:
    """A row that was accepted has to be looked at again by its sender."""
    number = unit.removeprefix(_ROW)
    if unit.startswith(_ROW) and number.isdigit():
        await queries.RETURN_LINE.run(tx, facility_id, file_id, int(number), _told([Reason(code, "row")]))


async def forget_files(tx: Tx, before: datetime, limit: int) -> int:
    """Remove files that came before that time with the answers of their rows, few a step since each has up to
    2,000 rows; a full step counts as a full batch."""
    done = await queries.FORGET.one(tx, before, FILES_A_STEP) or 0
    return limit if done >= FILES_A_STEP else done


_ROW: Final = "row:"


def _lane_of(ready: Ready) -> int:
    """Rows of one unit share a lane; whatever goes on what stands has one for all."""
    return crc32(ready[0].key.encode()) % LANES if isinstance(ready, tuple) else 0


class _Run:
    """One sending of a file."""

    def __init__(self, store: Store, clock: Clock, desk: Desk, kind: AnyKind, file_id: UUID) -> None:
        self.store, self.clock, self.desk, self.kind, self.file_id = store, clock, desk, kind, file_id
        self.sender = Sender(desk.facility, str(desk.actor.actor_id), file_id, channel="file")

    async def take(self, read: list[Read]) -> None:
        """Every row once, some at a time; those of one unit in the file's order."""
        lanes: list[asyncio.Queue[_Place | None]] = [asyncio.Queue(maxsize=1) for _ in range(LANES)]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(read, lanes))
                for lane in lanes:
                    group.create_task(self._drive(lane))
        except BaseExceptionGroup as failed:
            # The first failure ended the others; its kind says what the sender is told.
            raise failed.exceptions[0] from None

    async def _feed(self, read: list[Read], lanes: "list[asyncio.Queue[_Place | None]]") -> None:
        for one in read:
            ready = await asyncio.to_thread(self._make, one)
            await lanes[_lane_of(ready)].put((one.number, ready))
        for lane in lanes:
            await lane.put(None)

    async def _drive(self, lane: "asyncio.Queue[_Place | None]") -> None:
        while (place := await lane.get()) is not None:
            await self._settle(*place)

    def _make(self, one: Read) -> Ready:
        if one.row is None:
            return one.reasons
        if isinstance(self.kind, StandingKind):
            return one.row
        try:
            return self._unit(self.kind, one.row)
        except BadInputError as error:
            return error.reasons

    def _unit(self, kind: RowKind, row: Row) -> tuple[Unit, Prepared]:
        unit = kind.unit_of(row)
        unit.name = f"{_ROW}{row.number}"
        return unit, prepare(unit, None, self.sender.source_id, self.desk.facility.name)

    async def _settle(self, number: int, ready: Ready) -> None:
        reasons = ready if isinstance(ready, list) else await self._write(number, ready)
        if not reasons:
            return
        # A place is a column of ours, or within a resource; one that tells is not repeated.
        told = [one if judge_plain(one.where) == "keep" else Reason(one.code, "row") for one in reasons]
        async with self.store.transaction() as tx:
            await self._keep_line(tx, number, "refused", told)

    async def _write(self, number: int, ready: tuple[Unit, Prepared] | Row) -> list[Reason]:
        """Why the row is refused; nothing when it was taken in. A number that another import took in between
        is matched again."""
        for _ in range(TRIES):
            try:
                async with self.store.transaction() as tx:
                    if isinstance(ready, Row):
                        return await self._go_on(tx, number, ready)
                    await self._write_once(tx, number, *ready)
                return []
            except (_RefusedRowError, BadInputError) as refused:
                return refused.reasons
            except ProblemError as error:
                if error.refused.problem is not IDENTIFIER_TAKEN:
                    return [Reason(error.refused.problem.code, "row")]
        # A number taken in between would tell that somebody has it (S19).
        return [Reason("try-again", "row")]

    async def _go_on(self, tx: Tx, number: int, row: Row) -> list[Reason]:
        assert isinstance(self.kind, StandingKind)
        taken = await self.kind.take(tx, row, self.clock.now())
        if isinstance(taken, list):
            return taken
        await self._keep_line(tx, number, "accepted", [], taken)
        return []

    async def _write_once(self, tx: Tx, number: int, unit: Unit, prepared: Prepared) -> None:
        assert isinstance(self.kind, RowKind)
        now = self.clock.now()
        refused = await self.kind.beside(tx, unit, now)
        if refused is not None:
            raise _RefusedRowError([refused])
        sender = msgspec.structs.replace(self.sender, lane=_lane_of((unit, prepared)))
        report = await import_unit(tx, self.store.keys, unit, prepared, sender, now)
        if report.status == "rejected":
            raise _RefusedRowError(report.reasons)
        await log_unit(tx, msgspec.structs.replace(self.desk, now=now), report, prepared, self.kind.action)
        await self._keep_line(tx, number, "accepted", [], self.kind.id_of(unit))

    async def _keep_line(
        self, tx: Tx, number: int, status: str, reasons: list[Reason], entry_id: UUID | None = None
    ) -> None:
        facility_id = self.desk.facility.facility_id
        await queries.KEEP_LINE.run(tx, facility_id, self.file_id, number, status, _told(reasons), entry_id)


async def _claim(tx: Tx, desk: Desk, kind: AnyKind, body: bytes, total: int, now: datetime) -> UUID | Refused:
    """The file's id, the same for a file that is sent again."""
    account = budgets.subject(desk.actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.ROW_FILES_DAY, account, now)
    if spent is not None:
        return spent
    digest = hashlib.sha256(kind.name.encode() + b"\0" + body).digest()
    facility_id, file_id = desk.facility.facility_id, uuid7(now)
    claimed = await queries.CLAIM_FILE.one(
        tx, facility_id, digest, file_id, kind.name, now, total, desk.actor.actor_id
    )
    assert claimed is not None
    return claimed


def _seen(row: FileRow) -> RowsSeen:
    answered = row.rows_accepted + row.rows_refused
    return RowsSeen(
        file_id=row.file_id,
        kind=row.kind,
        status="done" if answered >= row.rows_total else "working",
        received_at=row.received_at,
        rows_total=row.rows_total,
        rows_accepted=row.rows_accepted,
        rows_refused=row.rows_refused,
    )


def _told(reasons: list[Reason]) -> str:
    return msgspec.json.encode(reasons).decode()


def _places(reasons: list[Reason]) -> str:
    return "; ".join(f"{reason.code} {reason.where}" for reason in reasons[:10])
