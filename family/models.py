"""Links between two people, as the decision and both sides read them."""

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct

from kernel.access import Action, Label, RecordType

# child: under 6; schoolchild: under 15, whose assent counts from 7; youth: under 18; adult.
Band = Literal["child", "schoolchild", "youth", "adult"]
Relation = Literal["guardian", "proxy"]
# How a guardian was proven.
Proof = Literal["birth-note", "facility-attested", "court-document", "identity-provider"]
# What two accounts attest of a pair. ward: a court named who acts for an adult who cannot.
Attested = Literal["link", "bar", "unbar", "ward", "end-ward"]
Scope = Literal["appointments", "reminders", "vitals", "read-record", "add-to-record", "consent"]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
# Who says that a child of 7 or more agrees.
AssentMethod = Literal["own-device", "guardian-attested", "doctor-attested"]


class LinkRow(Struct, frozen=True):
    """Everything about one pair at the end of the person acted for, whose key opens the sealed cell.

    birth_since, guardian_since, proxy_since: since when such a link stands, proven last; None: it does not.
    """

    state: str
    demographics: bytes
    birth_since: datetime | None
    barred: bool
    guardian_since: datetime | None
    guardian_disputed: bool
    ticked: int
    proxy_since: datetime | None
    proxy_disputed: bool
    scopes: list[str]
    proxy_until: datetime | None
    by_court: bool


class GuardianLinkRow(LinkRow, frozen=True):
    """The same of a person and one who stands as a guardian of it."""

    patient_id: UUID
    guardian_id: UUID


class FamilyLink(Struct, frozen=True, kw_only=True):
    """A link in force now, and what age makes of it. birth_date: FHIR partial date of the dependent.

    ticked: sensitive labels that a youth lets the guardian see. disputed: nobody writes by it until it is
    settled. by_court: a proxy whom a court named, not the person. sealed_person: the dependent's sealed
    column, which the same statement read.
    """

    relation: Relation
    band: Band
    birth_date: str | None
    scopes: frozenset[Scope] = frozenset()
    until: datetime | None = None
    ticked: Label = Label.NONE
    disputed: bool = False
    by_court: bool = False
    sealed_person: bytes | None = None


class Part(Struct, frozen=True, kw_only=True):
    """What a link lets do. types None: every type."""

    actions: frozenset[Action]
    types: frozenset[RecordType] | None = None
    withheld: Label


class Guardianship(Struct, frozen=True):
    """One guardian in force at the child's end."""

    guardian_id: UUID


class WaitingRow(Struct, frozen=True):
    """A guardian who was attested beside another one, and from when on that counts."""

    guardian_id: UUID
    starts_at: datetime


class ProxyRow(Struct, frozen=True):
    """A proxy at the end of the person it acts for."""

    patient_id: UUID
    proxy_id: UUID
    link_id: UUID
    scopes: list[str]
    since: datetime
    until: datetime


class GuardianRow(Struct, frozen=True):
    """A guardian at the child's end. proof: how it was proven."""

    patient_id: UUID
    guardian_id: UUID
    link_id: UUID
    proof: Proof
    since: datetime
    ticked: int


class MirrorRow(Struct, frozen=True):
    """The same link at the end of who acts."""

    patient_id: UUID
    dependent_id: UUID
    link_id: UUID
    since: datetime


class Found(Struct, frozen=True):
    """Which invitation of whom a code is."""

    patient_id: UUID
    invitation_id: UUID


class InvitationRow(Struct, frozen=True):
    """An invitation at the end of the person who made it; accepting uses it up.

    for_number: sealed, who alone may accept; None: whoever has the code.
    """

    patient_id: UUID
    invitation_id: UUID
    scopes: list[str]
    until: datetime
    created_at: datetime
    expires_at: datetime
    for_number: bytes | None


class DeskProposalRow(Struct, frozen=True):
    """What the first account of a desk proposed for somebody without a phone. for_number: sealed."""

    proposal_id: UUID
    patient_id: UUID
    scopes: list[Scope]
    until: datetime
    for_number: bytes
    facility_id: UUID


class ProposalRow(Struct, frozen=True):
    """What the first account of a facility proposed about a pair. document: of a court, sealed for the person
    acted for."""

    proposal_id: UUID
    kind: Attested
    proof: Proof
    patient_id: UUID
    guardian_id: UUID
    facility_id: UUID
    proposed_by: UUID
    document: bytes | None
