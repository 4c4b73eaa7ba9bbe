"""Links in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from consent.links import queries
from consent.links.service import revoke, unended
from consent.models import Standing
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Links that are not over, locked and held ones too: they come back by an act of their owner."""
    return [
        Standing(
            kind="link",
            id=one.row.link_id,
            name=one.label,
            facility=None,
            what=list(one.row.contents),
            since=one.row.created_at,
            until=one.row.expires_at,
            ends_with=None,
            held=one.row.held,
        )
        for one in await unended(tx, keys, patient_id, now)
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    for row in await queries.UNENDED.all(tx, access.patient_id, now):
        await revoke(tx, access, row.link_id, trace_id=trace_id, now=now)
