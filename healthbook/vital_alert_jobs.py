"""What becomes of alerts' events: people are told, one after the other, until somebody has seen it."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from store.database import Tx
from store.keys import KeyRing
from store.models import Event
from vitals.rules.ending import end_of_links
from vitals.telling import service

Ref: TypeAlias = dict[str, str]


async def say_alert(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """It began, grew worse, or woke from a silence."""
    await service.begin(tx, keys, event.patient_id, UUID(ref["alert_id"]), now)


async def say_withdrawn(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Its readings were edited or deleted: whoever was told hears so, once."""
    await service.end(tx, keys, event.patient_id, UUID(ref["alert_id"]), None, now)


async def say_seen(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Somebody has seen it: the others hear so."""
    await service.end(tx, keys, event.patient_id, UUID(ref["alert_id"]), UUID(ref["by"]), now)
    if "again_at" in ref:
        await service.say_again(tx, keys, event.patient_id, UUID(ref["alert_id"]), ref["again_at"], now)


async def end_limits(tx: Tx, keys: KeyRing, event: Event, _ref: Ref, now: datetime) -> None:
    """A guardian is barred: the limits that this one kept in the child's book end."""
    await end_of_links(tx, keys, event.patient_id, now)
