"""Rows of broken glass, as the person, the practitioner and the reviewer see them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

# Closed lists. The design asks for codes and names none: these are ours.
Reason = Literal[
    "unconscious",
    "cardiac-arrest",
    "severe-trauma",
    "anaphylaxis",
    "acute-confusion",
    "cannot-communicate",
    "child-alone",
    "mass-casualty",
]
SafetyFlag = Literal["suspected-abuse", "self-harm-risk", "shared-phone"]
DisputeReason = Literal["not-there", "not-needed", "not-me", "other"]
Verdict = Literal["justified", "not-justified", "misuse"]
# What a person may leave out; allergies are always there (consent.md §5).
Category = Literal["problems", "medicines", "blood-group", "implants", "pregnancy", "results", "imaging"]
CosignAct = Literal["open", "extend", "labels"]
ReviewKind = Literal["first", "second"]


class Emergency(Struct, frozen=True):
    """One opening. in force: co-signed where needs_cosign, ended_at NULL, and before ends_at."""

    patient_id: UUID
    emergency_id: UUID
    version: int
    practitioner_id: UUID
    practitioner_name: str
    licence: str
    facility_id: UUID
    facility_name: str
    unit_id: UUID
    unit_name: str
    reason: Reason
    safety_flag: SafetyFlag | None
    told_from: datetime
    opened_at: datetime
    ends_at: datetime
    arrival_by: datetime | None
    needs_cosign: bool
    cosigned_at: datetime | None
    extended_at: datetime | None
    labels: int
    labels_at: datetime | None
    ended_at: datetime | None
    end_reason: Literal["person", "dispute"] | None
    disputed_at: datetime | None
    dispute: DisputeReason | None
    verdict: Verdict | None
    reviewed_at: datetime | None


class LiveEmergency(Struct, frozen=True):
    """What the decision needs of an opening in force. origins: as of a grant (security.md S10)."""

    emergency_id: UUID
    version: int
    labels: int
    opened_at: datetime
    told_today: bool
    withheld: list[str]
    origins: list[UUID]


class Signers(Struct, frozen=True):
    """Who had a hand in an opening and so cannot review it."""

    practitioner_id: UUID
    cosigned_by: UUID | None
    extended_by: UUID | None
    labels_by: UUID | None


class Review(Struct, frozen=True):
    """An opening as its reviewer's facility keeps it; a second reading stands at another one.

    closed_before_by: who closed it before a dispute opened it again.
    """

    facility_id: UUID
    emergency_id: UUID
    kind: ReviewKind
    patient_id: UUID
    practitioner_id: UUID
    practitioner_name: str
    unit_id: UUID
    unit_name: str
    opened_at: datetime
    ends_at: datetime
    needs_cosign: bool
    due_at: datetime
    disputed_at: datetime | None
    closed_at: datetime | None
    verdict: Verdict | None
    closed_before_by: UUID | None = None


class Overdue(Struct, frozen=True):
    """What the health department sees of a review that is late: nobody's name and nothing clinical."""

    emergency_id: UUID
    facility_id: UUID
    facility_name: str | None
    kind: ReviewKind
    opened_at: datetime
    due_at: datetime
    is_disputed: bool


class Awaited(Struct, frozen=True):
    """An opening of one's own whose arrival had still to come."""

    emergency_id: UUID
    patient_id: UUID
    facility_id: UUID
    opened_at: datetime
    arrival_by: datetime | None
