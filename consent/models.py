"""What consent is made of: scopes, requests, grants."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from kernel.access import Label, RecordType, Role

Tier = Literal["A", "B", "C", "D"]
Delivery = Literal["ring", "silent", "cold", "withheld"]
RequestStatus = Literal["requested", "granted", "refused", "reported"]
EndReason = Literal["revoked", "superseded", "narrowed", "given-back"]
GrantState = Literal["live", "not-yet", "held", "expired", "revoked", "superseded", "narrowed", "given-back"]
AskingState = Literal["waiting", "granted", "ended"]
StandingKind = Literal[
    "grant",
    "delegation",
    "link",
    "share-code",
    "app",
    "emergency-card",
    "break-glass",
    "guardian",
    "proxy",
    "proxy-invitation",
]


class Scope(Struct, frozen=True, kw_only=True):
    """What of a record, for how long. since/until None: no bound on that side."""

    types: frozenset[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    labels: Label


class LiveGrant(Struct, frozen=True):
    """The columns a decision needs of a grant in force. told_on: day of the last notice of a first use.

    origins: persons merged into this one before the grant was made, whose rows were to be seen then (S10).
    sealed_person: the person's sealed column, which most reads show something of. broke_glass: the same
    practitioner opened this record here without the person's word, and that runs (security.md S24).
    """

    grant_id: UUID
    version: int
    types: list[RecordType]
    since: date | None
    until: date | None
    labels: int
    created_at: datetime
    confirmed_at: datetime | None
    told_on: date | None
    origins: list[UUID]
    sealed_person: bytes
    broke_glass: bool


class AccessRequest(Struct, frozen=True):
    """A row of access_request without its code; `expires_at` bounds the asking, not the grant."""

    patient_id: UUID
    request_id: UUID
    practitioner_id: UUID
    practitioner_role_id: UUID
    practitioner_name: str
    licence: str
    role: Role
    facility_id: UUID
    facility_name: str
    purpose: str
    types: list[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    presence: bool
    delivery: Delivery
    status: RequestStatus
    attempts: int
    created_at: datetime
    expires_at: datetime


class PractitionerRequest(Struct, frozen=True):
    """The asking side's mirror of a request. `patient_id` is a pseudo id for an unknown subject."""

    actor_id: UUID
    request_id: UUID
    patient_id: UUID
    facility_id: UUID
    created_at: datetime
    expires_at: datetime
    grant_id: UUID | None


class Grant(Struct, frozen=True):
    """A row of consent_grant as its citizen sees it. confirmed_at: said again that it stands (S16).

    narrowed_at: when this version came out of the one it supersedes; what is left was agreed at created_at.
    """

    patient_id: UUID
    grant_id: UUID
    version: int
    supersedes: UUID | None
    request_id: UUID
    practitioner_id: UUID
    practitioner_name: str
    licence: str
    facility_id: UUID
    facility_name: str
    purpose: str
    tier: Tier
    presence: bool
    types: list[RecordType]
    since: date | None
    until: date | None
    labels: int
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    confirmed_at: datetime | None = None
    narrowed_at: datetime | None = None


class PractitionerGrant(Struct, frozen=True):
    """A row of practitioner_grant: one line of a doctor's list. held: it opens nothing for now (S16)."""

    patient_id: UUID
    grant_id: UUID
    version: int
    facility_id: UUID
    purpose: str
    types: list[RecordType]
    since: date | None
    until: date | None
    starts_at: datetime
    ends_at: datetime
    held: bool


class Standing(Struct, frozen=True, kw_only=True):
    """Somebody or something that opens a record. what: types or parts, empty where it is the whole book.

    ends_with: the kind of thing whose end is this one's end too (a delegation ends with its grant). held: it
    opens nothing until the person confirms it.
    """

    kind: StandingKind
    id: UUID
    name: str
    facility: str | None
    what: list[str]
    since: datetime
    until: datetime | None
    ends_with: StandingKind | None
    held: bool = False
