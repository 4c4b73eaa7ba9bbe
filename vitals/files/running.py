"""A file, read to its end or as far as the time goes: batch by batch, each in one transaction with how far it
is. A process that dies loses nothing that was stored, and whoever goes on reads behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from identity.people import demographics
from kernel.clock import Clock
from kernel.problems import Refused
from store.database import Store, Tx
from store.uploads import discard
from vitals.accepting import accept, earliest_birth
from vitals.devices import service as devices
from vitals.files import queries
from vitals.files.gathering import Gathered
from vitals.files.models import ImportRow, Refusals, RefusedAt
from vitals.imports.anyfile import AnyFile
from vitals.imports.items import FileFaultError, Read
from vitals.intake.service import store_batch
from vitals.problems import VITAL_SOURCES_FULL

DEVICE: Final = "file-"
# Of an archive a mebibyte may come out of so much; whatever else a worker does waits no longer than for that.
STEP: Final = 4096
TOGETHER: Final = 500
Note = Callable[[RefusedAt], object]


class OvertakenError(Exception):
    """Somebody else reads this file, it was withdrawn, or its person is gone."""


class _LaterError(Exception):
    """The time is over; the rest of the file is for another run."""


class _RefusedError(Exception):
    """The device of such files may send nothing more, or the book has too many sources."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Limits(NamedTuple):
    """series_days: how long series are kept. is_over: whether to leave the rest for later; asked all the
    time, also where nothing is found."""

    series_days: int
    is_over: Callable[[], bool] = lambda: False


def _some(found: Iterator[Read]) -> list[Read]:
    return list(islice(found, TOGETHER))


class Run:
    """row: as it stands, brought up to date with every batch. note: told of each item that is not taken."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        row: ImportRow,
        limits: Limits,
        *,
        note: Note = lambda _: None,
        dry_run: bool = False,
    ) -> None:
        self._store, self._clock, self._limits, self._note, self._dry_run = (
            store,
            clock,
            limits,
            note,
            dry_run,
        )
        self.row = row
        self._began_at = row.items
        self._reader = AnyFile(row.zone)
        self._gathered = Gathered()
        self._passed = self._bytes = 0
        self._refusals = (
            Refusals() if row.refusals is None else msgspec.json.decode(row.refusals, type=Refusals)
        )
        self._birth: str | None = None

    async def read(self, parts: AsyncIterator[bytes]) -> Literal["ended", "later"]:
        """Raises OvertakenError."""
        async with self._store.transaction() as tx:
            person = await demographics(tx, self._store.keys, self.row.patient_id)
        self._birth = person.birth_date if person else None
        fault: str | None = None
        where = ""
        try:
            try:
                await self._read_all(parts)
            except FileFaultError as error:
                fault, where = error.fault, error.where
            await self._store_gathered()
        except _LaterError:
            return "later"
        except _RefusedError as error:
            fault, where = error.code, ""
        await self._end(fault, where)
        return "ended"

    async def give_up(self) -> None:
        """The file is not there, or damaged on our disk."""
        await self._end("file-broken", "")

    async def _read_all(self, parts: AsyncIterator[bytes]) -> None:
        async for part in parts:
            self._bytes += len(part)
            for start in range(0, len(part), STEP):
                await self._take(self._reader.feed(part[start : start + STEP]))
                # Nothing is awaited while what was taken before is passed over, or where nothing is found.
                await asyncio.sleep(0)
                if self._limits.is_over():
                    await self._leave()
        ended = self._reader.close()
        # A file that was gathered whole is decoded now: beside whatever else a worker does.
        while found := await asyncio.to_thread(_some, ended):
            await self._take(found)
            if self._limits.is_over():
                await self._leave()

    async def _leave(self) -> None:
        """For another turn, which begins where the file does: where this one found nothing that is new, the
        next would find nothing either."""
        await self._store_gathered()
        if self.row.items == self._began_at:
            raise FileFaultError("archive-too-large")
        raise _LaterError

    async def _take(self, found: Iterable[Read]) -> None:
        for one in found:
            self._passed += 1
            if self._passed <= self.row.items:
                continue
            if not self._gathered.has_room(one):
                await self._store_gathered()
                if self._limits.is_over():
                    raise _LaterError
            self._gathered.add(one)

    async def _store_gathered(self) -> None:
        gathered, self._gathered = self._gathered, Gathered()
        if not gathered.items:
            return
        refused = await (self._try(gathered) if self._dry_run else self._keep(gathered))
        for one in refused:
            self._note(one)

    async def _keep(self, gathered: Gathered) -> list[RefusedAt]:
        async with self._store.transaction() as tx:
            row = await queries.LOCK.one(tx, self.row.patient_id, self.row.import_id)
            if row is None or row.state != "waiting" or row.items != self.row.items:
                raise OvertakenError
            counts, refused = await self._batch(tx, gathered)
            for one in refused:
                self._refusals.add(one)
            await queries.ADVANCE.run(
                tx,
                *(row.patient_id, row.import_id, self._reader.form, self._bytes),
                row.items + gathered.items,
                *(*counts, len(refused), msgspec.json.encode(self._refusals).decode()),
            )
            fresh = await queries.GET.one(tx, row.patient_id, row.import_id)
        assert fresh is not None
        self.row = fresh
        return refused

    async def _batch(self, tx: Tx, gathered: Gathered) -> tuple[tuple[int, int, int, int], list[RefusedAt]]:
        """How many were stored, updated, there before and deleted."""
        # Clocks of machines differ: what a file brought is known by lying behind its arrival.
        now, patient_id = max(self._clock.now(), self.row.added_at), self.row.patient_id
        device = f"{DEVICE}{self._reader.form}"
        refused = await devices.admit_device(tx, patient_id, device, self.row.added_by or UUID(int=0), now)
        if refused is not None:
            raise _RefusedError(refused.problem.code)
        batch = gathered.batch(self.row, device, now)
        days = self._limits.series_days
        accepted = accept(batch, earliest_birth(self._birth), now, now, series_days=days)
        # A relative's file takes nothing out and changes nothing that others measured (security.md S23).
        acting = None if self.row.added_by == patient_id else self.row.added_by
        ack = await store_batch(tx, patient_id, self._birth, accepted, now, acting=acting)
        if isinstance(ack, Refused):
            raise _RefusedError(ack.problem.code) if ack.problem is VITAL_SOURCES_FULL else OvertakenError
        not_taken = [*gathered.refused, *(gathered.refusal_of(one) for one in ack.rejected)]
        return (ack.stored, ack.updated, ack.duplicate, ack.deleted), not_taken

    async def _try(self, gathered: Gathered) -> list[RefusedAt]:
        """What the gate would let through; whether it is there already is not looked up."""
        now, row = self._clock.now(), self.row
        batch = gathered.batch(row, DEVICE, now)
        days = self._limits.series_days
        accepted = accept(batch, earliest_birth(self._birth), now, now, series_days=days)
        refused = [*gathered.refused, *(gathered.refusal_of(one) for one in accepted.rejected)]
        for one in refused:
            self._refusals.add(one)
        row.items += gathered.items
        row.batches += 1
        row.stored += len(accepted.samples) + len(accepted.series)
        row.rejected += len(refused)
        row.bytes_read = self._bytes
        row.refusals = msgspec.json.encode(self._refusals).decode()
        return refused

    async def _end(self, fault: str | None, where: str) -> None:
        state: Literal["done", "refused"] = "done" if fault is None else "refused"
        row, now = self.row, self._clock.now()
        if self._dry_run:
            row.state, row.fault, row.fault_where = state, fault, where
            row.form, row.left_out, row.ended_at = self._reader.form, self._reader.left_out, now
            return
        async with self._store.transaction() as tx:
            await queries.END.run(
                tx,
                *(row.patient_id, row.import_id, state, self._reader.form, fault, where),
                *(self._bytes, self._reader.left_out, now),
            )
            if row.blob_id is not None:
                await discard(tx, row.patient_id, row.blob_id, now)
            ended = await queries.GET.one(tx, row.patient_id, row.import_id)
        if row.blob_id is not None:
            await self._store.blobs.delete(row.patient_id, row.blob_id)
        if ended is None or ended.state == "withdrawn":
            raise OvertakenError
        self.row = ended
