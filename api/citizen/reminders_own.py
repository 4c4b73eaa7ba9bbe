"""Reminders of one's own: words or a measurement, for oneself or a dependant."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.acting import begin_for
from api.citizen.reminders import BASE, TAGS
from api.idempotency import create_once
from api.problems import INVALID_FIELD
from api.reminding import noted, reader_of
from api.request import Call, answer
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import Refused
from reminders.doubts import doubts_of
from reminders.models import Reminder
from reminders.own import service as own
from reminders.own.models import OwnBody
from reminders.own.problems import (
    OWN_REMINDER_INVALID,
    OWN_REMINDER_WITHHELD,
    OWN_REMINDERS_TOO_MANY,
    PRIVATE_REMINDER_OWN_ONLY,
)
from reminders.problems import NO_SUCH_REMINDER
from reminders.service import shown
from reminders.shown import ReminderShown
from store.database import Tx

CUSTOM = BASE + "/custom"
PROBLEMS = (
    INVALID_FIELD,
    DEVICE_ON_PROBATION,
    OWN_REMINDER_INVALID,
    OWN_REMINDER_WITHHELD,
    PRIVATE_REMINDER_OWN_ONLY,
)


@post(
    CUSTOM,
    actors=("citizen",),
    operation_id="make_own_reminder",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(*PROBLEMS, OWN_REMINDERS_TOO_MANY),
)
async def make(data: JSONBody[OwnBody], call: NamedDependency[Call]) -> Response[ReminderShown]:
    """Make a reminder of something, at times and on days of one's own."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        made = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: own.make(tx, call.keys, access, data, call.now),
            again=lambda reminder_id: own.made_before(tx, access, reminder_id),
            id_of=lambda one: one.reminder_id,
        )
        return await _answered(tx, call, access, made, "make", 201)


@put(
    CUSTOM + "/{reminder_id:uuid}",
    actors=("citizen",),
    operation_id="change_own_reminder",
    tags=TAGS,
    problems=(*PROBLEMS, NO_SUCH_REMINDER),
)
async def change(
    reminder_id: FromPath[UUID], data: JSONBody[OwnBody], call: NamedDependency[Call]
) -> Response[ReminderShown]:
    """Change words, times and days of a reminder of one's own; what was paused or stopped stays so."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        done = await own.change(tx, call.keys, access, reminder_id, data, call.now)
        return await _answered(tx, call, access, done, "change", 200)


@delete(
    CUSTOM + "/{reminder_id:uuid}",
    actors=("citizen",),
    operation_id="delete_own_reminder",
    tags=TAGS,
    status_code=204,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION, NO_SUCH_REMINDER),
)
async def remove(reminder_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Delete a reminder of one's own: its words go at once, and nothing rings any more."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        gone = await own.remove(tx, access, reminder_id, call.now)
        if isinstance(gone, Refused):
            return answer(gone)
        await noted(tx, call, access, "reminder:own:delete")
        return answer(None, status=204)


async def _answered(
    tx: Tx, call: Call, access: Access, done: Reminder | Refused, what: str, status: int
) -> Response[ReminderShown]:
    if isinstance(done, Refused):
        return answer(done)
    # That something was asked for, never its words.
    await noted(tx, call, access, f"reminder:own:{what}")
    faces = await reader_of(call, access).faces(tx, [done], call.now)
    doubts = await doubts_of(tx, access, [done], call.now)
    return answer(shown(done, faces[done.reminder_id], doubts), status=status)


handlers: list[Any] = [make, change, remove]
