"""A written question as it is kept, and as each side sees it."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

ConsultationState = Literal["asked", "accepted", "answered", "closed", "declined", "withdrawn", "expired"]
ConsultationAct = Literal["accept", "decline", "answer", "withdraw", "close", "expire"]

# Stands first in every answer (115: the emergency number).
EMERGENCY_VI: Final = (
    "Nếu khẩn cấp (khó thở, đau ngực, chảy máu nhiều, co giật, mất ý thức), gọi 115 hoặc đến ngay cơ sở"
    " cấp cứu gần nhất. Không chờ trả lời ở đây."
)
EMERGENCY_EN: Final = (
    "In an emergency (trouble breathing, chest pain, heavy bleeding, seizures, unconsciousness) call 115 or"
    " go to the nearest emergency unit now. Do not wait for an answer here."
)


class ConsultationRow(Struct, frozen=True):
    """One question as kept. body, answer, share_code: sealed. asked_by: the person, or who asked in the
    person's place. practitioner_id: whom it is put to; None: whoever of the facility."""

    patient_id: UUID
    consultation_id: UUID
    facility_id: UUID
    practitioner_id: UUID | None
    asked_by: UUID
    state: ConsultationState
    body: bytes
    answer: bytes | None
    share_code: bytes | None
    share_code_until: datetime | None
    asked_at: datetime
    answer_by: datetime
    accepted_by: UUID | None
    accepted_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    overdue_at: datetime | None


class PictureRow(Struct, frozen=True):
    """One picture; blob_of: under whose key it lies."""

    picture_id: UUID
    blob_of: UUID
    blob_id: UUID
    media_type: str
    length_bytes: int
    added_at: datetime


class FacilityRow(Struct, frozen=True):
    """A question in the list of the facility: no text, no name."""

    consultation_id: UUID
    patient_id: UUID
    practitioner_id: UUID | None
    state: ConsultationState
    asked_at: datetime
    answer_by: datetime
    overdue_at: datetime | None


class ConsultationPicture(Struct, frozen=True, kw_only=True):
    picture_id: UUID
    media_type: str
    length_bytes: int


class ConsultationLine(Struct, frozen=True, kw_only=True):
    """A question in a list. answer_by: until when the facility is to answer (a term of this installation, not
    of the law). overdue: it is late."""

    emergency_vi: str
    emergency_en: str
    consultation_id: UUID
    facility_name: str
    to_one_doctor: bool
    state: ConsultationState
    asked_at: datetime
    answer_by: datetime
    overdue: bool


class Consultation(ConsultationLine, frozen=True, kw_only=True):
    """A question whole. Who of the facility accepted and answered stands in the access log."""

    text: str
    pictures: list[ConsultationPicture]
    accepted_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    share_code_until: datetime | None


class FacilityConsultationLine(Struct, frozen=True, kw_only=True):
    """A question in the facility's list. for_you: it is put to the reader by name."""

    emergency_vi: str
    emergency_en: str
    consultation_id: UUID
    state: ConsultationState
    for_you: bool
    asked_at: datetime
    answer_by: datetime
    overdue: bool


class FacilityConsultation(FacilityConsultationLine, frozen=True, kw_only=True):
    """A question opened. share_code: shown to who accepted it alone, while it lives; it is redeemed as every
    other (`POST /v1/doctor/share-codes/redeem`), and nothing of the record opens before."""

    person_name: str | None
    birth_date: str | None
    asked_by_relative: bool
    text: str
    pictures: list[ConsultationPicture]
    answer: str | None
    share_code: str | None
    share_code_until: datetime | None
