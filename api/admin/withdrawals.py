"""Withdrawals of consent that need somebody's hand: others hold the data too (Decree 356/2025).

Each step is an operator's act with a reason: in the chain of operators' acts and in the person's own log.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from consent.purposes import clocks
from consent.purposes.catalogue import PurposeKey
from consent.purposes.clocks import Step
from consent.purposes.problems import UNKNOWN_WITHDRAWAL
from consent.purposes.queries import Withdrawal

TAGS = ["rights"]
LISTED_MAX = 500


class OpenWithdrawal(Struct, kw_only=True):
    """One that nobody finished. overdue: a deadline of its own has passed."""

    patient_id: UUID
    choice_id: UUID
    purpose: PurposeKey
    opened_at: datetime
    answer_by: datetime
    done_by: datetime
    answered: bool
    extended: bool
    overdue: bool


class OpenWithdrawals(Struct, kw_only=True):
    """The nearest deadline first; at most 500."""

    items: list[OpenWithdrawal]


class WithdrawalStep(Struct, kw_only=True, forbid_unknown_fields=True):
    """answer: the person was answered; extend: once, by 15 days; finish: nobody uses the data any more."""

    step: Step
    reason: Annotated[str, Meta(min_length=5, max_length=200)]


@get(
    "/v1/admin/withdrawals",
    actors=("operator",),
    operation_id="open_withdrawals",
    tags=TAGS,
    problems=(),
)
async def list_open(call: NamedDependency[Call]) -> Response[OpenWithdrawals]:
    """Withdrawn consents that wait for somebody."""
    async with call.begin() as (tx, _actor):
        found = await clocks.open_withdrawals(tx, LISTED_MAX)
    return answer(OpenWithdrawals(items=[_view(one, call.now) for one in found]))


@post(
    "/v1/admin/withdrawals/{patient_id:uuid}/{choice_id:uuid}",
    actors=("operator",),
    operation_id="move_withdrawal",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_WITHDRAWAL,),
)
async def move(
    patient_id: FromPath[UUID],
    choice_id: FromPath[UUID],
    data: JSONBody[WithdrawalStep],
    call: NamedDependency[Call],
) -> Response[None]:
    """Say what was done about a withdrawn consent."""
    async with call.begin() as (tx, actor):
        done = await clocks.move(
            tx,
            actor,
            patient_id,
            choice_id,
            data.step,
            data.reason,
            request_id=call.request_id,
            now=call.now,
        )
        return answer(done)


def _view(one: Withdrawal, now: datetime) -> OpenWithdrawal:
    late = one.answered_at is None and now >= one.answer_by
    return OpenWithdrawal(
        patient_id=one.patient_id,
        choice_id=one.choice_id,
        purpose=one.purpose,
        opened_at=one.opened_at,
        answer_by=one.answer_by,
        done_by=one.done_by,
        answered=one.answered_at is not None,
        extended=one.extended,
        overdue=late or now >= one.done_by,
    )


handlers: list[Any] = [list_open, move]
