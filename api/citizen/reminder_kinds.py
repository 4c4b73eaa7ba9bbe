"""Kinds of reminders, switched on and off by their person."""

from typing import Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reminding import noted
from api.request import Call, answer
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from kernel.problems import Refused
from reminders.switches import service
from reminders.switches.problems import NO_SUCH_KIND
from reminders.switches.service import KindSwitch, KindSwitches

TAGS = ["reminders"]
BASE = "/v1/me/reminders/kinds"


class SwitchBody(Struct, kw_only=True, forbid_unknown_fields=True):
    is_on: bool


@get(
    BASE,
    actors=("citizen",),
    operation_id="read_reminder_kinds",
    tags=TAGS,
    problems=(NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
)
async def kinds(call: NamedDependency[Call]) -> Response[KindSwitches]:
    """Every kind of reminder, on or off."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        return answer(await service.read(tx, access))


@put(
    BASE + "/{kind:str}",
    actors=("citizen",),
    operation_id="switch_reminder_kind",
    tags=TAGS,
    problems=(INVALID_FIELD, NO_SUCH_KIND, NOT_YOUR_BOOK, DEVICE_ON_PROBATION),
)
async def switch(
    kind: FromPath[str], data: JSONBody[SwitchBody], call: NamedDependency[Call]
) -> Response[KindSwitch]:
    """Switch a kind of reminder off or on: off, its times go by untold and no phone sets an alarm."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        done = await service.switch(tx, access, kind, data.is_on, call.now)
        if not isinstance(done, Refused):
            await noted(tx, call, access, "reminder:kind:switch")
        return answer(done)


handlers: list[Any] = [kinds, switch]
