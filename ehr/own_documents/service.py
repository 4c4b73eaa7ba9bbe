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
from ehr.intake.drafts import UnitDraft
from ehr.intake.ids import resource_id
from ehr.own_documents import queries
from ehr.own_documents.mapping import draft_of, is_past, key_of, unit_name
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
from ehr.statements.keeping import Spot, keep_declared, own_source, spot_of, take_back_declared
from ehr.statements.queries import PAPERS_MAX
from ehr.statements.service import declared_entry
from ehr.statements.speaker import speaker_of
from ehr.store import hold_head
from identity import budgets
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.blobs import StoredBlob
from store.database import Tx
from store.keys import KeyRing
from store.uploads import announce, discard

# Ours: what one person's papers may take.
BYTES_MAX: Final = 1024 * 1024 * 1024


async def may_add(tx: Tx, access: Access, now: datetime) -> UUID | Refused:
    """Before a body is read: the book has room, and so has the day. The name of the file to be."""
    room = await queries.ROOM.one(tx, access.patient_id)
    if room is not None and (room.documents >= PAPERS_MAX or room.bytes >= BYTES_MAX):
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
    """What is refused before a file is drawn: a date that does not exist or has not begun."""
    ahead = words.date is not None and not is_past(words.date, now)
    return Refused(problem=OWN_DOCUMENT_INVALID, where="date") if ahead else None


async def add(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    words: DocumentWords,
    upload: Upload,
    blob: StoredBlob,
    *,
    request_id: str,
    now: datetime,
) -> FileRow | Refused:
    """Name a kept file as a paper of the book. Refused: own-document-withheld."""
    spot, document_id = spot_of(access), uuid7(now)
    draft = draft_of(words, document_id, upload.media_type, now)
    refused = await _keep(tx, keys, access, spot, draft, words, now)
    if refused is not None:
        return refused
    row = FileRow(
        access.patient_id,
        document_id,
        resource_id(spot.source_id, key_of(draft)),
        blob.blob_id,
        upload.media_type,
        blob.length,
        access.actor.actor_id,
        now,
    )
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
    tx: Tx,
    keys: KeyRing,
    access: Access,
    item_id: str,
    words: DocumentWords,
    *,
    request_id: str,
    now: datetime,
) -> FileRow | Refused:
    """Say something else about a paper; its file stays, and what was said before stays in the history."""
    row = await _standing(tx, access, item_id, now)
    if isinstance(row, Refused):
        return row
    if (fault := check(words, now)) is not None:
        return fault
    draft = draft_of(words, row.document_id, row.media_type, row.added_at)
    refused = await _keep(tx, keys, access, _spot_of_file(row), draft, words, now)
    if refused is not None:
        return refused
    await _note(tx, access, row, "document:own:amend", request_id, now)
    return row


async def remove(
    tx: Tx, access: Access, item_id: str, *, request_id: str, now: datetime
) -> FileRow | Refused:
    """Take a paper back; its file goes once the caller's transaction is over."""
    row = await _standing(tx, access, item_id, now)
    if isinstance(row, Refused):
        return row
    await take_back_declared(tx, access, _spot_of_file(row), unit_name(row.document_id), now)
    await queries.DELETE_FILE.run(tx, row.patient_id, row.document_id)
    await discard(tx, row.patient_id, row.blob_id, now)
    await _note(tx, access, row, "document:own:delete", request_id, now)
    return row


async def usable_paper(tx: Tx, access: Access, item_id: str, now: datetime) -> bool:
    """Whether something that is said now can rest on this paper: one that whoever says it added or sees."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        row = await queries.FILE_BY_ITEM.one(tx, patient_id, item_id)
        if row is not None:
            added = access.is_own or row.added_by == access.actor.actor_id
            return added or await declared_entry(tx, access, item_id, now) is not None
    return False


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


async def _keep(
    tx: Tx, keys: KeyRing, access: Access, spot: Spot, draft: UnitDraft, words: DocumentWords, now: datetime
) -> Refused | None:
    by = speaker_of(keys, access, words.said_by)
    kept = await keep_declared(tx, access, spot, draft, by, now)
    return Refused(problem=OWN_DOCUMENT_WITHHELD) if isinstance(kept, Refused) else None


def _spot_of_file(row: FileRow) -> Spot:
    return Spot(row.patient_id, own_source(row.patient_id))


async def _standing(tx: Tx, access: Access, item_id: str, now: datetime) -> FileRow | Refused:
    """The paper, locked, where whoever asks sees it and may change it."""
    await hold_head(tx, access.patient_id, now)
    if await declared_entry(tx, access, item_id, now) is None:
        return Refused(problem=OWN_DOCUMENT_UNKNOWN)
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
