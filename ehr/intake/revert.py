"""Taking a poisoned batch back: what credentials wrote since an instant, in whosever book (S3)."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from ehr import revert as record
from ehr.intake import queries
from ehr.intake.trust.service import forget_versions
from ehr.prescriptions.keeping import undo_waiting
from ehr.programmes.queries import CHANGED_SINCE
from ehr.programmes.reverting import revert_enrolment
from ehr.quarantine.keeping import note
from ehr.quarantine.queries import WAITING_OF_CREDENTIALS
from ehr.quarantine.units import START, drop
from identity.reports.service import Forgotten, forget_reports
from kernel.clock import Clock
from kernel.ids import uuid7
from store.database import Store, Tx

PAGE = 1000

Progress = Callable[[str], None]


class TakenBack(Struct, kw_only=True):
    """people: whose books changed. restored, retracted: rows by type. waiting: units and lines out of the
    quarantine. versions: documents of which any version is taken in next. reports, numbers, phones: what the
    facility was the first to say of persons in whose books nothing of it is left. enrolments: in programmes.
    """

    people: int = 0
    restored: Counter[str] = field(default_factory=Counter)
    retracted: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    versions: int = 0
    reports: int = 0
    numbers: int = 0
    phones: int = 0
    enrolments: int = 0

    def add(self, done: record.Reverted, forgotten: list[Forgotten]) -> None:
        brought = any(one.reports or one.numbers or one.phones for one in forgotten)
        self.people += bool(done.restored or done.retracted or brought)
        self.restored.update(done.restored)
        self.retracted.update(done.retracted)
        self.reports += sum(one.reports for one in forgotten)
        self.numbers += sum(one.numbers for one in forgotten)
        self.phones += sum(one.phones for one in forgotten)


class _DryRunError(Exception):
    """Rolls a transaction back whose counts are wanted."""


async def revert_since(
    store: Store,
    clock: Clock,
    credentials: Collection[str],
    since: datetime,
    *,
    dry_run: bool = False,
    say: Progress = lambda _: None,
) -> TakenBack:
    """Put back person by person, each in its own transaction; a second run changes nothing.

    Persons that the batch made stay, without the numbers that it alone brought, and so do deaths that it
    reported: they are identity's to correct.
    """
    undo = record.Undo(credentials=frozenset(credentials), since=since, batch=uuid7(clock.now()))
    taken = TakenBack()
    looked_at = 0
    async for patient_id in _patients(store, undo):
        async with _step(store, dry_run=dry_run) as tx:
            taken.add(*await _revert_person(tx, patient_id, undo, clock.now()))
        looked_at += 1
        if looked_at % PAGE == 0:
            say(f"{looked_at} people")
    async with _step(store, dry_run=dry_run) as tx:
        taken.versions = await forget_versions(tx, sorted(undo.credentials), since)
        await undo_waiting(tx, undo.credentials, since)
    taken.waiting = await _empty_quarantine(store, undo, clock.now(), dry_run=dry_run)
    taken.enrolments = await _revert_enrolments(store, undo, clock, dry_run=dry_run)
    return taken


@asynccontextmanager
async def _step(store: Store, *, dry_run: bool) -> AsyncIterator[Tx]:
    try:
        async with store.transaction() as tx:
            yield tx
            if dry_run:
                raise _DryRunError
    except _DryRunError:
        pass


async def _revert_person(
    tx: Tx, patient_id: UUID, undo: record.Undo, now: datetime
) -> tuple[record.Reverted, list[Forgotten]]:
    facilities = await queries.FACILITIES_OF_CREDENTIALS.all(
        tx, patient_id, list(undo.credentials), undo.since
    )
    done = await record.revert(tx, patient_id, undo, now)
    forgotten = [
        await forget_reports(tx, patient_id, facility_id, undo.since)
        for facility_id in facilities
        if not await queries.HAS_ROWS_OF.one(tx, patient_id, facility_id)
    ]
    return done, forgotten


async def _empty_quarantine(store: Store, undo: record.Undo, now: datetime, *, dry_run: bool) -> int:
    """What of the batch waits is deleted, a page at a time."""
    last, waiting = START, 0
    while True:
        async with _step(store, dry_run=dry_run) as tx:
            page = await WAITING_OF_CREDENTIALS.all(tx, list(undo.credentials), undo.since, last, PAGE)
            for row in page:
                await drop(tx, row.quarantine_id)
                await note(tx, row, "reverted", now)
        waiting += len(page)
        if len(page) < PAGE:
            return waiting
        last = page[-1].quarantine_id


async def _revert_enrolments(store: Store, undo: record.Undo, clock: Clock, *, dry_run: bool) -> int:
    """After the books and the quarantine: each enrolment is written of what then stands."""
    facility_id, enrolment_id, count = START, START, 0
    while True:
        async with store.transaction() as tx:
            page = await CHANGED_SINCE.all(tx, undo.since, facility_id, enrolment_id, PAGE)
        for one in page:
            facility_id, enrolment_id = one.facility_id, one.enrolment_id
            async with _step(store, dry_run=dry_run) as tx:
                count += await revert_enrolment(tx, store.keys, facility_id, enrolment_id, undo, clock.now())
        if len(page) < PAGE:
            return count


async def _patients(store: Store, undo: record.Undo) -> AsyncIterator[UUID]:
    """Who has a row that stands in a version of `undo`, found a page of records at a time."""
    last = UUID(int=0)
    while True:
        async with store.transaction() as tx:
            moved = await queries.MOVED_SINCE.all(tx, last, undo.since, PAGE)
            found = await queries.PATIENTS_OF_CREDENTIALS.all(tx, moved, list(undo.credentials), undo.since)
        for patient_id in found:
            yield patient_id
        if len(moved) < PAGE:
            return
        last = moved[-1]
