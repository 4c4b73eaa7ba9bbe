"""A form and a declaration as kept, and as each side sees them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from visits.declarations.fhir import Questionnaire, QuestionnaireResponse

FormState = Literal["proposed", "published", "ended"]
VisitKind = Literal["check-in", "booking"]
FormCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$(?!\n)")]
Why = Annotated[str, Meta(min_length=5, max_length=300)]


class FormRow(Struct, frozen=True):
    """One version of a form as kept. facility_id None: for every facility. body: the Questionnaire as it was
    proposed. version: from publication on."""

    form_id: UUID
    facility_id: UUID | None
    code: str
    version: int | None
    title: str
    body: str
    reason: str
    state: FormState
    proposed_by: UUID
    proposed_at: datetime
    published_by: UUID | None
    published_at: datetime | None
    ended_at: datetime | None


class DeclarationRow(Struct, frozen=True):
    """One declaration as kept. answers: a sealed QuestionnaireResponse. declared_by: the person, or who acted
    in their place. visit_on: the visit's day in Vietnam."""

    patient_id: UUID
    declaration_id: UUID
    form_id: UUID
    facility_id: UUID
    visit_kind: VisitKind
    visit_id: UUID
    visit_on: date
    declared_by: UUID | None
    answers: bytes
    declared_at: datetime


class Visit(Struct, frozen=True):
    """A check-in or a booking as its person keeps it. at: when it was, or begins; ends_at: of a booking.
    is_live: neither withdrawn nor over by its state."""

    patient_id: UUID
    visit_id: UUID
    facility_id: UUID
    unit_id: UUID | None
    at: datetime
    ends_at: datetime
    is_live: bool


class NewForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version to be published by somebody else. code: which form it is a version of. reason: stands in the
    operators' chain; nobody's name in it."""

    code: FormCode
    reason: Why
    questionnaire: Questionnaire


class FormLine(Struct, frozen=True, kw_only=True):
    """A form in a list. facility_id null: for every facility. version null: not published yet."""

    form_id: UUID
    facility_id: UUID | None
    code: str
    version: int | None
    title: str
    state: FormState
    proposed_at: datetime
    published_at: datetime | None


class FormOpened(FormLine, frozen=True, kw_only=True):
    """A form whole. questionnaire: FHIR R4, with the id, url, version and status that we gave it."""

    questionnaire: Questionnaire


class DeclarationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is declared for one visit: `check_in_id` or `booking_id`, one of them. form_id: the version that
    was shown; answers: FHIR R4."""

    form_id: UUID
    check_in_id: UUID | None = None
    booking_id: UUID | None = None
    answers: QuestionnaireResponse


class Declaration(Struct, frozen=True, kw_only=True):
    """A declaration in a list. by_relative: somebody else made it."""

    declaration_id: UUID
    form_id: UUID
    form_code: str
    form_version: int
    title: str
    facility_id: UUID
    visit_kind: VisitKind
    visit_id: UUID
    visit_on: date
    by_relative: bool
    declared_at: datetime


class DeclarationOpened(Declaration, frozen=True, kw_only=True):
    """A declaration with its answers, for the person and for whoever gave them; for others without."""

    answers: QuestionnaireResponse | None


class FacilityDeclaration(Declaration, frozen=True, kw_only=True):
    """A declaration as the facility of the visit reads it, with whose it is."""

    person_name: str | None
    birth_date: str | None
    answers: QuestionnaireResponse


class Checked(Struct, frozen=True):
    """What fits and is not kept yet: the gate has to hear its words first."""

    form: FormRow
    questionnaire: Questionnaire
    visit: Visit
    visit_kind: VisitKind
    body: DeclarationBody
