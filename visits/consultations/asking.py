"""The person's side: ask, add pictures, hand over a share code, take back, close, and read.

Who asks in a child's place sees what that relative asked, and nothing that the child asks (security.md S23).
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from documents.uploads import Upload
from identity import budgets
from identity.practitioners import active_roles
from identity.register.facilities import facility_by_id
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.blobs import StoredBlob
from store.database import Tx
from store.keys import KeyRing
from store.uploads import announce
from visits.consultations import queries
from visits.consultations.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    Consultation,
    ConsultationAct,
    ConsultationLine,
    ConsultationPicture,
    ConsultationRow,
    PictureRow,
)
from visits.consultations.moving import Hand, arm, find, keep, mirror, move, note
from visits.consultations.policy import PICTURES_MAX, SHARE_CODE_LIFE, WAITING, WAITING_MAX
from visits.consultations.problems import (
    CONSULTATION_STATE,
    CONSULTATION_TARGET_UNKNOWN,
    CONSULTATION_UNKNOWN,
    CONSULTATIONS_TOO_MANY,
    PICTURE_UNKNOWN,
    PICTURES_TOO_MANY,
)
from visits.consultations.texts import opened, sealed

_ANSWERS = frozenset({"doctor", "nurse"})


def hand_of(access: Access, request_id: str, now: datetime) -> Hand:
    return Hand(actor=access.actor, on_behalf_of=access.on_behalf_of, request_id=request_id, now=now)


async def ask(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    facility_id: UUID,
    practitioner_id: UUID | None,
    text: str,
    answer_by: datetime,
    hand: Hand,
) -> ConsultationRow | Refused:
    """Put a question. Refused: consultation-target-unknown, consultations-too-many, too-many."""
    if not await _answers(tx, facility_id, practitioner_id, hand.now):
        return Refused(problem=CONSULTATION_TARGET_UNKNOWN)
    # Both limits count whoever asks: a full one would tell a guardian how much the child asks (S23).
    asker = access.actor.actor_id
    await queries.LOCK_ASKER.one(tx, asker)
    if (await queries.WAITING.one(tx, access.patient_id, asker) or 0) >= WAITING_MAX:
        return Refused(problem=CONSULTATIONS_TOO_MANY)
    by_asker = budgets.subject(asker.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.CONSULTATIONS_DAY, by_asker, hand.now)
    if spent is not None:
        return spent
    row = ConsultationRow(
        patient_id=access.patient_id,
        consultation_id=uuid7(hand.now),
        facility_id=facility_id,
        practitioner_id=practitioner_id,
        asked_by=access.actor.actor_id,
        state="asked",
        body=sealed(keys, access.patient_id, "body", text),
        answer=None,
        share_code=None,
        share_code_until=None,
        asked_at=hand.now,
        answer_by=answer_by,
        accepted_by=None,
        accepted_at=None,
        answered_at=None,
        ended_at=None,
        overdue_at=None,
    )
    await queries.INSERT.run(tx, *(getattr(row, name) for name in ConsultationRow.__struct_fields__))
    await mirror(tx, row)
    await arm(tx, row)
    await note(tx, row, "consultation:question:ask", hand)
    return row


async def _answers(tx: Tx, facility_id: UUID, practitioner_id: UUID | None, now: datetime) -> bool:
    if practitioner_id is None:
        return await facility_by_id(tx, facility_id) is not None
    roles = await active_roles(tx, practitioner_id, now)
    return any(role.facility_id == facility_id and role.role in _ANSWERS for role in roles)


async def own(tx: Tx, access: Access, consultation_id: UUID) -> ConsultationRow | Refused:
    """One of the questions that whoever acts may see, locked."""
    for patient_id in (access.patient_id, *sorted(access.origins)):
        row = await find(tx, patient_id, consultation_id)
        if isinstance(row, ConsultationRow) and (access.is_own or row.asked_by == access.actor.actor_id):
            return row
    return Refused(problem=CONSULTATION_UNKNOWN)


async def own_list(tx: Tx, access: Access, before: UUID, limit: int) -> list[ConsultationRow]:
    """Newest first. Of everybody merged into the person too."""
    asker = None if access.is_own else access.actor.actor_id
    found = [
        row
        for patient_id in (access.patient_id, *sorted(access.origins))
        for row in await queries.OF_PERSON.all(tx, patient_id, asker, before, limit)
    ]
    return sorted(found, key=lambda row: row.consultation_id, reverse=True)[:limit]


async def own_move(
    tx: Tx, keys: KeyRing, access: Access, consultation_id: UUID, act: ConsultationAct, hand: Hand
) -> ConsultationRow | Refused:
    """Withdraw or close."""
    row = await own(tx, access, consultation_id)
    return row if isinstance(row, Refused) else await move(tx, keys, row, act, hand, by_person=True)


async def hand_over(
    tx: Tx, keys: KeyRing, access: Access, consultation_id: UUID, code: str, hand: Hand
) -> ConsultationRow | Refused:
    """Lay a share code beside a question that was accepted, for whoever accepted it. The code was made by the
    person's step-up act; it opens nothing until that account redeems it, and dies by its own clock."""
    row = await own(tx, access, consultation_id)
    if isinstance(row, Refused):
        return row
    if row.state != "accepted":
        return Refused(problem=CONSULTATION_STATE)
    kept = replace(
        row,
        share_code=sealed(keys, row.patient_id, "share_code", code),
        share_code_until=hand.now + SHARE_CODE_LIFE,
    )
    await keep(tx, kept)
    await note(tx, kept, "consultation:question:share", hand)
    return kept


async def may_add(tx: Tx, access: Access, consultation_id: UUID, now: datetime) -> UUID | Refused:
    """Before a picture is read: the question waits and has room. The name of the file to be."""
    row = await own(tx, access, consultation_id)
    if isinstance(row, Refused):
        return row
    fault = await _fault(tx, row)
    if fault is None:
        asker = budgets.subject(access.actor.actor_id.bytes)
        fault = await budgets.charge_or_refuse(tx, budgets.PICTURES_DAY, asker, now)
    return fault if fault is not None else await announce(tx, row.patient_id, now)


async def add_picture(
    tx: Tx, access: Access, consultation_id: UUID, upload: Upload, blob: StoredBlob, hand: Hand
) -> PictureRow | Refused:
    """Name a kept file as a picture of the question. The same upload again is the same picture."""
    row = await own(tx, access, consultation_id)
    if isinstance(row, Refused):
        return row
    known = row.patient_id, row.consultation_id
    twin = await queries.PICTURE_BY_SOURCE.one(tx, *known, upload.source_sha256)
    fault = None if twin is not None else await _fault(tx, row)
    if twin is not None or fault is not None:
        return twin or fault or Refused(problem=CONSULTATION_STATE)
    picture = PictureRow(
        uuid7(hand.now), row.patient_id, blob.blob_id, upload.media_type, blob.length, hand.now
    )
    await queries.INSERT_PICTURE.one(
        tx,
        *known,
        picture.picture_id,
        picture.blob_id,
        upload.source_sha256,
        picture.media_type,
        picture.length_bytes,
        hand.now,
    )
    return picture


async def _fault(tx: Tx, row: ConsultationRow) -> Refused | None:
    if row.state not in WAITING:
        return Refused(problem=CONSULTATION_STATE)
    if len(await queries.PICTURES.all(tx, row.patient_id, row.consultation_id)) >= PICTURES_MAX:
        return Refused(problem=PICTURES_TOO_MANY)
    return None


async def picture_of(tx: Tx, row: ConsultationRow, picture_id: UUID) -> PictureRow | Refused:
    found = await queries.PICTURES.all(tx, row.patient_id, row.consultation_id)
    return next((one for one in found if one.picture_id == picture_id), Refused(problem=PICTURE_UNKNOWN))


async def is_named(tx: Tx, patient_id: UUID, blob_id: UUID) -> bool:
    """Whether a picture of a question of this person is kept in that file."""
    return await queries.IN_BLOB.one(tx, patient_id, blob_id) is not None


async def line_of(tx: Tx, row: ConsultationRow) -> ConsultationLine:
    facility = await facility_by_id(tx, row.facility_id)
    return ConsultationLine(
        emergency_vi=EMERGENCY_VI,
        emergency_en=EMERGENCY_EN,
        consultation_id=row.consultation_id,
        facility_name=facility.name if facility is not None else "",
        to_one_doctor=row.practitioner_id is not None,
        state=row.state,
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        overdue=row.overdue_at is not None,
    )


async def pictures_of(tx: Tx, row: ConsultationRow) -> list[ConsultationPicture]:
    return [
        ConsultationPicture(
            picture_id=one.picture_id, media_type=one.media_type, length_bytes=one.length_bytes
        )
        for one in await queries.PICTURES.all(tx, row.patient_id, row.consultation_id)
    ]


async def view_of(tx: Tx, keys: KeyRing, row: ConsultationRow) -> Consultation:
    line = await line_of(tx, row)
    return Consultation(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        text=opened(keys, row.patient_id, "body", row.body) or "",
        pictures=await pictures_of(tx, row),
        accepted_at=row.accepted_at,
        answered_at=row.answered_at,
        answer=opened(keys, row.patient_id, "answer", row.answer),
        share_code_until=row.share_code_until,
    )
