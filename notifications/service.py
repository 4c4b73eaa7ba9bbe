"""Saying something to a person: one inbox row, and a delivery per way that reaches them.

Runs inside the caller's transaction and sends nothing; the worker drains the deliveries later.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from kernel.access import Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from notifications import queries
from notifications.models import NO_DEVICE, NotificationType, PushTarget, ReceiptKind, TargetKind, TypedSms
from notifications.policy import COLLAPSE, SMS_ONLY
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
    notification_id = uuid7(now)
    is_new = await queries.insert_notification(
        tx,
        patient_id,
        notification_id=notification_id,
        type_=type_,
        dedupe_key=dedupe_key,
        ref=msgspec.json.encode(ref or {}).decode(),
        status="silent" if silent else "ring",
        now=now,
        expires_at=expires_at,
    )
    if not is_new:
        return None
    if not silent and type_ not in SMS_ONLY:
        await _push_to_devices(tx, patient_id, notification_id, type_, now, expires_at)
    if sms is not None and phone is not None:
        await _send_sms(tx, keys, patient_id, notification_id, type_, now, expires_at, sms, phone)
    return notification_id


async def _push_to_devices(
    tx: Tx,
    patient_id: UUID,
    notification_id: UUID,
    type_: NotificationType,
    now: datetime,
    expires_at: datetime,
) -> None:
    for target in await queries.targets_of(tx, patient_id):
        await queries.insert_delivery(
            tx,
            bucket=bucket_of(patient_id),
            delivery_id=uuid7(now),
            patient_id=patient_id,
            notification_id=notification_id,
            device_id=target.device_id,
            channel="push",
            type_=type_,
            collapse=COLLAPSE[type_],
            now=now,
            expires_at=expires_at,
            address_sealed=None,
            text_sealed=None,
        )


async def _send_sms(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    notification_id: UUID,
    type_: NotificationType,
    now: datetime,
    expires_at: datetime,
    sms: TypedSms,
    phone: str,
) -> None:
    await queries.insert_delivery(
        tx,
        bucket=bucket_of(patient_id),
        delivery_id=uuid7(now),
        patient_id=patient_id,
        notification_id=notification_id,
        device_id=NO_DEVICE,
        channel="sms",
        type_=type_,
        collapse=COLLAPSE[type_],
        now=now,
        expires_at=expires_at,
        address_sealed=seal_address(keys, patient_id, phone),
        text_sealed=seal_sms(keys, patient_id, sms),
    )


async def set_push_target(
    tx: Tx, keys: KeyRing, actor: Actor, kind: TargetKind, value: str, now: datetime
) -> Refused | None:
    """Where the session's device is reached from now on; replaces what the device had before."""
    if actor.device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    _, value_hash = lookup_hashes(keys, "push-target", value)[0]
    sealed = seal(keys, actor.actor_id, "push_target", "value_sealed", value)
    await queries.upsert_target(
        tx, actor.actor_id, actor.device_id, kind=kind, value_hash=value_hash, value_sealed=sealed, now=now
    )
    return None


async def forget_device(tx: Tx, patient_id: UUID, device_id: UUID) -> None:
    """A device that signed out or was removed: what still waits for it is dropped at send."""
    await queries.delete_target(tx, patient_id, device_id)


async def record_receipt(
    tx: Tx, patient_id: UUID, device_id: UUID | None, notification_id: UUID, kind: ReceiptKind, now: datetime
) -> Refused | None:
    """What a device reports of a notice; a repeat changes nothing."""
    if device_id is None:
        return Refused(problem=NO_DEVICE_OF_SESSION)
    if not await queries.notification_exists(tx, patient_id, notification_id):
        return Refused(problem=UNKNOWN_NOTIFICATION)
    await queries.insert_receipt(tx, patient_id, notification_id, device_id, kind, now)
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
