"""Enrolments as staff type them in, as they are kept, and as the station reads them back."""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from ehr.entry.models import EntryPerson, EntryVitalSigns, Line, Words
from ehr.pregnancy.models import PregnancyFacts, TetanusDose

# HIV, addiction and the like are no programmes here: the gate of vietnam.md §5 lets nothing of them in.
Programme = Literal[
    "pregnancy",
    "child-nutrition",
    "school-health",
    "elderly",
    "hypertension",
    "diabetes",
    "cancer",
]
Frequency = Literal["as-it-happens", "monthly", "quarterly"]
Status = Literal["active", "ended", "withdrawn"]
EndReason = Literal[
    "completed", "discharged", "transferred", "moved-away", "declined", "birth", "pregnancy-ended"
]
RegisterNumber = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z./_-]+$(?!\n)")]
Stage = Annotated[str, Meta(min_length=1, max_length=100)]

VISITS_MAX: Final = 120


class EnrolmentBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A person who is followed. register_number: the facility's own; with it a second enrolment of the same
    number in the programme is refused. stage: the facility's own words. frequency: how often it reports;
    reported_on: until which day what it says is complete. kept_from_family: no relative sees any of it.
    """

    person: EntryPerson
    programme: Programme
    enrolled_on: date
    register_number: RegisterNumber | None = None
    stage: Stage | None = None
    next_visit_on: date | None = None
    frequency: Frequency = "as-it-happens"
    reported_on: date | None = None
    pregnancy: PregnancyFacts | None = None
    kept_from_family: bool = False


class VisitBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A follow-up visit. advice: what the person reads; tetanus: of a pregnancy alone."""

    visited_on: date
    place: Literal["facility", "home"] = "facility"
    next_visit_on: date | None = None
    stage: Stage | None = None
    advice: Words | None = None
    vital_signs: EntryVitalSigns | None = None
    tetanus: TetanusDose | None = None
    reported_on: date | None = None


class StageBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    stage: Stage
    next_visit_on: date | None = None


class EndBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """to_facility: of a transfer, by name."""

    reason: EndReason
    ended_on: date
    to_facility: Line | None = None


class Author(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who of the facility said it. licence: the practising licence, where there is one."""

    name: str
    licence: str | None = None


class VisitKept(Struct, frozen=True, kw_only=True):
    visit_id: UUID
    body: VisitBody
    recorded_by: Author


class Enrolment(Struct, kw_only=True):
    """All that stands of what the facility said of one person in one programme."""

    body: EnrolmentBody
    recorded_by: Author
    visits: list[VisitKept] = []
    end: EndBody | None = None


class EnrolmentReceipt(Struct, frozen=True, kw_only=True):
    """The same for known, unknown and conflicting persons (S19). version: 1, and one more per change."""

    enrolment_id: UUID
    version: int
    status: Status
    next_visit_on: date | None
    recorded_at: datetime
    changed_at: datetime
    visit_id: UUID | None = None


class EnrolmentShown(Struct, frozen=True, kw_only=True):
    """What this facility itself recorded, and nothing that anybody else knows."""

    receipt: EnrolmentReceipt
    enrolment: Enrolment


class EnrolmentKey(Struct, frozen=True):
    facility_id: UUID
    enrolment_id: UUID


class EnrolmentRow(Struct, frozen=True):
    enrolment_id: UUID
    patient_id: UUID | None
    programme: Programme
    status: Status
    next_visit_on: date | None
    version: int
    recorded_at: datetime
    changed_at: datetime
    sealed: bytes

    def receipt(self) -> EnrolmentReceipt:
        return EnrolmentReceipt(
            enrolment_id=self.enrolment_id,
            version=self.version,
            status=self.status,
            next_visit_on=self.next_visit_on,
            recorded_at=self.recorded_at,
            changed_at=self.changed_at,
        )


class Due(Struct, frozen=True, kw_only=True):
    """One person on the station's list. days_overdue: 0 on the day itself, negative before it; null without a
    day."""

    enrolment_id: UUID
    programme: Programme
    programme_vi: str
    name: str
    birth_date: str
    sex: Literal["male", "female", "unknown"]
    stage: str | None
    register_number: str | None
    enrolled_on: date
    last_visit_on: date | None
    next_visit_on: date | None
    days_overdue: int | None


class DuePage(Struct, frozen=True, kw_only=True):
    """Whose visit is longest overdue comes first. next: null on the last page."""

    items: list[Due]
    as_of: date
    next: str | None
