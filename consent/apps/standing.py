"""Apps and partners in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from consent.apps import service
from consent.models import Standing
from kernel.access import Access
from store.database import Tx


async def standing_of(tx: Tx, patient_id: UUID, now: datetime) -> list[Standing]:
    return [
        Standing(
            kind="app",
            id=one.consent.consent_id,
            name=one.consent.client_name,
            facility=None,
            what=list(one.consent.groups or one.consent.types),
            since=one.consent.created_at,
            until=one.consent.ends_at,
            ends_with=None,
            held=one.held,
        )
        for one in await service.list_of(tx, patient_id)
        if one.state(now) in ("live", "held")
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    await service.end_all(tx, access, trace_id=trace_id, now=now)
