"""Who acts, and what a decision let them see.

`Access` is the one key to a record: every read function takes it first, and only
`consent/decision.py` makes one (tests/test_house.py holds that).
"""

from contextvars import ContextVar
from datetime import date, datetime
from enum import IntFlag
from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct

# bearer: whoever holds a code that the person gave out; nobody knows who. app: an OAuth client, a partner's
# system or an app that people choose; its name is the client's.
ActorKind = Literal["citizen", "practitioner", "facility-system", "kiosk", "operator", "job", "bearer", "app"]

Role = Literal[
    "doctor",
    "pharmacist",
    "vaccinator",
    "nurse",
    "clerk",
    "facility-admin",
    "registry-officer",
    "privacy-officer",
    "department-analyst",
    "hotline-agent",
]

Basis = Literal[
    "self",
    "guardian",
    "proxy",
    "grant",
    "break-glass",
    "facility-own-episode",
    "share-link",
    "prescription",
    "partner",
    "job",
]

# Closed list; a write names the act, a read names what is opened.
Action = Literal[
    "read-summary",
    "read-section",
    "read-timeline",
    "read-trend",
    "search",
    "read-document",
    "print-paper",
    "issue-certificate",
    "read-access-log",
    "look-at-log",
    "read-notifications",
    "read-account",
    "identify",
    "answer-request",
    "guard-grants",
    "manage-grants",
    "confirm-grants",
    "manage-devices",
    # Phone, PIN, and which device is trusted: on no probation (security.md S8).
    "change-factors",
    "read-changes",
    "export-record",
    "manage-record",
    "flag-safety",
    "manage-family",
    "link-family",
    "make-proxy",
    "assent",
    "open-case",
    "manage-emergency-card",
    "read-emergency-card",
    "manage-purposes",
    "manage-wishes",
    "read-wishes",
    "manage-rights",
    "ask-erasure",
    "close-account",
    "share-record",
    "read-shared",
    "read-prescriptions",
    "dispense",
    "read-coverage",
    "read-costs",
    "read-referrals",
    "add-to-record",
    "consult",
    "verify-statement",
    "dismiss-finding",
    "manage-reminders",
    "write-vitals",
    "delete-vitals",
    "manage-notices",
    "read-unanswered",
    "manage-appointments",
    "check-in",
    "manage-alerts",
    "set-alert-rules",
    # The person lets an app or a partner in; what such a client may do then.
    "connect-app",
    "read-by-app",
]

# The four groups of a partner's data set (QĐ 31/QĐ-BYT 2026, art. 2 k3): who the person is, the history, each
# encounter, the summaries.
PartnerGroup = Literal["administrative", "history", "encounters", "summary"]
PARTNER_GROUPS: tuple[PartnerGroup, ...] = get_args(PartnerGroup)

# What a grant can name (SMART v2 resource types; Observation by category, consent.md §4).
RecordType = Literal[
    "AllergyIntolerance",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "Immunization",
    "Observation.laboratory",
    "Observation.vital-signs",
    "Observation.pregnancy",
    # What the person's own devices and hands measured (docs/vitals.md): opt-in by name, and in no summary.
    "Observation.wearable",
    "Observation.other",
    "DiagnosticReport",
    "ImagingStudy",
    "Procedure",
    "Encounter",
    "CarePlan",
    "Device",
    "DocumentReference",
    "FamilyMemberHistory",
    "QuestionnaireResponse",
    "Other",
]
RECORD_TYPES: frozenset[RecordType] = frozenset(get_args(RecordType))

# What breaking the glass opens beside whole types: single facts, blood group and implants of any time
# (IPS safety set, consent.md §5), and what the person leaves out of whole types. No grant names them.
SafetyFact = Literal["safety.blood-group", "safety.implants", "except.blood-group"]


class Label(IntFlag):
    """Sensitivity labels of a resource (HL7 v3-ActCode), stored as a bit mask."""

    NONE = 0
    HIV = 1
    ETH = 2
    PSY = 4
    SEX = 8
    STD = 16
    SDV = 32
    GDIS = 64
    # Unlabelled content of a sensitive department: withheld until somebody labels it (fail closed).
    RESTRICTED = 128


ALL_LABELS = Label(255)


class Actor(Struct, frozen=True, kw_only=True):
    """The signed-in party of one request, re-read from the database on every request.

    For a citizen `actor_id` is the person's own patient_id. A practitioner carries the chosen
    PractitionerRole; `name` and `licence` are what the citizen's access log shows. factors_reset_at:
    grants made before somebody replaced the practitioner's factors are held (security.md S16). held: a
    merge of persons was decided since this device was proven, so it opens nothing (S10); origins: the
    persons merged into this one whose rows are to be seen. sealed_person: the own row's sealed column, opened
    where the person acts for another and the log names who did; holds: what merges hold of this person,
    from and until, both included. reference: the one consent that an app's token is bound to; None where each
    call names its own. scope: what an app's token may do, in the words of its client. proven: an identity
    provider said at this session's door who the person is (decisions/0013-page-sessions.md).
    """

    kind: ActorKind
    actor_id: UUID
    session_id: UUID | None = None
    name: str = ""
    level: int = 0
    device_id: UUID | None = None
    probation: bool = False
    practitioner_role_id: UUID | None = None
    role: Role | None = None
    licence: str | None = None
    facility_id: UUID | None = None
    facility_name: str | None = None
    factors_reset_at: datetime | None = None
    held: bool = False
    origins: frozenset[UUID] = frozenset()
    sealed_person: bytes | None = None
    holds: tuple[tuple[datetime, datetime], ...] = ()
    reference: UUID | None = None
    scope: str = ""
    proven: bool = False


class Access:
    """A decision in force for one request: what of whose record, for whom, on what basis.

    types: None means every type. since/until bound events by date; allergies, active conditions,
    active medicines and immunizations are exempt from them (consent.md §4). Rows that carry any
    of `withheld_labels` do not exist for this access. origins: the persons merged into this one whose
    rows it covers; rows that came from another person do not exist without it (security.md S10).
    sealed_person: the person's sealed column, where the decision's own statement read it along.
    """

    __slots__ = (
        "action",
        "actor",
        "basis",
        "basis_id",
        "basis_version",
        "on_behalf_of",
        "origins",
        "patient_id",
        "purpose",
        "sealed_person",
        "since",
        "types",
        "until",
        "withheld_labels",
    )

    patient_id: UUID
    actor: Actor
    on_behalf_of: UUID | None
    action: Action
    purpose: str
    basis: Basis
    basis_id: UUID | None
    basis_version: int | None
    types: frozenset[RecordType | SafetyFact] | None
    since: date | None
    until: date | None
    withheld_labels: Label
    origins: frozenset[UUID]
    sealed_person: bytes | None

    def __init__(self) -> None:
        raise TypeError("only consent/decision.py makes an Access")

    @property
    def is_own(self) -> bool:
        """True where the person's own hands hold the answer."""
        return self.basis == "self"


# The last decision of the request that is being answered; the edge of the API counts by it (audit/answered).
DECIDED: ContextVar[Access | None] = ContextVar("decided", default=None)


def mint_access(
    *,
    patient_id: UUID,
    actor: Actor,
    action: Action,
    purpose: str,
    basis: Basis,
    basis_id: UUID | None = None,
    basis_version: int | None = None,
    on_behalf_of: UUID | None = None,
    types: frozenset[RecordType | SafetyFact] | None = None,
    since: date | None = None,
    until: date | None = None,
    withheld_labels: Label = Label.NONE,
    origins: frozenset[UUID] = frozenset(),
    sealed_person: bytes | None = None,
) -> Access:
    """Make an Access. Called by consent/decision.py alone."""
    access = object.__new__(Access)
    access.patient_id, access.actor, access.on_behalf_of = patient_id, actor, on_behalf_of
    access.action, access.purpose = action, purpose
    access.basis, access.basis_id, access.basis_version = basis, basis_id, basis_version
    access.types, access.since, access.until = types, since, until
    access.withheld_labels = withheld_labels
    access.origins = origins
    access.sealed_person = sealed_person
    DECIDED.set(access)
    return access
