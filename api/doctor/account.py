"""Staff: who am I signed in as."""

from typing import Any, get_args
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.public.auth import RoleChoice, role_choice
from api.request import Call, answer
from identity import practitioners
from identity.units import service as units
from kernel.access import Role

TAGS = ["account"]
STAFF: tuple[Role, ...] = get_args(Role)


class StaffProfile(Struct, kw_only=True):
    """practitioner_role_id: the role of this session. emergency_unit: the unit that it works in, if any; only
    from one may the glass be broken."""

    practitioner_id: UUID
    practitioner_role_id: UUID | None
    name: str
    licence: str | None
    roles: list[RoleChoice]
    emergency_unit: str | None


@get("/v1/doctor/me", actors=STAFF, operation_id="get_staff_profile", tags=TAGS, problems=())
async def get_staff_profile(call: NamedDependency[Call]) -> Response[StaffProfile]:
    """The signed-in member of staff, the role of this session and the others."""
    async with call.begin() as (tx, actor):
        roles = await practitioners.active_roles(tx, actor.actor_id, call.now)
        duty = await units.duty_of(tx, actor)
    return answer(
        StaffProfile(
            practitioner_id=actor.actor_id,
            practitioner_role_id=actor.practitioner_role_id,
            name=actor.name,
            licence=actor.licence,
            roles=[role_choice(role) for role in roles],
            emergency_unit=duty.unit_name if duty else None,
        )
    )


handlers: list[Any] = [get_staff_profile]
