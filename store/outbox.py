"""Events of the domain, written in the business transaction and claimed by the worker.

An event carries ids only: whoever handles it reads what it needs, decided anew.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from kernel.ids import bucket_of, uuid7
from store import queries
from store.database import Tx
from store.models import Event

CLAIM_MAX = 500
REF_VALUE_MAX = 64


async def emit(tx: Tx, patient_id: UUID, event: str, ref: dict[str, str], now: datetime) -> None:
    """Write one event (`consent.requested`) into the person's bucket. `ref` holds ids only."""
    if any(len(value) > REF_VALUE_MAX for value in ref.values()):
        raise ValueError(f"{event}: a reference is an id, not a text")
    bucket, text = bucket_of(patient_id), msgspec.json.encode(ref).decode()
    await queries.INSERT_EVENT.run(tx, bucket, uuid7(now), patient_id, event, text, now)


async def claim_events(tx: Tx, bucket: int, now: datetime, limit: int = 100) -> list[Event]:
    """Take up to `limit` events of one bucket out of the queue, oldest first.

    Effects belong in the same transaction: when it rolls back, the events are there again.
    """
    events = await queries.CLAIM_EVENTS.all(tx, bucket, now, min(limit, CLAIM_MAX))
    return sorted(events, key=lambda event: event.event_id)


async def postpone_event(tx: Tx, event: Event, until: datetime) -> int:
    """After a rolled-back attempt: try this event again later. Returns the attempts made so far."""
    return await queries.POSTPONE_EVENT.one(tx, event.bucket, event.event_id, until) or 0


async def buckets_with_events(tx: Tx, now: datetime) -> list[int]:
    """The buckets that hold an event to handle now."""
    return await queries.BUCKETS_WITH_EVENTS.all(tx, now)
