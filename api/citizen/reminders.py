"""The reminders of a book: read, paused, stopped, and asked for where a text leaves times open."""

from datetime import time
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reading import OWN_PROBLEMS, Build, read_beside_record
from api.reminding import reader_of
from api.request import Call, answer
from audit.service import record_act
from ehr.reads.models import Built
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.clock import WallTime
from kernel.problems import Refused
from reminders import service
from reminders.problems import NO_SUCH_REMINDER, REMINDER_NOT_OPEN
from reminders.service import Act, Changed
from reminders.shown import Reminders, ReminderShown
from store.database import Tx

TAGS = ["reminders"]
BASE = "/v1/me/reminders"
CHANGE_PROBLEMS = (INVALID_FIELD, NO_SUCH_REMINDER, REMINDER_NOT_OPEN, DEVICE_ON_PROBATION)


class ReminderAct(Struct, kw_only=True, forbid_unknown_fields=True):
    """pause: times go by untold; stop: no times until resume; resume: from now on."""

    act: Act


class OwnTimes(Struct, kw_only=True, forbid_unknown_fields=True):
    """The person's own times of each of its days. days: of a medicine, for how many days from now; null where
    the prescription or the quantity says it."""

    times: Annotated[list[WallTime], Meta(min_length=1, max_length=12)]
    days: Annotated[int, Meta(ge=1, le=90)] | None = None


@get(BASE, actors=("citizen",), operation_id="read_own_reminders", tags=TAGS, problems=OWN_PROBLEMS)
async def reminders(call: NamedDependency[Call]) -> Response[Reminders]:
    """Every reminder whose cause whoever reads may see, by which the phone sets its alarms."""
    build = standing(call)
    return await read_beside_record(call, "read-section", build, is_logged=True, part="reminders")


@post(
    BASE + "/{reminder_id:uuid}/acts",
    status_code=200,
    actors=("citizen",),
    operation_id="act_on_reminder",
    tags=TAGS,
    problems=CHANGE_PROBLEMS,
)
async def act(
    reminder_id: FromPath[UUID], data: JSONBody[ReminderAct], call: NamedDependency[Call]
) -> Response[ReminderShown]:
    """Pause, resume or stop one reminder; the same again changes nothing."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        done = await service.act(tx, reader_of(call, access), reminder_id, data.act, call.now)
        return await _answered(tx, call, access, done)


@put(
    BASE + "/{reminder_id:uuid}/times",
    actors=("citizen",),
    operation_id="set_reminder_times",
    tags=TAGS,
    problems=CHANGE_PROBLEMS,
)
async def set_times(
    reminder_id: FromPath[UUID], data: JSONBody[OwnTimes], call: NamedDependency[Call]
) -> Response[ReminderShown]:
    """Be reminded at times of one's own, and say how long a medicine is taken where nothing says it."""
    times = [time.fromisoformat(text) for text in data.times]
    async with begin_for(call, "manage-reminders") as (tx, access):
        reader = reader_of(call, access)
        done = await service.set_times(tx, reader, reminder_id, times, data.days, call.now)
        return await _answered(tx, call, access, done)


async def _answered(tx: Tx, call: Call, access: Access, done: Changed | Refused) -> Response[ReminderShown]:
    if isinstance(done, Refused):
        return answer(done)
    named = done.face.resource
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"reminder:{done.shown.kind}:change",
        resources=[named] if named is not None else [],
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )
    return answer(done.shown)


def standing(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, reader_of(call, access), call.now)

    return build


handlers: list[Any] = [reminders, act, set_times]
