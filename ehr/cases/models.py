"""A case: what a person says about the own book, and how far it is."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

Kind = Literal["correction", "not-mine", "missing-visit"]
CaseState = Literal[
    "open",
    "acknowledged",
    "refused",
    "corrected",
    "detached",
    "restored",
    "arrived",
    "withdrawn",
    "accepted",
]
# reply changes nothing; supersede, arrive and resend are done by the service when data come.
Act = Literal[
    "open",
    "acknowledge",
    "reply",
    "refuse",
    "resolve",
    "supersede",
    "arrive",
    "resend",
    "withdraw",
    "accept",
    "reopen",
]
Side = Literal["person", "facility", "service"]


class CaseRow(Struct, frozen=True):
    """One case as kept. about, body: sealed texts of the person. facility_told: the facility has it."""

    patient_id: UUID
    case_id: UUID
    kind: Kind
    state: CaseState
    facility_id: UUID
    rtype: str | None
    item_id: str | None
    item_version: int | None
    superseded_version: int | None
    visit_on: date | None
    check_in_id: UUID | None
    by_service: bool
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    acknowledged_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    overdue_at: datetime | None
    about: bytes
    body: bytes
    facility_told: bool


class About(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a case is about, as it stood when the case was opened: all that a facility needs to find it.

    unit: the facility's own key of the episode. demographics: what it reports of the person.
    """

    title: str = ""
    date: str | None = None
    unit: str | None = None
    demographics: bool = False
    whole_facility: bool = False


class StepRow(Struct, frozen=True):
    """One act on a case."""

    step: int
    at: datetime
    act: Act
    state: CaseState
    side: Side
    note: bytes | None


class EvidenceRow(Struct, frozen=True):
    """One picture of a case; length in bytes."""

    evidence_id: UUID
    blob_of: UUID
    blob_id: UUID
    media_type: str
    length_bytes: int
    added_at: datetime


class FacilityCaseRow(Struct, frozen=True):
    """A case in the list of the facility that answers."""

    case_id: UUID
    patient_id: UUID
    kind: Kind
    state: CaseState
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    overdue_at: datetime | None


class OverdueRow(Struct, frozen=True):
    """A case in the department's list: nothing of what it is about, and of nobody."""

    case_id: UUID
    kind: Kind
    state: CaseState
    facility_id: UUID
    facility_name: str
    opened_at: datetime
    overdue_at: datetime


class AwaitedRow(Struct, frozen=True):
    """A visit whose data did not come, as kept."""

    case_id: UUID
    facility_id: UUID
    facility_name: str
    visit_on: date


class Awaited(Struct, frozen=True, kw_only=True):
    """A visit whose data have not come. since: the day of the visit."""

    case_id: UUID
    facility_name: str
    since: date
    text_vi: str


class NewCase(Struct, frozen=True, kw_only=True):
    """What a person asks. item_id: the entry; without it, a correction is about the person's details as the
    facility reports them, and "not mine" about everything it sent. visit_on: of a missing visit."""

    kind: Kind
    text: str
    item_id: str | None = None
    facility_id: UUID | None = None
    visit_on: date | None = None
