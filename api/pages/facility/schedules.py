"""Schedules: what people book here, its times and places, and a time that is called off."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, PLANNERS, DeskVisit, open_desk, status_of
from api.pages.facility.schedules_view import by_day, changeable, slots_of
from api.pages.uploading import once_of
from api.request import Call
from kernel.clock import local_day
from kernel.paging import PAGE_MAX
from kernel.problems import Refused
from visits.slots.problems import SLOT_INVALID, SLOT_UNKNOWN

TITLE: Final = ("Lịch khám", "Schedules")
BASE: Final = "/v1/facility/schedules"
ONE: Final = "/facility/schedules/{schedule_id:uuid}"
DOCTORS: Final = ("doctor", "nurse", "vaccinator", "pharmacist")


@get("/facility/schedules", operation_id="page_facility_schedules", **FACILITY)
async def list_schedules(call: NamedDependency[Call]) -> Response[bytes]:
    """The open ones, and a form for one more."""
    return await _list(await open_desk(call))


@post("/facility/schedules", operation_id="page_facility_schedule_make", **FACILITY)
async def make_schedule(call: NamedDependency[Call]) -> Response[bytes]:
    """A new one, at first without times."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {name: form.get(name, "").strip() for name in ("name", "reason")}
    body |= {name: form[name] for name in ("unit_id", "practitioner_id") if form.get(name)}
    done = await visit.send("POST", BASE, body, headers=once_of(form))
    if isinstance(done, Refused):
        return await _list(visit, done, form)
    return visit.did("schedule-made", f"/facility/schedules/{done['schedule_id']}")


async def _list(
    visit: DeskVisit, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    every = (await visit.read(BASE, limit=PAGE_MAX))["items"]
    plans = visit.role in PLANNERS
    units = (await visit.read("/v1/facility/units"))["items"] if plans else []
    return visit.show(
        "facility/schedules.html",
        TITLE,
        nav="appointments",
        status=status_of(problem),
        problem=problem,
        schedules=[one for one in every if one["state"] == "open"],
        ended=[one for one in every if one["state"] != "open"],
        units=units,
        people=await _people(visit),
        plans=plans,
        typed=typed or {},
    )


async def _people(visit: DeskVisit) -> dict[str, str]:
    """Who can see people here, by id: what an administrator alone may read."""
    if visit.role != "facility-admin":
        return {}
    staff = (await visit.read("/v1/facility/staff", limit=PAGE_MAX))["items"]
    return {one["practitioner_id"]: one["name"] for one in staff if one["role"] in DOCTORS}


@get(ONE, operation_id="page_facility_schedule", **FACILITY)
async def show_schedule(schedule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The times of a schedule, and how full they are."""
    return await _one(await open_desk(call), schedule_id)


async def _one(
    visit: DeskVisit, schedule_id: UUID, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    found = await visit.read(f"{BASE}/{schedule_id}")
    ahead, past = by_day(found["slots"], visit.call.now)
    return visit.show(
        "facility/schedule.html",
        TITLE,
        nav="appointments",
        status=status_of(problem),
        problem=problem,
        schedule=found,
        ahead=ahead,
        past=past,
        changeable=changeable(found["slots"], visit.call.now),
        plans=visit.role in PLANNERS and found["state"] == "open",
        tomorrow=local_day(visit.call.now) + timedelta(days=1),
        typed=typed or {},
    )


@post(ONE + "/slots", operation_id="page_facility_slots_add", **FACILITY)
async def add_slots(schedule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Times of a day, one after the other."""
    visit = await open_desk(call)
    form = await visit.form()
    slots = slots_of(form)
    if slots is None:
        return await _one(visit, schedule_id, Refused(problem=SLOT_INVALID), form)
    done = await visit.send("POST", f"{BASE}/{schedule_id}/slots", {"slots": slots})
    if isinstance(done, Refused):
        return await _one(visit, schedule_id, done, form)
    return visit.did("slots-added", f"/facility/schedules/{schedule_id}")


@post(ONE + "/slots/change", operation_id="page_facility_slot_change", **FACILITY)
async def change_slot(schedule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """More or fewer places of one time, or that time called off."""
    visit = await open_desk(call)
    form = await visit.form()
    slot, is_end = _ident(form.get("slot", "")), form.get("act") == "close"
    if slot is None:
        return await _one(visit, schedule_id, Refused(problem=SLOT_UNKNOWN), form)
    path = f"{BASE}/{schedule_id}/slots/{slot}/{'close' if is_end else 'capacity'}"
    done = await visit.send("POST", path, _changed(form, is_end=is_end))
    if isinstance(done, Refused):
        return await _one(visit, schedule_id, done, form)
    return visit.did("slot-closed" if is_end else "slot-resized", f"/facility/schedules/{schedule_id}")


def _changed(form: dict[str, str], *, is_end: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"reason": form.get("reason", "").strip()}
    if is_end:
        return body
    # What is no number goes on as it is: the service says so.
    places = form.get("capacity", "").strip()
    return body | {"capacity": int(places) if places.isdecimal() else places}


@post(ONE + "/close", operation_id="page_facility_schedule_close", **FACILITY)
async def close_schedule(schedule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The end of a schedule: who stands in it is called off and told."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"reason": form.get("reason", "").strip()}
    done = await visit.send("POST", f"{BASE}/{schedule_id}/close", body)
    if isinstance(done, Refused):
        return await _one(visit, schedule_id, done, form)
    return visit.did("schedule-closed", "/facility/schedules")


def _ident(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


handlers: list[Any] = [
    list_schedules,
    make_schedule,
    show_schedule,
    add_slots,
    change_slot,
    close_schedule,
]
