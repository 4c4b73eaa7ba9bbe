"""The operators' side of withdrawals: what is open, answered, longer, done (Decree 356/2025)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from audit.service import record_act, record_admin_event
from consent.purposes import queries
from consent.purposes.problems import UNKNOWN_WITHDRAWAL
from consent.purposes.queries import Withdrawal
from consent.purposes.service import LONGER
from kernel.access import Actor
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
    """Answer, extend once by 15 days, or finish; in the person's log by the operator's name and in the
    chain of operators' acts. Refused: withdrawal-unknown where there is nothing like that to do."""
    if step == "answer":
        done = await queries.ANSWER_WITHDRAWAL.one(tx, patient_id, choice_id, now)
    elif step == "extend":
        done = await queries.EXTEND_WITHDRAWAL.one(tx, patient_id, choice_id, LONGER)
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
