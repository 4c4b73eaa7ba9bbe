"""Appointments: those one has, what is held for one, and giving a place back."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.appointments_view import split, weekday
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Lịch hẹn", "Appointments")
TITLE_ONE: Final = ("Một lịch hẹn", "One appointment")
APPOINTMENTS: Final = "/v1/me/appointments"
PAGE: Final = 50


@get("/me/appointments", operation_id="page_me_appointments", **CITIZEN)
async def appointments(call: NamedDependency[Call]) -> Response[bytes]:
    """What is to come, letters by which a visit can be booked, and what was."""
    return await _list(open_visit(call, "citizen"), None)


@post("/me/appointments", status_code=200, operation_id="page_me_appointments_more", **CITIZEN)
async def more_appointments(call: NamedDependency[Call]) -> Response[bytes]:
    """Older ones. The place in the list goes in the form, not in the address."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _list(visit, form.get("cursor") or None)


async def _list(visit: Visit, cursor: str | None) -> Response[bytes]:
    page = await visit.read(APPOINTMENTS, limit=PAGE, cursor=cursor)
    letters = await visit.ask("/v1/me/letters", limit=PAGE) if cursor is None else {"items": []}
    found = [] if isinstance(letters, Refused) else letters["items"]
    return visit.show(
        "citizen/appointments.html",
        TITLE,
        nav="appointments",
        list=split(page["items"], visit.call.now),
        letters=[one for one in found if one["may_book"]],
        following=page["next"],
        is_first=cursor is None,
        weekday=weekday,
    )


@get("/me/appointments/{appointment_id:uuid}", operation_id="page_me_appointment", **CITIZEN)
async def appointment(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One of them: say yes while it is held, take it along, give it back."""
    return await _one(open_visit(call, "citizen"), appointment_id)


@post("/me/appointments/{appointment_id:uuid}/confirm", operation_id="page_me_appointment_confirm", **CITIZEN)
async def confirm(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Book the place that is held."""
    return await _act(open_visit(call, "citizen"), appointment_id, "confirm")


@post("/me/appointments/{appointment_id:uuid}/cancel", operation_id="page_me_appointment_cancel", **CITIZEN)
async def cancel(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Give the place back, or leave the waiting list."""
    return await _act(open_visit(call, "citizen"), appointment_id, "cancel")


@get(
    "/me/appointments/{appointment_id:uuid}/calendar.ics",
    operation_id="page_me_appointment_calendar",
    **CITIZEN,
)
async def calendar(appointment_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """For the calendar of a phone, without what it is for."""
    return open_visit(call, "citizen").download(f"{APPOINTMENTS}/{appointment_id}/calendar.ics")


async def _act(visit: Visit, appointment_id: UUID, act: str) -> Response[bytes]:
    await visit.form()
    done = await visit.send("POST", f"{APPOINTMENTS}/{appointment_id}/{act}")
    if isinstance(done, Refused):
        return await _one(visit, appointment_id, done)
    return visit.go(f"/me/appointments/{appointment_id}")


async def _one(visit: Visit, appointment_id: UUID, problem: Refused | None = None) -> Response[bytes]:
    found = await visit.read(f"{APPOINTMENTS}/{appointment_id}")
    return visit.show(
        "citizen/appointment.html",
        TITLE_ONE,
        nav="appointments",
        status=problem.problem.status if problem else 200,
        problem=problem,
        one=found,
        day=weekday(found["starts_at"], english=visit.display.language == "en"),
    )


handlers: list[Any] = [appointments, more_appointments, appointment, confirm, cancel, calendar]
