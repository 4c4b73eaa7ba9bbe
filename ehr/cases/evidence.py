"""Pictures that belong to a case: made anew before they are kept, never served as anything but a file (S35).

A picture is drawn and kept outside any transaction; the row that names it is written afterwards, and when
that is refused the file goes again.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from documents.uploads import Upload, UploadError, UploadTooLarge, take
from ehr.cases import queries
from ehr.cases.models import CaseRow, EvidenceRow
from ehr.cases.moves import Hand, leave_note
from ehr.cases.policy import PHOTOS_MAX, RUNNING
from ehr.cases.problems import (
    CASE_STATE,
    CASE_UNKNOWN,
    EVIDENCE_TOO_LARGE,
    EVIDENCE_TOO_MANY,
    EVIDENCE_UNKNOWN,
    EVIDENCE_UNREADABLE,
)
from ehr.store import touch_head
from identity import budgets
from kernel.ids import uuid7
from kernel.problems import Refused
from store.blobs import StoredBlob
from store.database import Tx
from store.uploads import announce

UPLOAD_BYTES_MAX = 12 * 1024 * 1024


class Kept(Struct, frozen=True):
    """The row of a picture. is_new false: the same picture was there, and the new file is not needed."""

    evidence: EvidenceRow
    is_new: bool


async def draw(body: bytes) -> Upload | Refused:
    """Make an upload anew. Refused: evidence-too-large without decoding, evidence-unreadable."""
    try:
        return await take(body)
    except UploadTooLarge:
        return Refused(problem=EVIDENCE_TOO_LARGE)
    except UploadError:
        return Refused(problem=EVIDENCE_UNREADABLE)


async def may_add(tx: Tx, patient_id: UUID, case_id: UUID, now: datetime) -> UUID | Refused:
    """Before anything is decoded: there is such a case, it is open, it has room, and so has the day. The name
    of the file to be."""
    fault = await _fault(tx, patient_id, case_id)
    if fault is None:
        person = budgets.subject(patient_id.bytes)
        fault = await budgets.charge_or_refuse(tx, budgets.PICTURES_DAY, person, now)
    return fault if fault is not None else await announce(tx, patient_id, now)


async def is_named(tx: Tx, patient_id: UUID, blob_id: UUID) -> bool:
    """Whether a picture of a case of this person is kept in that file."""
    return await queries.EVIDENCE_IN_BLOB.one(tx, patient_id, blob_id) is not None


async def add(
    tx: Tx, patient_id: UUID, case_id: UUID, upload: Upload, blob: StoredBlob, hand: Hand
) -> Kept | Refused:
    """Name a kept file as a picture of the case. The same upload again is the same picture."""
    await touch_head(tx, patient_id, hand.now)
    twin = await queries.EVIDENCE_BY_SOURCE.one(tx, patient_id, case_id, upload.source_sha256)
    if twin is not None:
        return Kept(twin, is_new=False)
    fault = await _fault(tx, patient_id, case_id)
    if fault is not None:
        return fault
    row = EvidenceRow(uuid7(hand.now), patient_id, blob.blob_id, upload.media_type, blob.length, hand.now)
    await queries.INSERT_EVIDENCE.one(
        tx,
        patient_id,
        case_id,
        row.evidence_id,
        row.blob_of,
        row.blob_id,
        upload.source_sha256,
        row.media_type,
        row.length_bytes,
        hand.now,
    )
    await leave_note(tx, patient_id, "case:evidence:create", hand)
    return Kept(row, is_new=True)


async def find(tx: Tx, case: CaseRow, evidence_id: UUID) -> EvidenceRow | Refused:
    """One picture of a case."""
    row = await queries.EVIDENCE_BY_ID.one(tx, case.patient_id, case.case_id, evidence_id)
    return row if row is not None else Refused(problem=EVIDENCE_UNKNOWN)


async def ended(tx: Tx, patient_id: UUID, case_id: UUID, before: datetime) -> list[EvidenceRow]:
    """The pictures of a case that was closed before that time; none of one that runs again."""
    case = await queries.CASE_BY_ID.one(tx, patient_id, case_id)
    if case is None or case.closed_at is None or case.closed_at > before:
        return []
    return await queries.EVIDENCE_OF.all(tx, patient_id, case_id)


async def forget(tx: Tx, patient_id: UUID, case_id: UUID, pictures: list[EvidenceRow]) -> None:
    """Remove the rows of files that are gone."""
    await queries.DELETE_EVIDENCE.run(tx, patient_id, case_id, [row.evidence_id for row in pictures])


async def _fault(tx: Tx, patient_id: UUID, case_id: UUID) -> Refused | None:
    case = await queries.CASE_BY_ID.one(tx, patient_id, case_id)
    if case is None:
        return Refused(problem=CASE_UNKNOWN)
    if case.state not in RUNNING:
        return Refused(problem=CASE_STATE)
    if len(await queries.EVIDENCE_OF.all(tx, patient_id, case_id)) >= PHOTOS_MAX:
        return Refused(problem=EVIDENCE_TOO_MANY)
    return None
