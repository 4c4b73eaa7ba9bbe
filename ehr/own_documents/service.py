"""Adding papers to a book, changing what is said about them, and taking them back with their file.

Nothing of it is a facility's: the rows are self-declared, of the source `person:<whose book>`, so no facility
touches them and no certificate rests on them (security.md S3, S28). Who added a paper for somebody and the
person whose book it is may change it; nobody else (what a child adds is not a guardian's to remove).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from documents.uploads import Upload, UploadError, UploadLocked, UploadTooLarge, take
from ehr.intake.gate import judge_plain
from ehr.intake.units import Prepared, prepare
from ehr.models import Source
from ehr.own_documents import queries
from ehr.own_documents.mapping import SOURCE, declared_by, is_past, unit_name, unit_of
from ehr.own_documents.models import DocumentWords, FileRow, OwnDocument
from ehr.own_documents.problems import (
    OWN_DOCUMENT_INVALID,
    OWN_DOCUMENT_LOCKED,
    OWN_DOCUMENT_NOT_YOURS,
    OWN_DOCUMENT_TOO_LARGE,
    OWN_DOCUMENT_UNKNOWN,
    OWN_DOCUMENT_UNREADABLE,
    OWN_DOCUMENT_WITHHELD,
    OWN_DOCUMENTS_FULL,
)
from ehr.store import write_unit
from identity import budgets
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.blobs import StoredBlob
from store.database import Tx
from store.uploads import announce, discard

# Ours: what one person's papers may take.
DOCUMENTS_MAX: Final = 300
BYTES_MAX: Final = 1024 * 1024 * 1024


async def may_add(tx: Tx, access: Access, now: datetime) -> UUID | Refused:
    """Before a body is read: the book has room, and so has the day. The name of the file to be."""
    room = await queries.ROOM.one(tx, access.patient_id)
    if room is not None and (room.documents >= DOCUMENTS_MAX or room.bytes >= BYTES_MAX):
        return Refused(problem=OWN_DOCUMENTS_FULL)
    person = budgets.subject(access.patient_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.OWN_DOCUMENTS_DAY, person, now)
    return spent if spent is not None else await announce(tx, access.patient_id, now)


async def draw(content: bytes) -> Upload | Refused:
    """What is kept of a file. Refused: own-document-too-large, -locked, -unreadable."""
    try:
        return await take(content, may_be_pdf=True)
    except UploadTooLarge:
        return Refused(problem=OWN_DOCUMENT_TOO_LARGE)
    except UploadLocked:
        return Refused(problem=OWN_DOCUMENT_LOCKED)
    except UploadError:
        return Refused(problem=OWN_DOCUMENT_UNREADABLE)


def check(words: DocumentWords, now: datetime) -> Refused | None:
    """What the fields alone do not tell: the date has begun, and the gate lets every text in."""
    if words.date is not None and not is_past(words.date, now):
        return Refused(problem=OWN_DOCUMENT_INVALID, where="date")
    for where, text in (("title", words.title), ("facility_name", words.facility_name)):
        if text is not None and judge_plain(text) != "keep":
            return Refused(problem=OWN_DOCUMENT_WITHHELD, where=where)
    if judge_plain("\n".join(text for text in (words.title, words.facility_name) if text)) != "keep":
        return Refused(problem=OWN_DOCUMENT_WITHHELD)
    return None


async def add(
    tx: Tx,
    access: Access,
    words: DocumentWords,
    upload: Upload,
    blob: StoredBlob,
    *,
    request_id: str,
    now: datetime,
) -> FileRow | Refused:
    """Name a kept file as a paper of the book."""
    document_id = uuid7(now)
    prepared = _prepared(access, words, access.patient_id, document_id, upload.media_type, now)
    if isinstance(prepared, Refused):
        return prepared
    row = FileRow(
        access.patient_id,
        document_id,
        prepared.resources[0].id,
        blob.blob_id,
        upload.media_type,
        blob.length,
        access.actor.actor_id,
        now,
    )
    await _write(tx, access, row, prepared, now)
    await queries.INSERT_FILE.run(
        tx,
        row.patient_id,
        row.document_id,
        row.item_id,
        row.blob_id,
        row.media_type,
        row.length_bytes,
        blob.sha256,
        row.added_by,
        row.added_at,
    )
    await _note(tx, access, row, "document:own:create", request_id, now)
    return row


async def added(tx: Tx, access: Access, document_id: UUID) -> FileRow | Refused:
    """A paper that this request made before."""
    row = await queries.FILE_BY_ID.one(tx, access.patient_id, document_id)
    return row if row is not None else Refused(problem=OWN_DOCUMENT_UNKNOWN)


async def amend(
    tx: Tx, access: Access, item_id: str, words: DocumentWords, *, request_id: str, now: datetime
) -> FileRow | Refused:
    """Say something else about a paper; its file stays, and what was said before stays in the history."""
    row = await _standing(tx, access, item_id)
    fault = row if isinstance(row, Refused) else check(words, now)
    if isinstance(row, Refused) or fault is not None:
        return fault or Refused(problem=OWN_DOCUMENT_UNKNOWN)
    prepared = _prepared(access, words, row.patient_id, row.document_id, row.media_type, row.added_at)
    if isinstance(prepared, Refused):
        return prepared
    await _write(tx, access, row, prepared, now)
    await _note(tx, access, row, "document:own:amend", request_id, now)
    return row


async def remove(
    tx: Tx, access: Access, item_id: str, *, request_id: str, now: datetime
) -> FileRow | Refused:
    """Take a paper back; its file goes once the caller's transaction is over."""
    row = await _standing(tx, access, item_id)
    if isinstance(row, Refused):
        return row
    await _write(tx, access, row, None, now)
    await queries.DELETE_FILE.run(tx, row.patient_id, row.document_id)
    await discard(tx, row.patient_id, row.blob_id, now)
    await _note(tx, access, row, "document:own:delete", request_id, now)
    return row


async def is_named(tx: Tx, patient_id: UUID, blob_id: UUID) -> bool:
    """Whether a paper of this person is kept in that file."""
    return await queries.IN_BLOB.one(tx, patient_id, blob_id) is not None


def receipt(row: FileRow, words: DocumentWords) -> OwnDocument:
    return OwnDocument(
        item_id=row.item_id,
        kind=words.kind,
        media_type=row.media_type,
        length_bytes=row.length_bytes,
        added_at=row.added_at,
    )


def _prepared(
    access: Access,
    words: DocumentWords,
    owner_id: UUID,
    document_id: UUID,
    media_type: str,
    added_at: datetime,
) -> Prepared | Refused:
    unit = unit_of(words, document_id, media_type, added_at)
    prepared = prepare(unit, None, f"{SOURCE}{owner_id}", None, declared_by(access))
    # The gate reads the whole entry; what it would let in only in part is not taken at all.
    if prepared.withheld or not prepared.resources:
        return Refused(problem=OWN_DOCUMENT_WITHHELD)
    return prepared


async def _write(tx: Tx, access: Access, row: FileRow, prepared: Prepared | None, now: datetime) -> None:
    source = Source(
        source_id=f"{SOURCE}{row.patient_id}",
        facility_id=None,
        credential=str(access.actor.actor_id),
        method="own-document",
        state="self-declared",
    )
    resources = [] if prepared is None else prepared.resources
    await write_unit(tx, row.patient_id, source, resources, unit=unit_name(row.document_id), now=now)


async def _standing(tx: Tx, access: Access, item_id: str) -> FileRow | Refused:
    """The paper, locked, where whoever asks may change it."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        row = await queries.FILE_BY_ITEM.one(tx, patient_id, item_id)
        if row is not None:
            own = access.is_own or row.added_by == access.actor.actor_id
            return row if own else Refused(problem=OWN_DOCUMENT_NOT_YOURS)
    return Refused(problem=OWN_DOCUMENT_UNKNOWN)


async def _note(tx: Tx, access: Access, row: FileRow, action: str, request_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        action,
        purpose=access.purpose,
        resources=[("DocumentReference", row.item_id)],
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
