"""Links in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from consent.links import queries
from consent.links.service import revoke
from consent.models import Standing
from kernel.access import Access
from store.database import Tx


async def standing_of(tx: Tx, patient_id: UUID, now: datetime) -> list[Standing]:
    """Links that are not over, locked and held ones too: they come back by an act of their owner."""
    return [
        Standing(
            kind="link",
            id=row.link_id,
            name="",
            facility=None,
            what=list(row.contents),
            since=row.created_at,
            until=row.expires_at,
            ends_with=None,
        )
        for row in await queries.UNENDED.all(tx, patient_id, now)
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    for row in await queries.UNENDED.all(tx, access.patient_id, now):
        await revoke(tx, access, row.link_id, trace_id=trace_id, now=now)
