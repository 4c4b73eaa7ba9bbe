"""Draining deliveries: claim under a lease, send outside any transaction, settle.

At least once. A worker that dies between sending and settling leaves a lease that runs out; the
delivery becomes `unknown` and goes again with the same ids, which the device remembers.
"""

import asyncio
from datetime import datetime

import structlog
from msgspec import Struct

from notifications import queries
from notifications.models import Claimed, Outcome, PushMessage, SmsMessage
from notifications.policy import LEASE, first_id_of, next_attempt, status_after
from notifications.ports import RECORDED, PushSender, SmsSender
from notifications.service import open_address, open_sms, open_target
from store.database import Tx
from store.fields import FieldSealError
from store.keys import KeyRing

BATCH_MAX = 100
SEND_DEADLINE_SECONDS = 10

log = structlog.get_logger("notifications")


class Senders(Struct, frozen=True):
    push: PushSender
    sms: SmsSender


class Outgoing(Struct, frozen=True):
    """A claimed delivery with what to send, or the outcome that makes sending needless."""

    claimed: Claimed
    message: PushMessage | SmsMessage | None
    settled: Outcome | None = None


async def claim_batch(tx: Tx, keys: KeyRing, bucket: int, now: datetime) -> list[Outgoing]:
    """Take up to 100 deliveries of one bucket for the length of a lease, oldest first.

    On the way expired ones are dropped and leases that ran out become `unknown`.
    """
    await queries.expire_leases(tx, bucket, now)
    await queries.drop_expired(tx, bucket, now)
    await queries.erase_texts(tx, bucket, now)
    claimed = await queries.claim(tx, bucket, now=now, lease_until=now + LEASE, limit=BATCH_MAX)
    claimed.sort(key=lambda row: row.delivery_id)
    return [await _prepare(tx, keys, row) for row in claimed]


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove outcomes of deliveries made before that time, at most `limit`; notices stay in the inbox.

    How long they are kept is decided in healthbook/housekeeping.py.
    """
    return await queries.delete_ended(tx, first_id_of(before), limit)


async def _prepare(tx: Tx, keys: KeyRing, row: Claimed) -> Outgoing:
    try:
        message = await (_push_of(tx, keys, row) if row.channel == "push" else _sms_of(keys, row))
    except FieldSealError:
        # Somebody moved a sealed cell (security.md S15): nothing is sent, somebody is told.
        log.error("delivery_seal_broken", delivery_id=str(row.delivery_id), alert=True)
        return Outgoing(row, None, Outcome(status="failed", error_code="seal-broken"))
    if message is None:
        return Outgoing(row, None, Outcome(status="dropped", error_code="no-target"))
    return Outgoing(row, message)


async def _push_of(tx: Tx, keys: KeyRing, row: Claimed) -> PushMessage | None:
    """The target is read at send: a device that signed out since has none."""
    target = await queries.target_of_device(tx, row.patient_id, row.device_id)
    if target is None:
        return None
    return PushMessage(
        target=open_target(keys, row.patient_id, target.kind, target.value_sealed),
        type=row.type,
        id=row.notification_id,
        collapse=row.collapse,
        expires_at=row.expires_at,
    )


async def _sms_of(keys: KeyRing, row: Claimed) -> SmsMessage | None:
    if row.address_sealed is None or row.text_sealed is None:
        return None
    return SmsMessage(
        phone=open_address(keys, row.patient_id, row.address_sealed),
        bucket=row.bucket,
        id=row.delivery_id,
        sms=open_sms(keys, row.patient_id, row.text_sealed),
    )


async def send_batch(senders: Senders, batch: list[Outgoing]) -> list[Outcome]:
    """One outcome per delivery, in order. Never raises: what nobody knows is `unknown`.

    All leave at once: one after the other, slow answers would outlast the lease and everything would
    be sent again.
    """
    pushes = [item.message for item in batch if isinstance(item.message, PushMessage)]
    texts = [item.message for item in batch if isinstance(item.message, SmsMessage)]
    pushed, texted = await asyncio.gather(
        _send_pushes(senders.push, pushes),
        asyncio.gather(*(_send_sms(senders.sms, message) for message in texts)),
    )
    push_outcomes, sms_outcomes = iter(pushed), iter(texted)
    outcomes: list[Outcome] = []
    for item in batch:
        if item.settled is not None:
            outcomes.append(item.settled)
        elif isinstance(item.message, SmsMessage):
            outcomes.append(next(sms_outcomes))
        else:
            outcomes.append(next(push_outcomes))
    return outcomes


async def _send_pushes(sender: PushSender, pushes: list[PushMessage]) -> list[Outcome]:
    if not pushes:
        return []
    try:
        async with asyncio.timeout(SEND_DEADLINE_SECONDS):
            outcomes = await sender.send(pushes)
        if len(outcomes) != len(pushes):
            raise ValueError("not one outcome per message")
    except Exception as error:
        return [_unknown(error)] * len(pushes)
    return outcomes


async def _send_sms(sender: SmsSender, message: SmsMessage) -> Outcome:
    try:
        async with asyncio.timeout(SEND_DEADLINE_SECONDS):
            return await sender.send(message)
    except Exception as error:
        return _unknown(error)


def _unknown(error: Exception) -> Outcome:
    """By class alone: a provider's error text can hold the address."""
    return Outcome(status="unknown", error_code=type(error).__name__)


async def settle_batch(
    tx: Tx, batch: list[Outgoing], outcomes: list[Outcome], now: datetime, jitter: float
) -> None:
    """Write what became of each delivery that is still under our lease; dead targets go."""
    rows = []
    for item, outcome in zip(batch, outcomes, strict=True):
        status = status_after(outcome, item.claimed.attempts)
        rows.append(
            (
                item.claimed.bucket,
                item.claimed.delivery_id,
                item.claimed.lease_until,
                status,
                next_attempt(outcome, item.claimed.attempts, now, jitter),
                outcome.message_id,
                outcome.error_code,
                status in ("sent", "failed", "dropped") and outcome.message_id != RECORDED,
            )
        )
        if outcome.target_dead:
            await queries.delete_target(tx, item.claimed.patient_id, item.claimed.device_id)
    await queries.settle(tx, rows)


async def buckets_to_drain(tx: Tx, now: datetime) -> list[int]:
    return await queries.buckets_to_drain(tx, now)
