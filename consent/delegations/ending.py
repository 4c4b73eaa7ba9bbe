"""The end of delegations, alone or with the version of the grant they stand on."""

from datetime import datetime
from uuid import UUID

from consent.delegations import queries
from consent.grants.queries import end_practitioner_grant
from store.database import Tx


async def end_with_grant(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> None:
    """Nobody keeps what a doctor handed on longer than the doctor."""
    for one in await queries.end_of_grant(tx, patient_id, grant_id, now):
        await end_practitioner_grant(tx, one.practitioner_id, patient_id, one.delegation_id, now)


async def end_one(tx: Tx, patient_id: UUID, delegation_id: UUID, now: datetime) -> bool:
    """False when it had ended before."""
    practitioner_id = await queries.end_delegation(tx, patient_id, delegation_id, now)
    if practitioner_id is None:
        return False
    await end_practitioner_grant(tx, practitioner_id, patient_id, delegation_id, now)
    return True
