"""People, staff, facilities and devices as the rest of the program sees them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from kernel.access import Role

Sex = Literal["male", "female", "unknown"]
IdentifierState = Literal["self-declared", "facility-reported", "verified"]
NumberStatus = Literal["live", "replaced", "cancelled"]
PersonState = Literal["active", "death-reported", "frozen", "merged", "closed", "erasing"]
IdentifierKind = Literal[
    "national-id",  # 12 digits
    "insurance-card",  # 15 characters, BHYT
    "insurance-number",  # 10 digits, BHXH
    "old-id",  # 9 digits, CMND
    "passport",
    "facility-patient-id",  # a facility's own number, known only to that facility
]


class Demographics(Struct, frozen=True, kw_only=True):
    """What a person's sealed row holds. birth_date: FHIR partial date, 'YYYY', 'YYYY-MM' or full.

    commune: its code as a sender wrote it, for statistics.
    """

    name: str | None = None
    birth_date: str | None = None
    sex: Sex | None = None
    address: str | None = None
    commune: str | None = None
    mother_number: str | None = None


class CitizenRow(Struct, frozen=True):
    patient_id: UUID
    level: int
    state: PersonState
    demographics: bytes
    created_at: datetime


class NamedRow(Struct, frozen=True):
    patient_id: UUID
    demographics: bytes


class PersonCard(Struct, frozen=True, kw_only=True):
    """The person as shown to the person and to whoever an Access lets read.

    birth_date is given at its own precision (year, month, day).
    """

    patient_id: UUID
    name: str | None
    birth_date: str | None
    birth_precision: Literal["year", "month", "day"] | None
    sex: Sex
    address: str | None
    level: int
    state: PersonState


class IdentifierRow(Struct, frozen=True):
    """The owner of an identifier, found by its keyed hash."""

    patient_id: UUID
    state: Literal["facility-reported", "verified"]
    valid_from: date | None
    valid_until: date | None
    status: NumberStatus = "live"


class OwnIdentifierRow(Struct, frozen=True):
    kind: str
    value: bytes
    state: IdentifierState
    valid_from: date | None
    valid_until: date | None
    status: NumberStatus = "live"


class OwnIdentifier(Struct, frozen=True, kw_only=True):
    """status: replaced and cancelled numbers lead to older files and prove nothing new."""

    kind: str
    value: str
    state: IdentifierState
    status: NumberStatus = "live"
    valid_from: date | None = None
    valid_until: date | None = None


class PhoneRow(Struct, frozen=True):
    """sign-up: of an account that nobody's identity stands behind; letters alone go there."""

    phone_hash: bytes
    role: Literal["contact", "login", "sign-up"]
    value: bytes
    changed_at: datetime
    last_used_at: datetime


class LoginPhone(Struct, frozen=True, kw_only=True):
    """The one phone that codes go to. changed_at starts the 72 hours without SMS codes (consent.md §8)."""

    phone_hash: bytes
    number: str
    changed_at: datetime


class Facility(Struct, frozen=True):
    """short_name: ≤ 20 characters for SMS; discreet_name: what tickets and lock screens may show (S23)."""

    facility_id: UUID
    name: str
    short_name: str
    discreet_name: str
    opened_at: datetime
    closed_at: datetime | None


class PractitionerName(Struct, frozen=True):
    practitioner_id: UUID
    name: str


class Practitioner(Struct, frozen=True):
    """An entry of the licence register; staff without a licence (clerks) have None."""

    practitioner_id: UUID
    user_name: str
    name: str
    licence: str | None
    licence_from: date | None
    licence_until: date | None
    suspended_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class RoleRow(Struct, frozen=True):
    """A PractitionerRole with all that decides whether it is in force."""

    practitioner_role_id: UUID
    practitioner_id: UUID
    role: Role
    active_from: datetime
    active_until: datetime | None
    name: str
    licence: str | None
    licence_from: date | None
    licence_until: date | None
    suspended_at: datetime | None
    ended_at: datetime | None
    facility_id: UUID
    facility_name: str
    facility_short: str
    facility_closed_at: datetime | None


class PractitionerCard(Struct, frozen=True, kw_only=True):
    """Who asks: shown to the citizen before a decision and in the access log."""

    practitioner_role_id: UUID
    practitioner_id: UUID
    name: str
    licence: str | None
    role: Role
    facility_id: UUID
    facility_name: str
    facility_short: str
    active: bool


class Operator(Struct, frozen=True):
    operator_id: UUID
    user_name: str
    name: str
    created_at: datetime
    ended_at: datetime | None


class ClientRow(Struct, frozen=True):
    client_id: UUID
    facility_id: UUID
    kind: Literal["facility-system", "kiosk"]
    name: str
    secret_hash: bytes
    ended_at: datetime | None


class DeviceRow(Struct, frozen=True):
    patient_id: UUID
    device_id: UUID
    kind: Literal["app", "browser"]
    name: bytes
    refresh_key: str
    step_up_key: str
    sign_count: int
    hotp_secret: bytes
    enrolled_at: datetime
    probation_until: datetime
    ended_at: datetime | None


class Device(Struct, frozen=True, kw_only=True):
    """An enrolled device as its owner sees it. credential_id: of a browser's key, base64url."""

    device_id: UUID
    kind: Literal["app", "browser"]
    name: str
    enrolled_at: datetime
    probation_until: datetime
    credential_id: str | None = None


class UndoRow(Struct, frozen=True):
    """PIN and login phone that an activation replaced."""

    pin_hash: str
    phone_hash: bytes | None
    recorded_at: datetime


class SessionRow(Struct, frozen=True):
    actor_id: UUID
    session_id: UUID
    device_id: UUID | None
    access_until: datetime
    refresh_hash: bytes | None
    previous_refresh_hash: bytes | None
    rotated_at: datetime | None
    rotated_iat: int | None
    expires_at: datetime
    ended_at: datetime | None


class KeylessRow(Struct, frozen=True):
    """A browser that is signed in without a key."""

    session_id: UUID
    started_at: datetime
    expires_at: datetime


class LiveSession(Struct, frozen=True):
    """A session of the presented token, joined with everything that can end it."""

    actor_id: UUID
    session_id: UUID
    kind: Literal["citizen", "practitioner", "facility-system", "kiosk", "operator"]
    device_id: UUID | None
    practitioner_role_id: UUID | None
    idle_until: datetime | None
    proven_at: datetime | None
    level: int | None
    person_state: PersonState | None
    probation_until: datetime | None
    device_ended_at: datetime | None
    client_facility_id: UUID | None
    client_name: str | None
    client_ended_at: datetime | None
    client_facility_name: str | None
    client_facility_closed_at: datetime | None
    operator_name: str | None
    operator_ended_at: datetime | None
    factors_reset_at: datetime | None
    practitioner_id: UUID | None
    role: Role | None
    active_from: datetime | None
    active_until: datetime | None
    name: str | None
    licence: str | None
    licence_from: date | None
    licence_until: date | None
    suspended_at: datetime | None
    ended_at: datetime | None
    facility_id: UUID | None
    facility_name: str | None
    facility_short: str | None
    facility_closed_at: datetime | None
    held: bool
    origins: list[UUID]
    sealed_person: bytes | None
    holds_from: list[datetime]
    holds_until: list[datetime]


class CredentialRow(Struct, frozen=True):
    actor_id: UUID
    password_hash: str
    totp_secret: bytes
    totp_last_step: int
    usable_from: datetime


class ChallengeRow(Struct, frozen=True):
    """A sign-in challenge after one of its tries was charged."""

    patient_id: UUID
    phone_hash: bytes
    pepper_id: str
    code_hash: bytes
    attempts: int


class ChallengeDelivery(Struct, frozen=True):
    patient_id: UUID
    phone_hash: bytes
    code: bytes | None
    expires_at: datetime


class ActivationRow(Struct, frozen=True):
    activation_id: UUID
    patient_id: UUID
    facility_id: UUID
    phone: bytes
    expires_at: datetime


class BudgetRow(Struct, frozen=True):
    window_start: datetime
    used: int


class ChangeRow(Struct, frozen=True):
    change_id: UUID
    kind: str
    facility_id: UUID | None
    body: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime


class MadeChange(Struct, frozen=True):
    """A change as whoever proposed or confirmed it finds it again."""

    kind: str
    facility_id: UUID | None
    created_id: UUID | None
