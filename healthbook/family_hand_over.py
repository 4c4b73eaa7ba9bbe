"""What guardians and the young person are told before a birthday changes who may act (consent.md §7)."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from family import hand_over
from identity.devices import list_devices
from kernel.clock import start_of_day
from notifications.service import notify
from store.database import Tx
from store.keys import KeyRing
from store.models import Event

Ref: TypeAlias = dict[str, str]
LIFE: Final = timedelta(days=7)


async def say_hand_over(tx: Tx, keys: KeyRing, child: str, now: datetime) -> datetime | None:
    """The timer of one child: an age, a day and whom it is about; never what is in the book."""
    child_id = UUID(child)
    told, again = await hand_over.due(tx, keys, child_id, now)
    if told is None:
        return again
    step = told.step
    key = f"{hand_over.JOB}:{child_id}:{step.on}:{step.days}"
    until = min(now + LIFE, start_of_day(step.on))
    shown = {"age": str(step.age), "on": step.on.isoformat(), "days": str(hand_over.days_left(step, now))}
    for guardian in told.guardians:
        whose = shown | {"patient_id": str(child_id)}
        await notify(tx, keys, guardian, "hand-over-near", key, now, until, ref=whose)
    if await list_devices(tx, keys, child_id):
        await notify(tx, keys, child_id, "hand-over-near", key, now, until, ref=shown)
    return again


async def plan_newborn(tx: Tx, keys: KeyRing, _event: Event, ref: Ref, now: datetime) -> None:
    """A birth note named the mother: the child's first birthday that changes something gets its timer."""
    await hand_over.plan(tx, keys, UUID(ref["newborn_id"]), now)
