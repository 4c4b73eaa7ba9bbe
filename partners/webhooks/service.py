"""Events for clients: kept in the transaction of their cause, signed when they are sent."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.ids import bucket_of, uuid7
from partners.signing import sign
from partners.webhooks import queries
from partners.webhooks.models import EventClaims, EventKind, EventState, StoppedRow, SubjectId, WebhookRow
from partners.webhooks.policy import EVENT_NAMES, verdict_of, wait_after
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing

# Of the due queue; its ref is client and event.
JOB: Final = "partner-webhook"
LISTED_MAX: Final = 200
MEDIA_TYPE: Final = "application/secevent+jwt"
_encode = msgspec.json.Encoder().encode


async def plan(
    tx: Tx, client_id: UUID, reference: UUID, kind: EventKind, happened_at: datetime, now: datetime
) -> None:
    """Tell a client that has an address for it. A change that waits to be told stands for this one too."""
    event_id = uuid7(now)
    if await queries.INSERT.one(tx, client_id, event_id, kind, reference, happened_at) == event_id:
        await schedule(tx, bucket_of(client_id), now, JOB, f"{client_id}:{event_id}")


async def shows_batch(tx: Tx, access: Access, batch: UUID, now: datetime) -> bool:
    """Whether what came in a batch holds anything that this client may see."""
    return await queries.SHOWS_BATCH.one(tx, *scope_of(access, now), batch) is not None


async def take(tx: Tx, ref: str) -> WebhookRow | None:
    """The event of a timer, to be sent now, while it waits to be told."""
    client_id, _, event_id = ref.partition(":")
    return await queries.TAKE.one(tx, UUID(client_id), UUID(event_id))


def token_of(keys: KeyRing, issuer: str, row: WebhookRow, now: datetime) -> str:
    """The signed event: a Security Event Token (RFC 8417) without any word of a record."""
    claims = EventClaims(
        iss=issuer,
        aud=str(row.client_id),
        iat=int(now.timestamp()),
        jti=str(row.event_id),
        sub_id=SubjectId(id=str(row.reference)),
        toe=int(row.happened_at.timestamp()),
        events={EVENT_NAMES[row.kind]: {}},
    )
    return sign(keys, "secevent+jwt", _encode(claims))


async def not_told(tx: Tx) -> list[StoppedRow]:
    """What stopped in the days that events are kept, the newest first, at most LISTED_MAX."""
    return await queries.STOPPED.all(tx, LISTED_MAX)


async def drop(tx: Tx, row: WebhookRow, why: str, now: datetime) -> None:
    """Nobody is there to be told."""
    await _settle(tx, row, "dropped", row.attempts, why, now)


async def note(tx: Tx, row: WebhookRow, status: int | None, why: str, now: datetime) -> datetime | None:
    """What became of an attempt. Returns when it is tried again; None: never.

    why: the status or the reason that nobody answered, for operators.
    """
    attempts, verdict = row.attempts + 1, verdict_of(status)
    wait = wait_after(attempts) if verdict == "again" else None
    if wait is not None:
        await queries.NOTE_FAILURE.run(tx, row.client_id, row.event_id, attempts, why)
        return now + wait
    state: EventState = "delivered" if verdict == "delivered" else "stopped"
    await _settle(tx, row, state, attempts, why, now)
    return None


async def _settle(tx: Tx, row: WebhookRow, state: EventState, attempts: int, why: str, now: datetime) -> None:
    """A client that was told asks at once: what changed after that is an event of its own."""
    settled = await queries.SETTLE.one(tx, row.client_id, row.event_id, state, attempts, why, now)
    if settled is not None and settled.changed_at is not None:
        await plan(tx, row.client_id, row.reference, row.kind, settled.changed_at, now)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Events that were settled so long ago; how many went."""
    return await queries.FORGET.one(tx, before, limit) or 0
