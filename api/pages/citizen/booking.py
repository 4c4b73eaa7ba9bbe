"""Booking a visit: find a facility, choose what for, choose a time. By a referral the facility is given."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.appointments import APPOINTMENTS, PAGE
from api.pages.citizen.appointments_view import days_of
from api.pages.citizen.entries_view import EntryId
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Đặt lịch khám", "Book a visit")
LETTER: Final = "/me/appointments/letters/{letter_id:str}"


@get("/me/appointments/new", operation_id="page_me_book", **CITIZEN)
async def start(call: NamedDependency[Call]) -> Response[bytes]:
    """Where: facilities that one had appointments at, or a search by name."""
    return await _start(open_visit(call, "citizen"), "", None)


@post("/me/appointments/new", status_code=200, operation_id="page_me_book_find", **CITIZEN)
async def find(call: NamedDependency[Call]) -> Response[bytes]:
    """Facilities by their name; the words go in the form."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    words = form.get("words", "").strip()
    return await _start(visit, words, await visit.ask("/v1/facilities", q=words))


async def _start(visit: Visit, words: str, found: Any) -> Response[bytes]:
    had = (await visit.read(APPOINTMENTS, limit=PAGE))["items"]
    problem = found if isinstance(found, Refused) else None
    items = None if found is None or isinstance(found, Refused) else found["items"]
    return visit.show(
        "citizen/book.html",
        TITLE,
        nav="appointments",
        status=problem.problem.status if problem else 200,
        problem=problem,
        words=words,
        found=items,
        had={one["facility_id"]: one["facility_name"] for one in had},
    )


@get("/me/appointments/at/{facility_id:uuid}", operation_id="page_me_book_facility", **CITIZEN)
async def facility(facility_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """What a facility takes appointments for."""
    visit = open_visit(call, "citizen")
    place = (await visit.read(f"/v1/facilities/{facility_id}"))["facility"]
    plans = await _plans(visit, facility_id)
    here = f"/me/appointments/at/{facility_id}"
    return visit.show(
        "citizen/book_facility.html", TITLE, nav="appointments", place=place, plans=plans, base=here
    )


@get(LETTER, operation_id="page_me_book_letter", **CITIZEN)
async def by_letter(letter_id: EntryId, call: NamedDependency[Call]) -> Response[bytes]:
    """What the facility that a referral goes to takes appointments for."""
    visit = open_visit(call, "citizen")
    letter = await visit.read(f"/v1/me/letters/{letter_id}")
    place = await _receiver(visit, letter)
    plans = await _plans(visit, place["facility_id"]) if place else []
    here = f"/me/appointments/letters/{letter_id}" + (f"/{place['facility_id']}" if place else "")
    shown = {"place": place, "plans": plans, "letter": letter, "base": here}
    return visit.show("citizen/book_facility.html", TITLE, nav="appointments", **shown)


async def _receiver(visit: Visit, letter: dict[str, Any]) -> dict[str, Any] | None:
    """The facility whose code a letter that still books names."""
    if not letter["may_book"]:
        return None
    found = await visit.ask("/v1/facilities", q=letter["receiver_code"])
    items = [] if isinstance(found, Refused) else found["items"]
    return next((one for one in items if one["code"] == letter["receiver_code"]), None)


async def _plans(visit: Visit, facility_id: Any) -> list[dict[str, Any]]:
    page = await visit.read(f"/v1/me/facilities/{facility_id}/schedules", limit=100)
    found: list[dict[str, Any]] = page["items"]
    return found


@get(
    "/me/appointments/at/{facility_id:uuid}/{schedule_id:uuid}", operation_id="page_me_book_times", **CITIZEN
)
async def times(
    facility_id: FromPath[UUID], schedule_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """Times that are free, by day."""
    return await _times(open_visit(call, "citizen"), facility_id, schedule_id, "")


@post(
    "/me/appointments/at/{facility_id:uuid}/{schedule_id:uuid}", operation_id="page_me_book_hold", **CITIZEN
)
async def hold(
    facility_id: FromPath[UUID], schedule_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """Keep a place for some minutes, or stand in the waiting list."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    ask = {"facility_id": str(facility_id), **_ask(schedule_id, form)}
    done = await visit.send("POST", APPOINTMENTS, ask, headers=once_of(form))
    if isinstance(done, Refused):
        return await _times(visit, facility_id, schedule_id, "", form, done)
    return visit.go(f"/me/appointments/{done['appointment_id']}")


@get(LETTER + "/{facility_id:uuid}/{schedule_id:uuid}", operation_id="page_me_book_letter_times", **CITIZEN)
async def letter_times(
    letter_id: EntryId,
    facility_id: FromPath[UUID],
    schedule_id: FromPath[UUID],
    call: NamedDependency[Call],
) -> Response[bytes]:
    """The same for the visit that a referral asks for."""
    return await _times(open_visit(call, "citizen"), facility_id, schedule_id, letter_id)


@post(LETTER + "/{facility_id:uuid}/{schedule_id:uuid}", operation_id="page_me_book_letter_take", **CITIZEN)
async def letter_take(
    letter_id: EntryId,
    facility_id: FromPath[UUID],
    schedule_id: FromPath[UUID],
    call: NamedDependency[Call],
) -> Response[bytes]:
    """Book by the referral, at once."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    path = f"/v1/me/letters/{letter_id}/appointment"
    done = await visit.send("POST", path, _ask(schedule_id, form), headers=once_of(form))
    if isinstance(done, Refused):
        return await _times(visit, facility_id, schedule_id, letter_id, form, done)
    return visit.go(f"/me/appointments/{done['appointment_id']}")


def _ask(schedule_id: UUID, form: dict[str, str]) -> dict[str, Any]:
    """What a form asks for; without a time an id of nothing, which the service refuses in its own words."""
    return {
        "schedule_id": str(schedule_id),
        "slot_id": form.get("slot_id", ""),
        "may_wait": "may_wait" in form,
        "is_private": "is_private" in form,
    }


async def _times(
    visit: Visit,
    facility_id: UUID,
    schedule_id: UUID,
    letter_id: str,
    typed: dict[str, str] | None = None,
    problem: Refused | None = None,
) -> Response[bytes]:
    plan = await visit.read(f"/v1/me/facilities/{facility_id}/schedules/{schedule_id}")
    above = f"/me/appointments/letters/{letter_id}" if letter_id else f"/me/appointments/at/{facility_id}"
    return visit.show(
        "citizen/book_times.html",
        TITLE,
        nav="appointments",
        status=problem.problem.status if problem else 200,
        problem=problem,
        plan=plan,
        days=days_of(plan["slots"], english=visit.display.language == "en"),
        above=above,
        action=f"{above}/{facility_id}/{schedule_id}" if letter_id else f"{above}/{schedule_id}",
        letter_id=letter_id,
        typed=typed or {},
        once=new_key(),
    )


handlers: list[Any] = [start, find, facility, by_letter, times, hold, letter_times, letter_take]
