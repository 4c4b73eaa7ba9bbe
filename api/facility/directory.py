"""A facility's administrator keeps what the directory says of it, and its departments."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.counters import own_facility
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from audit.service import record_admin_event
from identity.problems import DISCREET_NAME_TELLS, SPECIALTY_UNKNOWN, UNIT_UNKNOWN, UNITS_FULL
from identity.units import service as units
from identity.units.models import Department, Unit, UnitKind
from kernel.access import Actor
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from visits.directory.models import Details
from visits.directory.problems import COMMUNE_UNKNOWN, POSITION_HALF
from visits.directory.service import follow_units, set_details
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["administration"]
ADMIN: Final = ("facility-admin",)
BASE: Final = "/v1/facility/departments"
ONE: Final = BASE + "/{unit_id:uuid}"
Reason = Annotated[str, Meta(min_length=5, max_length=300)]


class DetailsBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out is taken out of the directory."""

    reason: Reason
    details: Details


class DetailsKept(Struct, kw_only=True):
    changed_at: datetime


class DepartmentBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    department: Department


class ClosedDepartment(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class DepartmentKept(Struct, kw_only=True):
    """is_sensitive: also where the specialty or the name says so; it stays as long as the unit is open."""

    unit_id: UUID
    kind: UnitKind
    name: str
    specialty: str | None
    is_sensitive: bool
    discreet_name: str | None


class Departments(Struct, kw_only=True):
    """The open units of one's own facility, oldest first. next: opaque; null on the last page."""

    items: list[DepartmentKept]
    next: str | None


@put(
    "/v1/facility/directory",
    actors=ADMIN,
    operation_id="set_facility_details",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, POSITION_HALF, SPECIALTY_UNKNOWN, COMMUNE_UNKNOWN),
)
async def keep_details(data: JSONBody[DetailsBody], call: NamedDependency[Call]) -> Response[DetailsKept]:
    """Say where one's own facility is, what it offers and when it is open."""
    async with call.begin() as (tx, actor):
        refused = await set_details(tx, own_facility(actor), data.details, call.now)
        if refused is not None:
            return answer(refused)
        await record_admin_event(tx, str(actor.actor_id), "directory:details:set", data.reason, 1, call.now)
    return answer(DetailsKept(changed_at=call.now))


@get(
    BASE,
    actors=ADMIN,
    operation_id="facility_departments",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, BAD_CURSOR),
)
async def list_departments(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Departments]:
    """The open departments and emergency units, as their facility describes them."""
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await units.page_of(tx, own_facility(actor), after, size + 1)
    more = encode_cursor(str(found[size - 1].unit_id)) if len(found) > size else None
    return answer(Departments(items=[_kept(one) for one in found[:size]], next=more))


@post(
    BASE,
    actors=ADMIN,
    operation_id="open_department",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        NOT_AT_A_FACILITY,
        SPECIALTY_UNKNOWN,
        DISCREET_NAME_TELLS,
        UNITS_FULL,
        UNIT_UNKNOWN,
        *PROBLEMS,
    ),
)
async def open_department(
    data: JSONBody[DepartmentBody], call: NamedDependency[Call]
) -> Response[DepartmentKept]:
    """Open a department. One that may break the glass is an emergency unit, which two people propose."""
    async with call.begin() as (tx, actor):
        facility_id = own_facility(actor)
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _open(tx, actor, facility_id, data, call.now),
            again=lambda unit_id: units.open_unit(tx, facility_id, unit_id),
            id_of=lambda unit: unit.unit_id,
        )
    return answer(made if isinstance(made, Refused) else _kept(made), status=201)


@put(
    ONE,
    actors=ADMIN,
    operation_id="change_department",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, SPECIALTY_UNKNOWN, DISCREET_NAME_TELLS, UNIT_UNKNOWN),
)
async def change_department(
    unit_id: FromPath[UUID], data: JSONBody[DepartmentBody], call: NamedDependency[Call]
) -> Response[DepartmentKept]:
    """Describe a department anew; a sensitive one stays sensitive as long as it is open."""
    async with call.begin() as (tx, actor):
        facility_id = own_facility(actor)
        changed = await units.change_department(tx, facility_id, unit_id, data.department)
        if isinstance(changed, Refused):
            return answer(changed)
        await follow_units(tx, facility_id)
        act = "register:department:change"
        await record_admin_event(tx, str(actor.actor_id), act, data.reason, 1, call.now)
    return answer(_kept(changed))


@post(
    ONE + "/close",
    actors=ADMIN,
    operation_id="close_department",
    tags=TAGS,
    status_code=204,
    problems=(NOT_AT_A_FACILITY, UNIT_UNKNOWN),
)
async def close_department(
    unit_id: FromPath[UUID], data: JSONBody[ClosedDepartment], call: NamedDependency[Call]
) -> Response[None]:
    """Close a department: nothing new names it; what happened there stays what it was."""
    async with call.begin() as (tx, actor):
        facility_id = own_facility(actor)
        refused = await units.close_department(tx, facility_id, unit_id, call.now)
        if refused is None:
            await follow_units(tx, facility_id)
            act = "register:department:close"
            await record_admin_event(tx, str(actor.actor_id), act, data.reason, 1, call.now)
    return answer(refused, status=204)


async def _open(
    tx: Tx, actor: Actor, facility_id: UUID, data: DepartmentBody, now: datetime
) -> Unit | Refused:
    made = await units.open_department(tx, facility_id, data.department, now)
    if not isinstance(made, Refused):
        await follow_units(tx, facility_id)
        act = "register:department:open"
        await record_admin_event(tx, str(actor.actor_id), act, data.reason, 1, now)
    return made


def _kept(unit: Unit) -> DepartmentKept:
    return DepartmentKept(
        unit_id=unit.unit_id,
        kind=unit.kind,
        name=unit.name,
        specialty=unit.specialty,
        is_sensitive=unit.is_sensitive,
        discreet_name=unit.discreet_name,
    )


handlers: list[Any] = [keep_details, list_departments, open_department, change_department, close_department]
