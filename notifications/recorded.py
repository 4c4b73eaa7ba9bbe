"""What the recording senders kept: read by the page of a demo database, and by nothing else (S4)."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from notifications import queries
from notifications.inbox import text_of
from notifications.models import Channel, NotificationType, PendingRow, SmsCode, SmsContact, SmsSignIn
from notifications.service import open_address, open_sms
from notifications.sms import sms_text
from store.database import Tx
from store.keys import KeyRing


class RecordedMessage(Struct, frozen=True, kw_only=True):
    """One message. phone, text and code belong to an SMS whose time has not passed."""

    delivery_id: UUID
    patient_id: UUID
    notification_id: UUID
    channel: Channel
    type: NotificationType
    title: str
    status: str
    created_at: datetime
    expires_at: datetime
    is_live: bool
    phone: str | None = None
    text: str | None = None
    code: str | None = None


async def read_recorded(
    tx: Tx, keys: KeyRing, limit: int, now: datetime, hotline: str
) -> list[RecordedMessage]:
    """The latest messages of everybody, newest first."""
    return [_open(keys, row, now, hotline) for row in await queries.LATEST.all(tx, limit)]


def _open(keys: KeyRing, row: PendingRow, now: datetime, hotline: str) -> RecordedMessage:
    sms = open_sms(keys, row.patient_id, row.text_sealed) if row.text_sealed else None
    phone = open_address(keys, row.patient_id, row.address_sealed) if row.address_sealed else None
    return RecordedMessage(
        delivery_id=row.delivery_id,
        patient_id=row.patient_id,
        notification_id=row.notification_id,
        channel=row.channel,
        type=row.type,
        title=text_of(row.type, hotline).title,
        status=row.status,
        created_at=row.created_at,
        expires_at=row.expires_at,
        is_live=now < row.expires_at,
        phone=phone,
        text=sms_text(sms, hotline) if sms else None,
        code=sms.code if isinstance(sms, SmsCode | SmsSignIn | SmsContact) else None,
    )
