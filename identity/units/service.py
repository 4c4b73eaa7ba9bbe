"""Units of a facility: departments and emergency units; who works in an emergency unit, who proved again who
they are, and whose right is suspended (S24)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from identity.problems import (
    DISCREET_NAME_TELLS,
    NOT_IN_REGISTER,
    SPECIALTY_UNKNOWN,
    UNIT_UNKNOWN,
    UNITS_FULL,
)
from identity.units import queries
from identity.units.models import ClosedUnit, Department, Duty, NewUnit, RoleUnit, Unit, UnitNature
from identity.units.specialties import by_code, is_sensitive, is_sensitive_name
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

# Ours: more than the largest hospital has; a list of all stays one answer.
UNITS_MAX: Final = 300
NO_NAME: Final = "Phòng khám"  # a sensitive unit that has no discreet name of its own


async def add_unit(tx: Tx, new: NewUnit, now: datetime) -> UUID:
    """Enter a unit of a facility. Returns unit_id."""
    unit_id = uuid7(now)
    sensitive = new.is_sensitive or is_sensitive(new.name, new.specialty)
    await queries.INSERT_UNIT.run(
        tx,
        unit_id,
        new.facility_id,
        new.kind,
        new.name,
        now,
        new.specialty,
        sensitive,
        new.discreet_name,
    )
    return unit_id


async def open_department(tx: Tx, facility_id: UUID, new: Department, now: datetime) -> Unit | Refused:
    """A department carries no right, so one administrator opens it.

    Refused: specialty-unknown, discreet-name-tells, units-full."""
    made = NewUnit(
        facility_id=facility_id,
        kind="department",
        name=new.name,
        specialty=new.specialty,
        is_sensitive=new.is_sensitive,
        discreet_name=new.discreet_name,
    )
    unit_id = await enter_unit(tx, made, now)
    if isinstance(unit_id, Refused):
        return unit_id
    return (await queries.UNITS_BY_ID.all(tx, facility_id, [unit_id]))[0]


async def enter_unit(tx: Tx, new: NewUnit, now: datetime) -> UUID | Refused:
    """`add_unit` within what a facility may have.

    Refused: specialty-unknown, discreet-name-tells, units-full; not-in-register where there is no such
    facility.
    """
    refused = judge(new)
    if refused is not None:
        return refused
    if await queries.HOLD_FACILITY.one(tx, new.facility_id) is None:
        return Refused(problem=NOT_IN_REGISTER, where="facility_id")
    if (await queries.COUNT_UNITS.one(tx, new.facility_id) or 0) >= UNITS_MAX:
        return Refused(problem=UNITS_FULL)
    return await add_unit(tx, new, now)


async def change_department(tx: Tx, facility_id: UUID, unit_id: UUID, new: Department) -> Unit | Refused:
    """Name it anew. A sensitive department stays one: what happened there was withheld for a reason.

    Refused: specialty-unknown, discreet-name-tells, unit-unknown.
    """
    refused = judge(new)
    if refused is not None:
        return refused
    sensitive = new.is_sensitive or is_sensitive(new.name, new.specialty)
    changed = await queries.CHANGE_UNIT.one(
        tx, facility_id, unit_id, new.name, new.specialty, sensitive, new.discreet_name
    )
    return changed if changed is not None else Refused(problem=UNIT_UNKNOWN)


async def close_department(tx: Tx, facility_id: UUID, unit_id: UUID, now: datetime) -> Refused | None:
    """Close a department; an emergency unit takes two people. Refused: unit-unknown."""
    closed = await queries.CLOSE_DEPARTMENT.one(tx, facility_id, unit_id, now)
    return None if closed is not None else Refused(problem=UNIT_UNKNOWN)


async def page_of(tx: Tx, facility_id: UUID, after: UUID | None, limit: int) -> list[Unit]:
    """Open units of a facility, oldest first, after the last one of the page before."""
    return await queries.UNITS_OF_FACILITY.all(tx, facility_id, after, limit)


def judge(new: Department | NewUnit) -> Refused | None:
    """What is wrong with a description by itself. Refused: specialty-unknown, discreet-name-tells."""
    if new.specialty is not None and new.specialty not in by_code():
        return Refused(problem=SPECIALTY_UNKNOWN, where="specialty")
    if new.discreet_name is not None and is_sensitive_name(new.discreet_name):
        return Refused(problem=DISCREET_NAME_TELLS, where="discreet_name")
    return None


async def close_unit(tx: Tx, closed: ClosedUnit, now: datetime) -> Refused | None:
    """Close a unit: what was opened from it is refused at the next request."""
    if await queries.CLOSE_UNIT.one(tx, closed.unit_id, closed.facility_id, now) is None:
        return Refused(problem=NOT_IN_REGISTER)
    return None


async def set_unit(tx: Tx, placed: RoleUnit) -> Refused | None:
    """Say which unit a role works in; unit and role belong to the named facility."""
    unit = placed.unit_id
    if unit is not None and await queries.OPEN_UNIT.one(tx, unit, placed.facility_id) is None:
        return Refused(problem=NOT_IN_REGISTER)
    if await queries.SET_ROLE_UNIT.one(tx, placed.practitioner_role_id, placed.facility_id, unit) is None:
        return Refused(problem=NOT_IN_REGISTER)
    return None


async def units_of(tx: Tx, facility_id: UUID) -> list[Unit]:
    """All open units of a facility, oldest first; no facility has more than UNITS_MAX."""
    return await queries.UNITS_OF_FACILITY.all(tx, facility_id, None, UNITS_MAX)


async def open_unit(tx: Tx, facility_id: UUID, unit_id: UUID) -> Unit | Refused:
    """Refused: unit-unknown, also for a closed one."""
    if not await is_open(tx, unit_id, facility_id):
        return Refused(problem=UNIT_UNKNOWN)
    return (await queries.UNITS_BY_ID.all(tx, facility_id, [unit_id]))[0]


async def facility_of(tx: Tx, unit_id: UUID) -> UUID | None:
    """Whose unit it is, open or closed."""
    return next((one.facility_id for one in await queries.UNITS_ANYWHERE.all(tx, [unit_id])), None)


async def nature_of(tx: Tx, facility_id: UUID, unit_id: UUID) -> UnitNature | None:
    """What a unit of this facility is, open or closed; None where the facility has none such."""
    return (await natures_of(tx, facility_id, [unit_id])).get(unit_id)


async def natures_of(tx: Tx, facility_id: UUID, unit_ids: Iterable[UUID]) -> dict[UUID, UnitNature]:
    """The same for several units of one facility; those that it does not have are left out."""
    found = await queries.UNITS_BY_ID.all(tx, facility_id, list(unit_ids))
    return {one.unit_id: _nature(one) for one in found}


async def sensitive_of(tx: Tx, unit_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Which of these units, of whatever facility, open or closed, are sensitive now."""
    found = await queries.UNITS_ANYWHERE.all(tx, list(unit_ids))
    return frozenset(one.unit_id for one in found if _nature(one).is_sensitive)


def _nature(unit: Unit) -> UnitNature:
    """A list of words that grew since counts as well: the row's mark is not the only judge."""
    sensitive = unit.is_sensitive or is_sensitive(unit.name, unit.specialty)
    shown = _discreet(unit.discreet_name) if sensitive else unit.name
    return UnitNature(unit.unit_id, unit.name, shown, sensitive, unit.specialty)


def _discreet(name: str | None) -> str:
    return NO_NAME if name is None or is_sensitive_name(name) else name


async def is_open(tx: Tx, unit_id: UUID, facility_id: UUID) -> bool:
    """Whether this is an open unit of that facility."""
    return await queries.OPEN_UNIT.one(tx, unit_id, facility_id) is not None


async def duty_of(tx: Tx, actor: Actor) -> Duty | None:
    """Where a signed-in practitioner works now, and since when the session is proven."""
    return await queries.DUTY.one(tx, actor.actor_id, actor.session_id)


async def is_alone(tx: Tx, unit_id: UUID, now: datetime) -> bool:
    """Whether the register knows no second account of this unit that could have noted an arrival."""
    return (await queries.ACCOUNTS_OF_UNIT.one(tx, unit_id, now) or 0) <= 1


async def has_worked_in(tx: Tx, unit_id: UUID, practitioner_id: UUID, since: datetime) -> bool:
    """Whether any role of this person belongs to the unit and was in force since then."""
    return bool(await queries.WORKS_IN_UNIT.one(tx, unit_id, practitioner_id, since))


async def share_unit(tx: Tx, one_id: UUID, other_id: UUID, since: datetime) -> bool:
    """Whether both have worked in one unit since then."""
    return bool(await queries.SHARE_UNIT.one(tx, one_id, other_id, since))


async def stamp_session(tx: Tx, actor: Actor, now: datetime) -> None:
    """A factor was shown again in this session."""
    await queries.STAMP_SESSION.run(tx, actor.actor_id, actor.session_id, now)


async def suspend(tx: Tx, practitioner_id: UUID, now: datetime) -> None:
    """Take away the right to break the glass, and nothing else; a first suspension keeps its time."""
    await queries.SUSPEND.run(tx, practitioner_id, now)
    ref = {"practitioner_id": str(practitioner_id)}
    await emit(tx, practitioner_id, "identity.emergency-suspended", ref, now)


async def suspend_again(tx: Tx, practitioner_id: UUID, at: datetime) -> None:
    """A suspension that a restored backup undid."""
    await queries.SUSPEND.run(tx, practitioner_id, at)


async def is_suspended(tx: Tx, practitioner_id: UUID) -> bool:
    return await queries.SUSPENDED_AT.one(tx, practitioner_id) is not None


async def restore(tx: Tx, practitioner_id: UUID) -> Refused | None:
    """Give the right back."""
    if await queries.RESTORE.one(tx, practitioner_id) is None:
        return Refused(problem=NOT_IN_REGISTER)
    return None


async def reviewing_facilities(tx: Tx, now: datetime) -> list[UUID]:
    """Facilities that have a reviewer, in a fixed order."""
    return await queries.REVIEWING_FACILITIES.all(tx, now)
