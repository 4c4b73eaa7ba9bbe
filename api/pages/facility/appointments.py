"""The appointments of a day, by slot; who came and who did not."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import DESK, FACILITY, PLANNERS, DeskVisit, open_desk, status_of
from api.pages.facility.words import BOOKING_STATES, SEXES
from api.request import Call
from kernel.clock import local_day
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

TITLE: Final = ("Lịch hẹn", "Appointments")
BASE: Final = "/v1/facility/appointments"
ONE_DAY: Final = "/facility/appointments/{day:str}"
AHEAD: Final = 14
OUTCOMES: Final = ("attended", "absent", "called-off")


@get("/facility/appointments", operation_id="page_facility_appointments", **FACILITY)
async def today(call: NamedDependency[Call]) -> Response[bytes]:
    """Today's list; an administrator, who sees no names, the schedules alone."""
    visit = await open_desk(call)
    return await _day(visit, local_day(call.now))


@get(ONE_DAY, operation_id="page_facility_appointment_day", **FACILITY)
async def one_day(day: FromPath[date], call: NamedDependency[Call]) -> Response[bytes]:
    """The list of another day."""
    return await _day(await open_desk(call), day)


@post(ONE_DAY, operation_id="page_facility_appointment_more", **FACILITY)
async def more(day: FromPath[date], call: NamedDependency[Call]) -> Response[bytes]:
    """The next page of a long list."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _day(visit, day, cursor=form.get("cursor"))


@post(
    "/facility/appointments/{day:str}/{appointment_id:uuid}", operation_id="page_facility_outcome", **FACILITY
)
async def mark(
    day: FromPath[date], appointment_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """Came, did not come, or called off."""
    visit = await open_desk(call)
    outcome = (await visit.form()).get("outcome", "")
    done = await visit.send("POST", f"{BASE}/{appointment_id}/outcome", {"outcome": outcome})
    if isinstance(done, Refused):
        return await _day(visit, day, problem=done)
    return visit.did(outcome, f"/facility/appointments/{day.isoformat()}")


async def _day(
    visit: DeskVisit, day: date, *, cursor: str | None = None, problem: Refused | None = None
) -> Response[bytes]:
    first = local_day(visit.call.now)
    found = await visit.read(BASE, day=day.isoformat(), cursor=cursor) if visit.role in DESK else None
    return visit.show(
        "facility/appointments.html",
        TITLE,
        nav="appointments",
        status=status_of(problem),
        problem=problem,
        day=day,
        today=first,
        days=[first + timedelta(days=number) for number in range(-1, AHEAD)],
        slots=by_slot(found["items"]) if found else [],
        next=found["next"] if found else None,
        schedules=await _schedules(visit),
        is_desk=found is not None,
        plans=visit.role in PLANNERS,
        states=BOOKING_STATES,
        sexes=SEXES,
    )


async def _schedules(visit: DeskVisit) -> list[dict[str, Any]]:
    every = (await visit.read("/v1/facility/schedules", limit=PAGE_MAX))["items"]
    return [one for one in every if one["state"] == "open"]


def by_slot(items: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Appointments under their slot, in the order in which they came."""
    grouped = groupby(items, key=lambda one: one["slot_id"])
    return [(lines[0], lines) for lines in (list(group) for _, group in grouped)]


handlers: list[Any] = [today, one_day, more, mark]
