"""Who is registered for vaccines on a day: the list, what somebody answered beforehand, who came; and doses
of long ago that a second account here confirms."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.appointments import AHEAD, by_slot
from api.pages.facility.desk_visit import FACILITY, VACCINATORS, DeskVisit, open_desk, status_of
from api.pages.facility.words import BOOKING_STATES, SCREENING_ANSWERS, SEXES, VERDICTS
from api.request import Call
from kernel.clock import local_day
from kernel.problems import Refused

TITLE: Final = ("Tiêm chủng", "Vaccination")
BASE: Final = "/v1/facility/vaccination-registrations"
CONFIRM: Final = "/v1/facility/vaccination-confirmations"
ONE_DAY: Final = "/facility/vaccination/{day:str}"
ONE: Final = "/facility/vaccination/registrations/{registration_id:uuid}"


@get("/facility/vaccination", operation_id="page_facility_vaccination", **FACILITY)
async def today(call: NamedDependency[Call]) -> Response[bytes]:
    """Today's list; an administrator, who sees no registrations, the doses to confirm alone."""
    visit = await open_desk(call)
    return await _day(visit, local_day(call.now))


@get(ONE_DAY, operation_id="page_facility_vaccination_day", **FACILITY)
async def one_day(day: FromPath[date], call: NamedDependency[Call]) -> Response[bytes]:
    """The list of another day."""
    return await _day(await open_desk(call), day)


@post(ONE_DAY, operation_id="page_facility_vaccination_more", **FACILITY)
async def more(day: FromPath[date], call: NamedDependency[Call]) -> Response[bytes]:
    """The next page of a long list."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _day(visit, day, cursor=form.get("cursor"))


async def _day(
    visit: DeskVisit, day: date, *, cursor: str | None = None, problem: Refused | None = None
) -> Response[bytes]:
    first, gives = local_day(visit.call.now), visit.role in VACCINATORS
    found = await visit.read(BASE, day=day.isoformat(), cursor=cursor) if gives else None
    return visit.show(
        "facility/vaccination.html",
        TITLE,
        nav="vaccination",
        status=status_of(problem),
        problem=problem,
        day=day,
        today=first,
        days=[first + timedelta(days=number) for number in range(-1, AHEAD)],
        slots=by_slot(found["items"]) if found else [],
        next=found["next"] if found else None,
        gives=gives,
        to_confirm=(await visit.read(CONFIRM))["items"],
        states=BOOKING_STATES,
        verdicts=VERDICTS,
        sexes=SEXES,
    )


@get(ONE, operation_id="page_facility_registration", **FACILITY)
async def show_registration(registration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One registration with the answers given beforehand. That it was opened stands in the person's log."""
    return await _one(await open_desk(call), registration_id)


@post(ONE, operation_id="page_facility_registration_mark", **FACILITY)
async def mark(registration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Came, or did not come."""
    visit = await open_desk(call)
    outcome = (await visit.form()).get("outcome", "")
    done = await visit.send("POST", f"{BASE}/{registration_id}/outcome", {"outcome": outcome})
    if isinstance(done, Refused):
        return await _one(visit, registration_id, done)
    return visit.did(outcome, f"/facility/vaccination/registrations/{registration_id}")


async def _one(visit: DeskVisit, registration_id: UUID, problem: Refused | None = None) -> Response[bytes]:
    found = await visit.read(f"{BASE}/{registration_id}")
    day = local_day(datetime.fromisoformat(found["starts_at"]))
    return visit.show(
        "facility/registration.html",
        ("Đăng ký tiêm", "Registration"),
        nav="vaccination",
        status=status_of(problem),
        problem=problem,
        found=found,
        day=day,
        has_come=day <= local_day(visit.call.now),
        states=BOOKING_STATES,
        verdicts=VERDICTS,
        answers=SCREENING_ANSWERS,
        sexes=SEXES,
    )


@post(
    "/facility/vaccination/confirmations/{confirmation_id:uuid}",
    operation_id="page_facility_dose_confirm",
    **FACILITY,
)
async def confirm(confirmation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """It was given as it stands. Whoever entered it cannot say so."""
    visit = await open_desk(call)
    await visit.form()
    done = await visit.send("POST", f"{CONFIRM}/{confirmation_id}/confirm")
    if isinstance(done, Refused):
        return await _day(visit, local_day(call.now), problem=done)
    return visit.did("dose-confirmed", "/facility/vaccination")


handlers: list[Any] = [today, one_day, more, show_registration, mark, confirm]
