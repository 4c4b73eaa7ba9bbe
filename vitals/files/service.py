"""Files of measurements: sent, listed, withdrawn. Reading them is in running.py, taking back in returning.py.

The same file of the same person is the same import: sent again while it waits or after it was read it is
answered as what it is, so a repeat needs no key. One file is read at a time.
"""

from datetime import datetime
from typing import Final, cast
from uuid import UUID

import msgspec

from audit.service import record_act
from identity import budgets
from kernel.access import Access, Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import PROBLEMS, Refused
from store.blobs import StoredBlob
from store.database import Tx
from store.due_queue import arm, schedule
from store.uploads import announce, discard
from vitals.files import queries
from vitals.files.models import (
    FaultShown,
    ImportList,
    ImportRow,
    ImportShown,
    ReasonShown,
    Refusals,
)
from vitals.files.problems import VITAL_IMPORT_RUNNING, VITAL_IMPORT_UNKNOWN
from vitals.files.texts import CODES, FAULTS
from vitals.imports.items import Form

JOB: Final = "vital-import"
_BEGIN: Final = "vitals:import:begin"


async def may_add(tx: Tx, access: Access, now: datetime) -> UUID | Refused:
    """Before a body is read: there is room in the day. The name of the file to be."""
    person = budgets.subject(access.patient_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.VITAL_IMPORTS_DAY, person, now)
    return spent if spent is not None else await announce(tx, access.patient_id, now)


async def add(
    tx: Tx, access: Access, blob: StoredBlob, zone: int | None, *, request_id: str, now: datetime
) -> ImportRow | Refused:
    """A file that a worker is to read. zone: of times that say none, minutes from UTC. The row names this
    blob, or it is that of the same file before. Refused: vital-import-running."""
    row = await _made(
        tx, access.patient_id, access.actor.actor_id, blob.sha256, blob.length, zone, blob.blob_id, now
    )
    if not isinstance(row, Refused) and row.blob_id == blob.blob_id:
        await arm(tx, bucket_of(row.patient_id), now, JOB, ref_of(row))
        await _record(tx, access, _BEGIN, request_id, now)
    return row


async def begin_by_operator(
    tx: Tx, patient_id: UUID, operator: str, sha256: bytes, length: int, zone: int | None, now: datetime
) -> ImportRow | Refused:
    """A file on an operator's disk; one that was cut off goes on, one that is done is read anew. Refused:
    vital-import-running."""
    standing = await queries.SAME.one(tx, patient_id, sha256, zone)
    if standing is not None and standing.state == "waiting" and standing.blob_id is None:
        return standing
    row = await _insert(tx, patient_id, None, sha256, length, zone, None, now)
    if not isinstance(row, Refused):
        actor = Actor(kind="operator", actor_id=UUID(int=0), name=operator)
        await record_act(tx, patient_id, actor, _BEGIN, request_id=str(row.import_id), now=now)
    return row


async def _made(
    tx: Tx,
    patient_id: UUID,
    added_by: UUID,
    sha256: bytes,
    length: int,
    zone: int | None,
    blob_id: UUID,
    now: datetime,
) -> ImportRow | Refused:
    same = await queries.SAME.one(tx, patient_id, sha256, zone)
    return same or await _insert(tx, patient_id, added_by, sha256, length, zone, blob_id, now)


async def _insert(
    tx: Tx,
    patient_id: UUID,
    added_by: UUID | None,
    sha256: bytes,
    length: int,
    zone: int | None,
    blob_id: UUID | None,
    now: datetime,
) -> ImportRow | Refused:
    import_id = uuid7(now)
    made = await queries.INSERT.one(tx, patient_id, import_id, added_by, now, sha256, length, zone, blob_id)
    if made is None:
        return Refused(problem=VITAL_IMPORT_RUNNING)
    row = await queries.GET.one(tx, patient_id, import_id)
    assert row is not None
    return row


async def listed(tx: Tx, patient_id: UUID) -> ImportList:
    """The newest hundred."""
    return ImportList([shown(row) for row in await queries.LIST.all(tx, patient_id)])


async def one(tx: Tx, patient_id: UUID, import_id: UUID) -> ImportShown | Refused:
    row = await queries.GET.one(tx, patient_id, import_id)
    return Refused(problem=VITAL_IMPORT_UNKNOWN) if row is None else shown(row)


async def withdraw(
    tx: Tx, access: Access, import_id: UUID, *, request_id: str, now: datetime
) -> ImportRow | Refused:
    """Stop reading a file, and take back what it brought; a worker does it. The row as it was: its file,
    which nothing names any more, is the caller's to erase. A guardian takes back the own files alone, as no
    measurement is a guardian's to delete (security.md S23). Refused: vital-import-unknown."""
    row = await queries.LOCK.one(tx, access.patient_id, import_id)
    if row is None or not (access.is_own or row.added_by == access.actor.actor_id):
        return Refused(problem=VITAL_IMPORT_UNKNOWN)
    if row.blob_id is not None:
        await discard(tx, row.patient_id, row.blob_id, now)
    await queries.WITHDRAW.run(tx, row.patient_id, import_id, now)
    await schedule(tx, bucket_of(row.patient_id), now, JOB, ref_of(row))
    await _record(tx, access, "vitals:import:withdraw", request_id, now)
    return row


async def is_named(tx: Tx, patient_id: UUID, blob_id: UUID) -> bool:
    """Whether a file that waits to be read has this name."""
    return bool(await queries.IS_NAMED.one(tx, patient_id, blob_id))


def ref_of(row: ImportRow) -> str:
    return f"{row.patient_id}:{row.import_id}"


async def row_of(tx: Tx, ref: str) -> ImportRow | None:
    """The import of a timer; None where its person is gone, or it was taken back."""
    patient_id, import_id = ref.split(":")
    return await queries.GET.one(tx, UUID(patient_id), UUID(import_id))


def shown(row: ImportRow) -> ImportShown:
    refusals = Refusals() if row.refusals is None else msgspec.json.decode(row.refusals, type=Refusals)
    is_read = row.state == "done"
    return ImportShown(
        import_id=row.import_id,
        state=row.state,
        added_at=row.added_at,
        ended_at=row.ended_at,
        length=row.length,
        percent=100 if is_read else min(99, row.bytes_read * 100 // max(1, row.length)),
        form=cast(Form | None, row.form),
        items=row.items,
        stored=row.stored,
        updated=row.updated,
        duplicate=row.duplicate,
        deleted=row.deleted,
        rejected=row.rejected,
        left_out=row.left_out,
        rejected_by=[ReasonShown(r.code, r.what, r.n, *CODES[r.code]) for r in refusals.reasons],
        first=refusals.first,
        fault=None if row.fault is None else fault_shown(row.fault, row.fault_where or ""),
    )


def fault_shown(code: str, where: str) -> FaultShown:
    """In words; also of a problem that the whole file met."""
    for fault, (vi, en) in FAULTS.items():
        if fault == code:
            return FaultShown(code, where, vi, en)
    problem = PROBLEMS[code]
    return FaultShown(code, where, problem.vi, problem.en)


async def _record(tx: Tx, access: Access, tag: str, request_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
