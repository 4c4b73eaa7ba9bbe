"""A facility's administrators: who works there, what waits for a second person, which machines it has."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.counters import own_facility
from api.reading import Cursor, Limit
from api.request import Call, answer
from audit.service import record_admin_event
from identity.clients import service as clients
from identity.facility_admin import service
from identity.facility_admin.models import Machine, Member, WaitingChange
from identity.problems import NOT_IN_REGISTER, TOO_MANY
from kernel.access import Role
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY

TAGS: Final = ["administration"]
ADMIN: Final = ("facility-admin",)
Reason = Annotated[str, Meta(min_length=5, max_length=300)]


class StaffMember(Struct, kw_only=True):
    """A role that is in force or begins later. unit_id: where it works."""

    practitioner_role_id: UUID
    practitioner_id: UUID
    name: str
    licence: str | None
    licence_until: date | None
    role: Role
    unit_id: UUID | None
    active_from: datetime
    active_until: datetime | None
    is_suspended: bool


class FacilityStaff(Struct, kw_only=True):
    """By name. next: opaque; null on the last page."""

    items: list[StaffMember]
    next: str | None


class LicenceLook(Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole number of a licence."""

    licence: Annotated[str, Meta(min_length=1, max_length=40)]


class LicensedPerson(Struct, kw_only=True):
    """Whom a role can be proposed for."""

    practitioner_id: UUID
    name: str
    licence_from: date | None
    licence_until: date | None
    is_suspended: bool


class FacilityChange(Struct, kw_only=True):
    """What would be done, as it was proposed: the members that the proposal's kind has; all others are null.
    In a proposal about a role's unit, unit_id null: the role is to work in no unit."""

    facility_id: UUID
    practitioner_id: UUID | None = None
    practitioner_role_id: UUID | None = None
    role: Role | None = None
    client_id: UUID | None = None
    unit_id: UUID | None = None
    kind: Literal["facility-system", "kiosk", "emergency", "department"] | None = None
    name: str | None = None
    specialty: str | None = None
    is_sensitive: bool | None = None
    discreet_name: str | None = None


class WaitingProposal(Struct, kw_only=True):
    """change: what would be done, as it was proposed. is_own: another account confirms it."""

    change_id: UUID
    kind: str
    change: FacilityChange
    reason: str
    proposer_name: str | None
    proposed_at: datetime
    is_own: bool


class WaitingProposals(Struct, kw_only=True):
    """Oldest first; a proposal waits three days. next: opaque; null on the last page."""

    items: list[WaitingProposal]
    next: str | None


class FacilitySystem(Struct, kw_only=True):
    client_id: UUID
    kind: Literal["facility-system", "kiosk"]
    name: str
    created_at: datetime
    ended_at: datetime | None


class FacilitySystems(Struct, kw_only=True):
    """In the order in which they were made, ended ones too. next: opaque; null on the last page."""

    items: list[FacilitySystem]
    next: str | None


class EndedSystem(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


@get(
    "/v1/facility/staff",
    actors=ADMIN,
    operation_id="facility_staff",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, BAD_CURSOR),
)
async def staff(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityStaff]:
    """Who works at one's own facility, in which role and unit."""
    after = decode_cursor(cursor, tuple[str, UUID]) if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await service.members_of(tx, own_facility(actor), after, size + 1, call.now)
    last = found[size - 1] if len(found) > size else None
    more = encode_cursor(last.name, str(last.practitioner_role_id)) if last else None
    return answer(FacilityStaff(items=[_member(one) for one in found[:size]], next=more))


@post(
    "/v1/facility/licence-look-ups",
    actors=ADMIN,
    operation_id="look_up_licence",
    tags=TAGS,
    status_code=200,
    problems=(NOT_AT_A_FACILITY, NOT_IN_REGISTER, TOO_MANY),
)
async def look_up_licence(
    data: JSONBody[LicenceLook], call: NamedDependency[Call]
) -> Response[LicensedPerson]:
    """Who holds a licence, by its whole number, to propose a role. The register is not searched otherwise."""
    async with call.begin() as (tx, actor):
        own_facility(actor)
        found = await service.licensed(tx, actor.actor_id, data.licence, call.now)
    if isinstance(found, Refused):
        return answer(found)
    return answer(
        LicensedPerson(
            practitioner_id=found.practitioner_id,
            name=found.name,
            licence_from=found.licence_from,
            licence_until=found.licence_until,
            is_suspended=found.suspended_at is not None,
        )
    )


@get(
    "/v1/facility/register-changes",
    actors=ADMIN,
    operation_id="facility_register_changes",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, BAD_CURSOR),
)
async def waiting(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[WaitingProposals]:
    """What one account proposed for this facility and a second one has not confirmed yet."""
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await service.waiting_changes(tx, own_facility(actor), after, size + 1, call.now)
    items = [_proposal(one, actor.actor_id) for one in found[:size]]
    more = encode_cursor(str(items[-1].change_id)) if len(found) > size else None
    return answer(WaitingProposals(items=items, next=more))


@get(
    "/v1/facility/systems",
    actors=ADMIN,
    operation_id="facility_systems",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, BAD_CURSOR),
)
async def systems(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[FacilitySystems]:
    """The machines that act for one's own facility; their secrets are shown to nobody."""
    after = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found = await service.machines_of(tx, own_facility(actor), after, size + 1)
    more = encode_cursor(str(found[size - 1].client_id)) if len(found) > size else None
    return answer(FacilitySystems(items=[_machine(one) for one in found[:size]], next=more))


@post(
    "/v1/facility/systems/{client_id:uuid}/end",
    actors=ADMIN,
    operation_id="end_facility_system",
    tags=TAGS,
    status_code=204,
    problems=(NOT_AT_A_FACILITY, NOT_IN_REGISTER),
)
async def end_system(
    client_id: FromPath[UUID], data: JSONBody[EndedSystem], call: NamedDependency[Call]
) -> Response[None]:
    """End a machine of one's own facility: its next request is refused. One person suffices to take away."""
    async with call.begin() as (tx, actor):
        if not await clients.end(tx, own_facility(actor), client_id, call.now):
            return answer(Refused(problem=NOT_IN_REGISTER))
        act = "register:facility-client:end"
        await record_admin_event(tx, str(actor.actor_id), act, data.reason, 1, call.now)
    return answer(None, status=204)


def _member(row: Member) -> StaffMember:
    return StaffMember(
        practitioner_role_id=row.practitioner_role_id,
        practitioner_id=row.practitioner_id,
        name=row.name,
        licence=row.licence,
        licence_until=row.licence_until,
        role=row.role,
        unit_id=row.unit_id,
        active_from=row.active_from,
        active_until=row.active_until,
        is_suspended=row.suspended_at is not None,
    )


def _proposal(row: WaitingChange, reader: UUID) -> WaitingProposal:
    return WaitingProposal(
        change_id=row.change_id,
        kind=row.kind,
        change=msgspec.json.decode(row.body, type=FacilityChange),
        reason=row.reason,
        proposer_name=row.proposer_name,
        proposed_at=row.proposed_at,
        is_own=row.proposed_by == reader,
    )


def _machine(row: Machine) -> FacilitySystem:
    return FacilitySystem(
        client_id=row.client_id,
        kind=row.kind,
        name=row.name,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


handlers: list[Any] = [staff, look_up_licence, waiting, systems, end_system]
