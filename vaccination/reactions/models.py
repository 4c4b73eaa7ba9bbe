"""A reaction after vaccination: what is reported, as it is kept, and as each side sees it."""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

Severity = Literal["mild", "moderate", "severe"]
ReactionKind = Literal["full", "quick"]
ReactionState = Literal["reported", "acknowledged", "closed", "withdrawn"]
ReactionAct = Literal["acknowledge", "follow-up", "tell-authority", "close", "withdraw", "add"]
Outcome = Literal["recovered", "recovering", "not-recovered", "lasting-harm", "died", "unknown"]
Site = Literal["left-arm", "right-arm", "left-thigh", "right-thigh", "mouth", "other"]
Treatment = Literal["none", "at-home", "outpatient", "hospital-stay"]
StepKind = Literal["symptoms", "follow-up"]

SYMPTOMS_MAX: Final = 22
NOTE_MAX: Final = 1000
Note = Annotated[str, Meta(min_length=1, max_length=NOTE_MAX)]
Short = Annotated[str, Meta(min_length=1, max_length=200)]

# Stands first in every answer (115: the emergency number).
EMERGENCY_VI: Final = (
    "Nếu khó thở, tím tái, co giật, ngất, sưng môi hoặc mặt, nổi mề đay khắp người: gọi 115 hoặc đến ngay cơ"
    " sở cấp cứu gần nhất. Không chờ trả lời ở đây."
)
EMERGENCY_EN: Final = (
    "Trouble breathing, blue lips, convulsions, fainting, swelling of lips or face, hives over the body: call"
    " 115 or go to the nearest emergency unit now. Do not wait for an answer here."
)
OVER_VI: Final = "Báo cáo này đã kết thúc. Có dấu hiệu mới thì gửi báo cáo mới; nếu khẩn cấp, gọi 115 ngay."
OVER_EN: Final = "This report is over. For new signs send a new report; in an emergency call 115 now."


class Symptom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sign, by its code (`…/reactions/choices`). celsius: of a fever, as measured."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    celsius: Annotated[float, Meta(ge=30, le=45)] | None = None


class UnsentDose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dose that is not in the book yet, from the slip of the facility."""

    vaccine: Short | None = None
    lot: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    given_on: date | None = None


class NewReaction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report. immunization_id: the dose, as the book names it; unsent: one that is not there yet;
    facility_id: who gave it, where the book does not say. said: how bad it is in the reporter's eyes; phone:
    where the facility may call, only if the reporter wants that."""

    symptoms: Annotated[list[Symptom], Meta(min_length=1, max_length=SYMPTOMS_MAX)]
    said: Severity
    immunization_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    unsent: UnsentDose | None = None
    facility_id: UUID | None = None
    onset_at: datetime | None = None
    site: Site | None = None
    treatment: Treatment = "none"
    note: Note | None = None
    phone: Annotated[str, Meta(pattern=r"^[0-9+]{8,15}$(?!\n)")] | None = None


class QuickReaction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something is wrong, now. The newest dose of the last days is looked up; facility_id: where the book has
    none."""

    symptoms: Annotated[list[Symptom], Meta(min_length=1, max_length=SYMPTOMS_MAX)]
    facility_id: UUID | None = None


class MoreSymptoms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It changed: all signs that there are now."""

    symptoms: Annotated[list[Symptom], Meta(min_length=1, max_length=SYMPTOMS_MAX)]
    said: Severity = "mild"
    treatment: Treatment = "none"
    note: Note | None = None


class DoseTold(Struct, frozen=True, kw_only=True):
    """The dose that is spoken of. in_book: as the book has it; else as the reporter says."""

    immunization_id: str | None
    vaccine: str | None
    lot: str | None
    given: str | None
    in_book: bool


class Content(Struct, frozen=True, kw_only=True):
    """What is kept sealed of a report."""

    dose: DoseTold | None
    symptoms: list[Symptom]
    said: Severity | None
    onset_at: datetime | None = None
    site: Site | None = None
    treatment: Treatment = "none"
    note: str | None = None
    phone: str | None = None


class StepBody(Struct, frozen=True, kw_only=True):
    """What is kept sealed of a step: new signs, or words of the facility."""

    symptoms: list[Symptom] = []
    said: Severity | None = None
    treatment: Treatment | None = None
    note: str | None = None


class ReactionRow(Struct, frozen=True):
    """One report as kept. content: sealed."""

    patient_id: UUID
    reaction_id: UUID
    kind: ReactionKind
    immunization_id: str | None
    facility_id: UUID | None
    reported_by: UUID
    severity: Severity
    state: ReactionState
    content: bytes
    reported_at: datetime
    due_at: datetime | None
    overdue_at: datetime | None
    acknowledged_at: datetime | None
    authority_told_at: datetime | None
    outcome: Outcome | None
    assessed: Severity | None
    ended_at: datetime | None


class StepRow(Struct, frozen=True):
    step_id: UUID
    kind: StepKind
    body: bytes
    added_at: datetime


class FacilityRow(Struct, frozen=True):
    """A report in the facility's list: no words, no name."""

    reaction_id: UUID
    patient_id: UUID
    severity: Severity
    urgency: int
    state: ReactionState
    reported_at: datetime
    due_at: datetime | None
    overdue_at: datetime | None
    authority_told_at: datetime | None


class LateReaction(Struct, frozen=True):
    """A severe report whose facility has not told the health department in time: nothing of what it says,
    nobody's name."""

    reaction_id: UUID
    facility_id: UUID
    facility_name: str
    state: ReactionState
    reported_at: datetime
    due_at: datetime | None
    overdue_at: datetime | None


class ReactionStep(Struct, frozen=True, kw_only=True):
    """kind: new signs from the reporter, or what the facility found and did."""

    kind: StepKind
    added_at: datetime
    symptoms: list[Symptom]
    note: str | None


class Advised(Struct, frozen=True, kw_only=True):
    """What every answer begins with. call_115: it is severe and not over; show this
    before anything else."""

    emergency_vi: str
    emergency_en: str
    call_115: bool
    severity: Severity
    advice_vi: str
    advice_en: str


class ReactionLine(Advised, frozen=True, kw_only=True):
    """A report in a list. due_at: of a severe one, until when the facility is to have told the health
    department (24 hours); overdue: it has not in time."""

    reaction_id: UUID
    kind: ReactionKind
    facility_name: str | None
    state: ReactionState
    reported_at: datetime
    due_at: datetime | None
    overdue: bool


class Ending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it ended. assessed: how severe the facility found it; a severe one is not closed before the health
    department was told."""

    outcome: Outcome
    assessed: Severity


class Reaction(ReactionLine, frozen=True, kw_only=True):
    """A report whole. dose: null where none is known; words_left_out: what was written is not kept, by the
    rules in force; the report stands without it."""

    dose: DoseTold | None
    symptoms: list[Symptom]
    onset_at: datetime | None
    site: Site | None
    treatment: Treatment
    note: str | None
    words_left_out: bool = False
    steps: list[ReactionStep]
    acknowledged_at: datetime | None
    authority_told_at: datetime | None
    outcome: Outcome | None
    assessed: Severity | None
    ended_at: datetime | None


class FacilityReactionLine(Struct, frozen=True, kw_only=True):
    reaction_id: UUID
    severity: Severity
    state: ReactionState
    reported_at: datetime
    due_at: datetime | None
    overdue: bool
    authority_told: bool


class FacilityReaction(FacilityReactionLine, frozen=True, kw_only=True):
    """A report opened by name; the person's log says who did. phone: only where the reporter gave it."""

    person_name: str | None
    birth_date: str | None
    by_relative: bool
    phone: str | None
    kind: ReactionKind
    dose: DoseTold | None
    symptoms: list[Symptom]
    said: Severity | None
    onset_at: datetime | None
    site: Site | None
    treatment: Treatment
    note: str | None
    steps: list[ReactionStep]
    acknowledged_at: datetime | None
    authority_told_at: datetime | None
    outcome: Outcome | None
    assessed: Severity | None
