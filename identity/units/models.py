"""Units of the register, and what a clinician on duty in one must show."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

UnitKind = Literal["emergency", "department"]
Specialty = Annotated[str, Meta(max_length=40)]
UnitName = Annotated[str, Meta(min_length=1, max_length=100)]
DiscreetName = Annotated[str, Meta(min_length=1, max_length=60)]


class NewUnit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """name: as the facility calls it, shown to people whose book was opened there. specialty: a code of
    specialties.json. A unit is sensitive where the facility, its specialty or its name says so."""

    facility_id: UUID
    kind: UnitKind
    name: UnitName
    specialty: Specialty | None = None
    is_sensitive: bool = False
    discreet_name: DiscreetName | None = None


class Department(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A department as its facility describes it. specialty: a code of specialties.json. is_sensitive: stays
    as long as the department is open."""

    name: UnitName
    specialty: Specialty | None = None
    is_sensitive: bool = False
    discreet_name: DiscreetName | None = None


class ClosedUnit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    unit_id: UUID
    facility_id: UUID


class RoleUnit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a role works from now on. unit_id null: in no unit."""

    practitioner_role_id: UUID
    facility_id: UUID
    unit_id: UUID | None


class RestoredEmergency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose right to break the glass comes back after a suspension."""

    practitioner_id: UUID


class Unit(Struct, frozen=True):
    """As the register has it: for the facility's own people."""

    unit_id: UUID
    facility_id: UUID
    kind: UnitKind
    name: str
    specialty: str | None
    is_sensitive: bool
    discreet_name: str | None


class UnitNature(Struct, frozen=True):
    """What others must know of a unit, open or closed. shown_name: what pushes, SMS, tickets and letters say:
    the discreet name where it is sensitive."""

    unit_id: UUID
    name: str
    shown_name: str
    is_sensitive: bool
    specialty: str | None


class Duty(Struct, frozen=True):
    """What the register and the session say of a clinician now. unit_id: an open emergency unit of the
    facility that the role works in; proven_at: when a factor was last shown in this session."""

    unit_id: UUID | None
    unit_name: str | None
    suspended_at: datetime | None
    proven_at: datetime
