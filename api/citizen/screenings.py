"""Exams that are due by the rules, what the person chooses of them, and what is said about food."""

from datetime import date, time
from typing import Annotated, Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reading import OWN_PROBLEMS, Build, read_beside_record
from api.reminding import noted
from api.request import Call, answer
from ehr.reads.models import Built
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.clock import WallTime
from kernel.problems import Refused
from reminders.nutrition import service as nutrition
from reminders.nutrition.models import Nutrition, Weekly
from reminders.screening import service as screening
from reminders.screening.models import Choice, Screenings
from reminders.screening.problems import NO_SUCH_SCREENING, SCREENING_DAY_WRONG
from store.database import Tx

TAGS = ["reminders"]


class ScreeningBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """is_on: null as the rule says; done_on: when it was done where the book does not know of it."""

    is_on: bool | None = None
    done_on: date | None = None


class WeeklyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """weekday: 1 is Monday; at: wall time."""

    is_on: bool
    weekday: Annotated[int, Meta(ge=1, le=7)]
    at: WallTime


@get(
    "/v1/me/screenings",
    actors=("citizen",),
    operation_id="read_own_screenings",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def screenings(call: NamedDependency[Call]) -> Response[Screenings]:
    """Exams that the rules ask for: what is due, why, and by which text."""
    build = due(call)
    return await read_beside_record(call, "read-section", build, is_logged=True, part="screenings")


@put(
    "/v1/me/screenings/{rule:str}",
    actors=("citizen",),
    operation_id="choose_screening",
    tags=TAGS,
    problems=(INVALID_FIELD, NO_SUCH_SCREENING, SCREENING_DAY_WRONG, DEVICE_ON_PROBATION),
)
async def choose_screening(
    rule: FromPath[str], data: JSONBody[ScreeningBody], call: NamedDependency[Call]
) -> Response[Choice]:
    """Switch an exam's rule on or off, and say when it was done elsewhere."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        done = await screening.choose(tx, access, rule, data.is_on, data.done_on, call.now)
        if not isinstance(done, Refused):
            await noted(tx, call, access, "reminder:screening:change")
        return answer(done)


@get(
    "/v1/me/nutrition",
    actors=("citizen",),
    operation_id="read_own_nutrition",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def food(call: NamedDependency[Call]) -> Response[Nutrition]:
    """What diet orders, advice and reviewed articles say about food, each with its source."""
    build = said(call)
    return await read_beside_record(call, "read-section", build, is_logged=True, part="nutrition")


@put(
    "/v1/me/nutrition/weekly",
    actors=("citizen",),
    operation_id="choose_nutrition",
    tags=TAGS,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION),
)
async def choose_nutrition(data: JSONBody[WeeklyBody], call: NamedDependency[Call]) -> Response[Weekly]:
    """Choose whether and when to be told of it once a week."""
    async with begin_for(call, "manage-reminders") as (tx, access):
        at = time.fromisoformat(data.at)
        done = await nutrition.choose(tx, access, data.is_on, data.weekday, at, call.now)
        await noted(tx, call, access, "reminder:nutrition:change")
        return answer(done)


def due(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await screening.read(tx, call.keys, access, call.now)

    return build


def said(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await nutrition.read(tx, access, call.now)

    return build


handlers: list[Any] = [screenings, choose_screening, food, choose_nutrition]
