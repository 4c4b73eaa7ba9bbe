"""The desk: a person is here, and gets an account by two members of staff (security.md S8)."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.request import Call, answer
from identity import activation
from identity.activation import ActivationCode, Card, CardSeen, Proposed
from identity.problems import (
    CARD_NOT_SEEN,
    IDENTIFIER_INVALID,
    IDENTIFIER_TAKEN,
    IDENTITY_CONFLICT,
    NOT_ARRIVED,
    PHONE_INVALID,
    SECOND_ACCOUNT_NEEDED,
    TOO_MANY,
)
from kernel.ids import uuid7
from kernel.problems import Refused
from visits.arrivals import arrived_today, record_arrival

TAGS = ["desk"]
DESK = ("doctor", "nurse", "clerk", "registry-officer")


class Arrival(Struct, kw_only=True):
    """A ticket; it opens nothing."""

    arrival_id: UUID


class ConfirmBody(Struct, kw_only=True, forbid_unknown_fields=True):
    card_seen: bool


@post(
    "/v1/facility/arrivals",
    status_code=201,
    actors=("nurse", "clerk"),
    operation_id="record_arrival",
    tags=TAGS,
    problems=(IDENTIFIER_INVALID, IDENTIFIER_TAKEN),
)
async def post_arrival(data: JSONBody[Card], call: NamedDependency[Call]) -> Response[Arrival]:
    """Note that a person came to the desk with a card but without the app.

    The answer is the same whether the number is known, unknown or belongs to other data.
    """
    async with call.begin() as (tx, actor):
        facility_id = activation.facility_of(actor)
        found = await activation.person_of_card(tx, call.keys, data, facility_id, call.now)
        if isinstance(found, Refused):
            known = found.problem is IDENTITY_CONFLICT
            return answer(Arrival(arrival_id=uuid7(call.now)) if known else found)
        made = await record_arrival(tx, actor, found, request_id=call.request_id, now=call.now)
    return answer(made if isinstance(made, Refused) else Arrival(arrival_id=made))


@post(
    "/v1/facility/activations",
    status_code=201,
    actors=DESK,
    operation_id="propose_activation",
    tags=TAGS,
    problems=(
        CARD_NOT_SEEN,
        NOT_ARRIVED,
        IDENTITY_CONFLICT,
        IDENTIFIER_INVALID,
        IDENTIFIER_TAKEN,
        PHONE_INVALID,
        TOO_MANY,
    ),
)
async def propose_activation(data: JSONBody[CardSeen], call: NamedDependency[Call]) -> Response[Proposed]:
    """First account: the person stands here today and the card was seen."""
    async with call.begin() as (tx, actor):
        return answer(
            await activation.propose(
                tx, call.keys, actor, data, arrived_today, request_id=call.request_id, now=call.now
            )
        )


@post(
    "/v1/facility/activations/{activation_id:uuid}/confirm",
    status_code=201,
    actors=DESK,
    operation_id="confirm_activation",
    tags=TAGS,
    problems=(CARD_NOT_SEEN, NOT_ARRIVED, SECOND_ACCOUNT_NEEDED, IDENTIFIER_TAKEN, TOO_MANY),
)
async def confirm_activation(
    activation_id: FromPath[UUID], data: JSONBody[ConfirmBody], call: NamedDependency[Call]
) -> Response[ActivationCode]:
    """Second account: makes the code, which is shown this once and works for 24 hours."""
    async with call.begin() as (tx, actor):
        return answer(
            await activation.confirm(
                tx,
                call.keys,
                actor,
                activation_id,
                data.card_seen,
                arrived_today,
                request_id=call.request_id,
                now=call.now,
            )
        )


handlers: list[Any] = [post_arrival, propose_activation, confirm_activation]
