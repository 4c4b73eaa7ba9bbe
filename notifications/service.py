"""Saying something to a person: one inbox row, and a delivery per way that reaches them.

Runs inside the caller's transaction and sends nothing; the worker drains the deliveries later.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from identity.phones import login_phone
from kernel.access import Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from notifications import queries
from notifications.bulk import Notice, notify_many
from notifications.groups import ESCALATES
from notifications.models import (
    NO_DEVICE,
    Channel,
    Language,
    NotificationType,
    Platform,
    PushTarget,
    ReceiptKind,
    TargetKind,
    TypedSms,
)
from notifications.policy import COLLAPSE
from notifications.problems import NO_DEVICE_OF_SESSION, UNKNOWN_NOTIFICATION
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing


async def notify(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    type_: NotificationType,
    dedupe_key: str,
    now: datetime,
    expires_at: datetime,
    *,
    ref: dict[str, str] | None = None,
    silent: bool = False,
    sms: TypedSms | None = None,
    phone: str | None = None,
) -> UUID | None:
    """Write the notice and its deliveries. None when `dedupe_key` was said before.

    ref: ids that the app opens. silent: in the inbox only (a fourth consent request in ten minutes,
    consent.md §8). sms with phone: also by SMS; both stay sealed in the delivery row until sent or expired.
    """
    notice = Notice(
        patient_id=patient_id,
        type_=type_,
        key=dedupe_key,
        expires_at=expires_at,
        ref=ref or {},
        silent=silent,
    )
    (notification_id,) = await notify_many(tx, [notice], now)
    if notification_id is None:
        return None
    if sms is not None and phone is not None:
        await _write_sms(tx, keys, notice, notification_id, sms, phone, leaves_at=now, now=now)
    elif not silent and type_ in ESCALATES:
        await _escalate_later(tx, keys, notice, notification_id, now)
    return notification_id


async def send_sms(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    type_: NotificationType,
    sms: TypedSms,
    phone: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """An SMS that stands in no inbox: to a phone without an account yet, or a second one of a notice.

    Said each time it is called. patient_id: whose keys seal it, a person's or an id set aside for one.
    """
    notice = Notice(patient_id=patient_id, type_=type_, key="", expires_at=expires_at)
    await _write_sms(tx, keys, notice, uuid7(now), sms, phone, leaves_at=now, now=now)


async def count_rung(tx: Tx, patient_id: UUID, types: Collection[NotificationType], since: datetime) -> int:
    """How many notices of some types were to ring for somebody since then, whoever they are about."""
    first = UUID(int=uuid7(since).int >> 80 << 80)
    return await queries.COUNT_RUNG.one(tx, patient_id, first, since, sorted(types)) or 0


async def _escalate_later(
    tx: Tx, keys: KeyRing, notice: Notice, notification_id: UUID, now: datetime
) -> None:
    """An SMS that waits: when its time comes it leaves, unless a device answered (delivery.py)."""
    escalation = ESCALATES[notice.type_]
    leaves_at = now + escalation.after
    phone = await login_phone(tx, keys, notice.patient_id, now)
    if phone is not None and leaves_at < notice.expires_at:
        await _write_sms(
            tx, keys, notice, notification_id, escalation.sms, phone.number, leaves_at=leaves_at, now=now
        )


async def _write_sms(
    tx: Tx,
    keys: KeyRing,
    notice: Notice,
    notification_id: UUID,
    sms: TypedSms,
    phone: str,
    *,
    leaves_at: datetime,
    now: datetime,
) -> None:
    """An SMS of a notice; address and text stay sealed in the row until it is sent or expires."""
    await queries.INSERT_SMS.run(
        tx,
        bucket_of(notice.patient_id),
        uuid7(now),
        notice.patient_id,
        notification_id,
        NO_DEVICE,
        notice.type_,
        COLLAPSE[notice.type_],
        leaves_at,
        notice.expires_at,
        seal_address(keys, notice.patient_id, phone),
        seal_sms(keys, notice.patient_id, sms),
        now,
    )


async def set_push_target(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    kind: TargetKind,
    value: str,
    now: datetime,
    *,
    platform: Platform | None = None,
    language: Language | None = None,
) -> Refused | None:
    """Where the session's device is reached from now on; replaces what the device had before. language: None
    for the person's."""
    if actor.device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    _, value_hash = lookup_hashes(keys, "push-target", value)[0]
    sealed = seal(keys, actor.actor_id, "push_target", "value_sealed", value)
    await queries.UPSERT_TARGET.run(
        tx, actor.actor_id, actor.device_id, kind, value_hash, sealed, platform, language, now
    )
    return None


async def forget_device(tx: Tx, patient_id: UUID, device_id: UUID) -> None:
    """A device that signed out or was removed: what still waits for it is dropped at send."""
    await queries.DELETE_TARGET.run(tx, patient_id, device_id)


async def record_receipt(
    tx: Tx,
    patient_id: UUID,
    device_id: UUID | None,
    notification_id: UUID,
    kind: ReceiptKind,
    now: datetime,
    *,
    actor_id: UUID | None = None,
) -> Refused | None:
    """What a device reports of a notice; a repeat changes nothing. actor_id: whose device, where not the
    person's own."""
    if device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    if not await queries.NOTIFICATION_EXISTS.one(tx, patient_id, notification_id):
        return Refused(problem=UNKNOWN_NOTIFICATION)
    since = await queries.TRUSTED_SINCE.one(tx, actor_id or patient_id, device_id, now)
    await queries.INSERT_RECEIPT.run(tx, patient_id, notification_id, device_id, kind, now, since)
    return None


def seal_address(keys: KeyRing, patient_id: UUID, phone: str) -> bytes:
    return seal(keys, patient_id, "delivery", "address_sealed", phone)


def open_address(keys: KeyRing, patient_id: UUID, sealed: bytes) -> str:
    return unseal(keys, patient_id, "delivery", "address_sealed", sealed)


def seal_sms(keys: KeyRing, patient_id: UUID, sms: TypedSms) -> bytes:
    return seal(keys, patient_id, "delivery", "text_sealed", msgspec.json.encode(sms).decode())


def open_sms(keys: KeyRing, patient_id: UUID, sealed: bytes) -> TypedSms:
    text = unseal(keys, patient_id, "delivery", "text_sealed", sealed)
    sms: TypedSms = msgspec.json.decode(text, type=TypedSms)
    return sms


def open_target(keys: KeyRing, patient_id: UUID, kind: TargetKind, sealed: bytes) -> PushTarget:
    return PushTarget(kind, unseal(keys, patient_id, "push_target", "value_sealed", sealed))


async def withdraw(
    tx: Tx,
    notices: Sequence[tuple[UUID, UUID]],
    now: datetime,
    channels: Sequence[Channel] = ("push",),
) -> None:
    """Of these notices, by whose they are and their ids, nothing more leaves by these channels."""
    buckets = [bucket_of(patient_id) for patient_id, _ in notices]
    await queries.WITHDRAW.run(tx, buckets, [ident for _, ident in notices], now, list(channels))
