"""Grants in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from consent.grants import queries
from consent.grants.service import revoke_grant
from consent.models import Standing
from kernel.access import Access
from store.database import Tx


async def standing_of(tx: Tx, patient_id: UUID, now: datetime) -> list[Standing]:
    """Grants that have not ended, held ones too: they come back with a confirmation."""
    return [
        Standing(
            kind="grant",
            id=grant.grant_id,
            name=grant.practitioner_name,
            facility=grant.facility_name,
            what=list(grant.types),
            since=grant.starts_at,
            until=grant.ends_at,
            ends_with=None,
        )
        for grant in await queries.live_grants_of_person(tx, patient_id, now)
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    for grant in await queries.live_grants_of_person(tx, access.patient_id, now):
        await revoke_grant(tx, access, grant.grant_id, trace_id=trace_id, now=now)
