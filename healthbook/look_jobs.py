"""A book that is looked at for what it asks for by itself: when something came into it, and once a month."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from consent.decision import decide_job
from healthbook import reminder_follow as following
from identity.merges.aliases import survivor_of
from identity.people import exists
from reminders.looking import AGAIN, SOON, look_at
from reminders.models import Reminder
from reminders.nutrition import service as nutrition
from reminders.occurrences import Views
from reminders.screening import service as screening
from store.database import Tx
from store.keys import KeyRing
from store.models import Event

Ref: TypeAlias = dict[str, str]
Handler: TypeAlias = Callable[[Tx, KeyRing, Event, Ref, datetime], Awaitable[None]]


async def note_arrived(tx: Tx, event: Event, now: datetime) -> None:
    """Something came: look at the book when the rest of its files is there too."""
    await look_at(tx, await survivor_of(tx, event.patient_id), now + SOON)


def and_look(handle: Handler) -> Handler:
    """What an event does, and a look at the book of its person."""

    async def handle_and_look(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await handle(tx, keys, event, ref, now)
        await note_arrived(tx, event, now)

    return handle_and_look


async def look(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """Bring the reminders that follow a book in line with it. A person who was merged into another is
    looked at there, where the rows went."""
    patient_id = UUID(mark)
    if not await exists(tx, patient_id) or await survivor_of(tx, patient_id) != patient_id:
        return None
    own = await decide_job(tx, "reminders", patient_id)
    await following.follow(tx, keys, own, now)
    await screening.plan(tx, keys, own, now)
    await nutrition.plan(tx, own, now)
    return now + AGAIN


async def exam_stands(tx: Tx, one: Reminder, views: Views, now: datetime) -> bool:
    return await screening.stands(tx, views.own, one, now)


async def food_stands(tx: Tx, one: Reminder, views: Views, now: datetime) -> bool:
    return await nutrition.stands(tx, views.own, one, now)
