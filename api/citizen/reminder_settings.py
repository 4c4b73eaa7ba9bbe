"""The meal times of a person, by which the parts of the day in a dose text become clock times."""

from datetime import time
from typing import Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct
from msgspec.structs import asdict

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reminding import noted
from api.request import Call, answer
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from kernel.clock import WallTime
from kernel.problems import Refused
from reminders.settings import service
from reminders.settings.models import DayTimes
from reminders.settings.problems import DAY_OUT_OF_ORDER

TAGS = ["reminders"]
PATH = "/v1/me/reminders/settings"


class DayBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Wall times, each an hour after the last at least, breakfast from 03:00 on."""

    breakfast: WallTime
    lunch: WallTime
    afternoon: WallTime
    dinner: WallTime
    bedtime: WallTime


@get(
    PATH,
    actors=("citizen",),
    operation_id="read_reminder_settings",
    tags=TAGS,
    problems=(NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
)
async def settings(call: NamedDependency[Call]) -> Response[DayTimes]:
    """The person's meal times, or the default ones."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        return answer(await service.read(tx, access))


@put(
    PATH,
    actors=("citizen",),
    operation_id="set_reminder_settings",
    tags=TAGS,
    problems=(INVALID_FIELD, DAY_OUT_OF_ORDER, NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
)
async def set_settings(data: JSONBody[DayBody], call: NamedDependency[Call]) -> Response[DayTimes]:
    """Set the meal times: what is taken by them follows, but no time that came today comes again."""
    times = {name: time.fromisoformat(text) for name, text in asdict(data).items()}
    async with begin_for(call, "manage-reminders") as (tx, access):
        done = await service.change(tx, access, times, call.now)
        if not isinstance(done, Refused):
            await noted(tx, call, access, "reminder:settings:change")
        return answer(done)


handlers: list[Any] = [settings, set_settings]
