"""Share codes in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from consent.models import Standing
from consent.share_codes import queries
from consent.share_codes.service import end
from kernel.access import Access
from store.database import Tx


async def standing_of(tx: Tx, patient_id: UUID, now: datetime) -> list[Standing]:
    """Codes that nobody has used yet."""
    return [
        Standing(
            kind="share-code",
            id=row.code_id,
            name="",
            facility=None,
            what=list(row.types),
            since=row.created_at,
            until=row.expires_at,
            ends_with=None,
        )
        for row in await queries.LIVE_CODES.all(tx, patient_id, now)
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    for row in await queries.LIVE_CODES.all(tx, access.patient_id, now):
        await end(tx, access, row.code_id, trace_id=trace_id, now=now)
