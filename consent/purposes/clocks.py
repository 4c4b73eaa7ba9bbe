"""The operators' side of withdrawals: what is open, answered, longer, done (Decree 356/2025)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from audit.service import record_act, record_admin_event
from consent.purposes import queries
from consent.purposes.problems import UNKNOWN_WITHDRAWAL
from consent.purposes.queries import Withdrawal
from consent.rights.policy import extended, may_extend
from ehr.cases.terms import moved_days
from kernel.access import Actor
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx

Step = Literal["answer", "extend", "finish"]


async def open_withdrawals(tx: Tx, limit: int) -> list[Withdrawal]:
    """What nobody finished, the nearest deadline first."""
    return await queries.OPEN_WITHDRAWALS.all(tx, limit)


async def move(
    tx: Tx,
    actor: Actor,
    patient_id: UUID,
    choice_id: UUID,
    step: Step,
    reason: str,
    *,
    request_id: str,
    now: datetime,
) -> Refused | None:
    """Answer, extend once before the term is over, or finish; in the person's log by the operator's name and
    in the chain of operators' acts. Refused: withdrawal-unknown where there is nothing like that to do."""
    if step == "answer":
        done = await queries.ANSWER_WITHDRAWAL.one(tx, patient_id, choice_id, now)
    elif step == "extend":
        done = await _extend(tx, patient_id, choice_id, now)
    else:
        done = await queries.FINISH_WITHDRAWAL.one(tx, patient_id, choice_id, now)
    if done is None:
        return Refused(problem=UNKNOWN_WITHDRAWAL)
    tags = {
        "answer": "consent:withdrawal:answer",
        "extend": "consent:withdrawal:extend",
        "finish": "consent:withdrawal:finish",
    }
    await record_act(tx, patient_id, actor, tags[step], request_id=request_id, now=now)
    await record_admin_event(tx, actor.name, f"withdrawal:{step}", reason, 1, now)
    return None


async def _extend(tx: Tx, patient_id: UUID, choice_id: UUID, now: datetime) -> UUID | None:
    """By the rule of every request about one's data."""
    found = await queries.LOCK_WITHDRAWAL.one(tx, patient_id, choice_id)
    if found is None or not may_extend(found.done_by, now, is_extended=found.extended):
        return None
    until = extended(found.done_by, await moved_days(tx, local_day(found.done_by)))
    return await queries.EXTEND_WITHDRAWAL.one(tx, patient_id, choice_id, until)
