"""The first administrator of a facility comes in by the printed code (security.md S16)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from identity import practitioners
from identity.facility_admin import activation
from identity.practitioners import InitialSecrets
from identity.problems import FACILITY_CODE_REFUSED, REGISTER_ENTRY_EXISTS, TOO_MANY, TRY_LATER
from kernel.problems import Refused


class FacilityActivationBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: as printed. name: of the administrator, shown to colleagues."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class FirstAdministrator(Struct, kw_only=True):
    """Password and TOTP secret are shown this once."""

    practitioner_id: UUID
    user_name: str
    initial_password: str
    totp_secret: str


@post(
    "/v1/auth/facility-activations",
    status_code=201,
    actors=("public",),
    operation_id="redeem_facility_activation",
    tags=["auth"],
    problems=(FACILITY_CODE_REFUSED, REGISTER_ENTRY_EXISTS, TOO_MANY, TRY_LATER),
)
async def redeem_facility_activation(
    data: JSONBody[FacilityActivationBody], call: NamedDependency[Call]
) -> Response[FirstAdministrator]:
    """Redeem a facility's code: makes the account of its first administrator. The code works once."""
    made = await _redeem(call, data)
    if isinstance(made, Refused):
        return answer(made)
    return answer(
        FirstAdministrator(
            practitioner_id=made.actor_id,
            user_name=made.user_name,
            initial_password=made.password,
            totp_secret=made.totp_secret,
        ),
        status=201,
    )


async def _redeem(call: Call, data: FacilityActivationBody) -> InitialSecrets | Refused:
    async with call.begin_public() as tx:
        opened = await activation.look_at(tx, data.code, call.network_prefix(), call.now)
    if isinstance(opened, Refused):
        return opened
    prepared = await practitioners.prepare_credential(call.keys, call.now)
    async with call.begin_public() as tx:
        return await activation.redeem(tx, call.keys, data.code, data.name, prepared, call.now)


handlers: list[Any] = [redeem_facility_activation]
