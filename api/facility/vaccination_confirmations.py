"""Late doses that a facility sent: a second account there says that they are true (security.md S28)."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.request import Call, answer
from kernel.problems import ProblemError, Refused
from vaccination.certificates import confirming
from vaccination.certificates.models import ConfirmationList
from vaccination.certificates.problems import CONFIRMATION_UNKNOWN, CONFIRMED_BY_SENDER
from visits.problems import NOT_AT_A_FACILITY

TAGS = ["vaccination"]
ACTORS: Final = ("doctor", "nurse", "vaccinator", "facility-admin")


@get(
    "/v1/facility/vaccination-confirmations",
    actors=ACTORS,
    operation_id="list_vaccination_confirmations",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY,),
)
async def asked(call: NamedDependency[Call]) -> Response[ConfirmationList]:
    """Doses that this facility sent over 30 days after their day and whose person wants a certificate."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            raise ProblemError(Refused(problem=NOT_AT_A_FACILITY))
        return answer(
            await confirming.list_asked(tx, call.keys, actor, request_id=call.request_id, now=call.now)
        )


@post(
    "/v1/facility/vaccination-confirmations/{confirmation_id:uuid}/confirm",
    status_code=204,
    actors=ACTORS,
    operation_id="confirm_vaccination",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, CONFIRMATION_UNKNOWN, CONFIRMED_BY_SENDER),
)
async def confirm(confirmation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Say that a late dose was given as it stands. Whoever entered it cannot."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            raise ProblemError(Refused(problem=NOT_AT_A_FACILITY))
        refused = await confirming.confirm(
            tx, actor, confirmation_id, request_id=call.request_id, now=call.now
        )
    return answer(refused, status=204 if refused is None else None)


handlers: list[Any] = [asked, confirm]
