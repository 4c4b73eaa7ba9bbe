"""The word to the person three days before a long grant runs out (consent.md §3.3)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from consent.grants import queries
from consent.grants.policy import PROMPT_BEFORE, is_renewable
from consent.models import Grant
from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import arm
from store.outbox import emit

JOB: Final = "grant-renewal"


async def arm_prompt(tx: Tx, grant: Grant) -> None:
    """Nothing for a grant that could not be renewed anyway."""
    if is_renewable(grant, held=False, now=grant.starts_at):
        ref = f"{grant.patient_id}:{grant.grant_id}"
        await arm(tx, bucket_of(grant.patient_id), grant.ends_at - PROMPT_BEFORE, JOB, ref)


async def prompt(tx: Tx, ref: str, now: datetime) -> datetime | None:
    """Tell of a grant that is still in force; one that ended or was replaced meanwhile says nothing."""
    person, _, grant_id = ref.partition(":")
    grant = await queries.grant_by_id(tx, UUID(person), UUID(grant_id))
    if grant is not None and is_renewable(grant, held=False, now=now):
        await emit(tx, grant.patient_id, "consent.ending", {"grant_id": grant_id}, now)
    return None
