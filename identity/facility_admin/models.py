"""What a facility's administrators see and what brings in the first of them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from kernel.access import Role


class FacilityCode(Struct, frozen=True, kw_only=True):
    """The one code of a facility's first administrator, shown once. expires_at: it opens nothing after."""

    facility_id: UUID
    code: str
    expires_at: datetime


class Opened(Struct, frozen=True, kw_only=True):
    """A code that still counts."""

    facility_id: UUID
    facility_code: str


class OpenedRow(Struct, frozen=True):
    facility_id: UUID
    code: str | None


class Member(Struct, frozen=True):
    """One role of somebody at the facility. unit_id: where it works; active_until: when it ended or will."""

    practitioner_role_id: UUID
    practitioner_id: UUID
    name: str
    licence: str | None
    licence_until: date | None
    role: Role
    unit_id: UUID | None
    active_from: datetime
    active_until: datetime | None
    suspended_at: datetime | None


class Licensed(Struct, frozen=True):
    """An entry of the licence register, as whoever types its whole number sees it."""

    practitioner_id: UUID
    name: str
    licence: str
    licence_from: date | None
    licence_until: date | None
    suspended_at: datetime | None
    ended_at: datetime | None


class WaitingChange(Struct, frozen=True):
    """A change that one account proposed and no second one confirmed yet."""

    change_id: UUID
    kind: str
    body: str
    reason: str
    proposed_by: UUID
    proposer_name: str | None
    proposed_at: datetime


class Machine(Struct, frozen=True):
    """A system or kiosk of the facility; its secret is shown to nobody."""

    client_id: UUID
    kind: Literal["facility-system", "kiosk"]
    name: str
    created_at: datetime
    ended_at: datetime | None
