"""The plan by which a phone sets its own alarms, and that it has it."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.reminders import BASE, TAGS
from api.problems import INVALID_FIELD
from api.reading import OWN_PROBLEMS, holds, log_read, shared_etag
from api.reminding import reader_of
from api.request import Call, answer
from ehr.reads.models import Built
from ehr.reads.raw import encode
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from notifications.problems import NO_DEVICE_OF_SESSION
from reminders.phone import PhonePlan, acknowledge, gather, give, plan_of
from reminders.problems import PLAN_CHANGED


class PlanAck(Struct, kw_only=True, forbid_unknown_fields=True):
    """version: of the plan whose alarms are set. covers_until: up to when they are; a phone that can hold few
    alarms says how far they reach. Counted for 14 days at most."""

    version: Annotated[str, Meta(min_length=64, max_length=64)]
    covers_until: Annotated[datetime, Meta(tz=True)]


@get(
    BASE + "/plan",
    actors=("citizen",),
    operation_id="read_reminder_plan",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def plan(call: NamedDependency[Call]) -> Response[PhonePlan]:
    """The alarms of the next 14 days. The ETag stays while nothing was changed today."""
    async with begin_for(call, "read-section") as (tx, access):
        reader = reader_of(call, access)
        found = await gather(tx, reader, call.now)
        await give(tx, reader, found)
        etag = shared_etag(call.keys, access, found.mark)
        unchanged = holds(call, etag)
        body = b"" if unchanged else encode(plan_of(found, reader, call.now))
        if not (unchanged and access.is_own):
            built = Built(body, found.shown)
            await log_read(tx, call, access, built, changed=not unchanged, part="reminders")
        headers = {"ETag": etag}
        return answer(None, status=304, headers=headers) if unchanged else answer(body, headers=headers)


@post(
    BASE + "/plan/ack",
    status_code=204,
    actors=("citizen",),
    operation_id="acknowledge_reminder_plan",
    tags=TAGS,
    problems=(INVALID_FIELD, PLAN_CHANGED, NO_DEVICE_OF_SESSION, DEVICE_ON_PROBATION, NOT_YOUR_BOOK),
)
async def ack(data: JSONBody[PlanAck], call: NamedDependency[Call]) -> Response[None]:
    """Say that this session's device has set the plan's alarms: nothing is pushed to it that they say."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        reader = reader_of(call, access)
        return answer(await acknowledge(tx, reader, data.version, data.covers_until, call.now))


handlers: list[Any] = [plan, ack]
