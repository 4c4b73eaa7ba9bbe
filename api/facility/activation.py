"""The desk: a person is here, and gets an account by two members of staff (security.md S8)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.facility.desk import Ticket, ticket_view
from api.idempotency import PROBLEMS, SECRET_PROBLEMS, create_once
from api.request import Call, answer
from identity import activation
from identity.activation import ActivationCode, Card, CardSeen, Proposed
from identity.problems import (
    ACTIVATION_ELSEWHERE,
    CARD_NOT_SEEN,
    IDENTIFIER_INVALID,
    IDENTIFIER_TAKEN,
    IDENTITY_CONFLICT,
    NOT_ARRIVED,
    PERSON_MERGED,
    PHONE_INVALID,
    SECOND_ACCOUNT_NEEDED,
    TOO_MANY,
    UNIT_UNKNOWN,
)
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from visits.arrivals import (
    arrive,
    arrived_today,
    settle_ticket,
    typed_today,
    withdraw_arrival,
)
from visits.counters.problems import COUNTER_OF_UNIT, COUNTER_UNKNOWN
from visits.models import Typed
from visits.problems import NOT_AT_A_FACILITY
from visits.tickets.service import ticket_of_arrival

TAGS = ["desk"]
DESK = ("doctor", "nurse", "clerk", "registry-officer")


class Arrival(Struct, kw_only=True):
    """An arrival; it opens nothing. ticket: the number at the counter that was named."""

    arrival_id: UUID
    ticket: Ticket | None = None


class ArrivedCard(Card, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """unit_id: where the desk stands in a unit of its own, such as the emergency unit. counter_id: at whose
    line the person gets a number, the same one however the person came."""

    unit_id: UUID | None = None
    counter_id: UUID | None = None


class WithdrawnArrival(Struct, kw_only=True, forbid_unknown_fields=True):
    """The number as it was typed."""

    number: Annotated[str, Meta(min_length=12, max_length=20)]


class ConfirmBody(Struct, kw_only=True, forbid_unknown_fields=True):
    card_seen: bool


@post(
    "/v1/facility/arrivals",
    status_code=201,
    actors=("nurse", "clerk"),
    operation_id="record_arrival",
    tags=TAGS,
    idempotent=True,
    problems=(IDENTIFIER_INVALID, UNIT_UNKNOWN, COUNTER_UNKNOWN, COUNTER_OF_UNIT, TOO_MANY, *PROBLEMS),
)
async def post_arrival(data: JSONBody[ArrivedCard], call: NamedDependency[Call]) -> Response[Arrival]:
    """Note that a person came to the desk with a card but without the app.

    The answer is the same whether the number is known, unknown or belongs to other data; whoever has the
    number is told of the arrival.
    """
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _arrive(tx, call, actor, data),
            again=lambda arrival_id: _same_arrival(tx, actor, arrival_id),
            id_of=lambda typed: typed.arrival_id,
        )
    if isinstance(made, Refused):
        return answer(made)
    return answer(Arrival(arrival_id=made.arrival_id, ticket=ticket_view(made.ticket)))


async def _arrive(tx: Tx, call: Call, actor: Actor, card: ArrivedCard) -> Typed | Refused:
    return await arrive(
        tx,
        call.keys,
        actor,
        card.number,
        unit_id=card.unit_id,
        counter_id=card.counter_id,
        request_id=call.request_id,
        now=call.now,
    )


@post(
    "/v1/facility/arrivals/{arrival_id:uuid}/withdraw",
    status_code=204,
    actors=("nurse", "clerk"),
    operation_id="withdraw_arrival",
    tags=TAGS,
    problems=(NOT_AT_A_FACILITY, IDENTIFIER_INVALID, TOO_MANY),
)
async def post_withdrawal(
    arrival_id: FromPath[UUID], data: JSONBody[WithdrawnArrival], call: NamedDependency[Call]
) -> Response[None]:
    """Take back an arrival that was a mistake: it opens nothing from now on. The answer never differs."""
    async with call.begin() as (tx, actor):
        done = await withdraw_arrival(
            tx, call.keys, actor, arrival_id, data.number, request_id=call.request_id, now=call.now
        )
    return answer(done, status=None if isinstance(done, Refused) else 204)


async def _same_arrival(tx: Tx, actor: Actor, arrival_id: UUID) -> Typed:
    """An arrival is its id alone; whether there is one behind it is not told (S19)."""
    assert actor.facility_id is not None, "it was recorded at a facility"
    return Typed(arrival_id=arrival_id, ticket=await ticket_of_arrival(tx, actor.facility_id, arrival_id))


@post(
    "/v1/facility/activations",
    status_code=201,
    actors=DESK,
    operation_id="propose_activation",
    tags=TAGS,
    idempotent=True,
    problems=(
        CARD_NOT_SEEN,
        NOT_ARRIVED,
        IDENTITY_CONFLICT,
        IDENTIFIER_INVALID,
        IDENTIFIER_TAKEN,
        PHONE_INVALID,
        TOO_MANY,
        ACTIVATION_ELSEWHERE,
        *PROBLEMS,
    ),
)
async def propose_activation(data: JSONBody[CardSeen], call: NamedDependency[Call]) -> Response[Proposed]:
    """First account: the person stands here today and the card was seen."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _propose(tx, call, actor, data),
            again=lambda activation_id: activation.proposed_again(tx, actor, activation_id),
            id_of=lambda proposed: proposed.activation_id,
        )
    return answer(made)


async def _propose(tx: Tx, call: Call, actor: Actor, card: CardSeen) -> Proposed | Refused:
    trace, now = call.request_id, call.now
    done = await activation.propose(
        tx, call.keys, actor, card, arrived_today, typed_today, request_id=trace, now=now
    )
    if not isinstance(done, Refused):
        await settle_ticket(tx, call.keys, actor, card.number, request_id=trace, now=now)
    return done


@post(
    "/v1/facility/activations/{activation_id:uuid}/confirm",
    status_code=201,
    actors=DESK,
    operation_id="confirm_activation",
    tags=TAGS,
    idempotent=True,
    problems=(
        CARD_NOT_SEEN,
        NOT_ARRIVED,
        SECOND_ACCOUNT_NEEDED,
        PERSON_MERGED,
        IDENTIFIER_TAKEN,
        TOO_MANY,
        ACTIVATION_ELSEWHERE,
        *SECRET_PROBLEMS,
    ),
)
async def confirm_activation(
    activation_id: FromPath[UUID], data: JSONBody[ConfirmBody], call: NamedDependency[Call]
) -> Response[ActivationCode]:
    """Second account: makes the code, which is shown this once and works for 24 hours."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _confirm(tx, call, actor, activation_id, data.card_seen),
            again=lambda _: activation.confirmed_again(tx, actor, activation_id),
            id_of=lambda _: activation_id,
        )
    return answer(made)


async def _confirm(
    tx: Tx, call: Call, actor: Actor, activation_id: UUID, card_seen: bool
) -> ActivationCode | Refused:
    return await activation.confirm(
        tx,
        call.keys,
        actor,
        activation_id,
        card_seen,
        arrived_today,
        request_id=call.request_id,
        now=call.now,
    )


handlers: list[Any] = [post_arrival, post_withdrawal, propose_activation, confirm_activation]
