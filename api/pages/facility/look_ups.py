"""Whom a number means: initials first, then one more fact, and only then the person.

What was found stands on the page of the answer alone; a candidate's text names the person to this account for
fifteen minutes and goes from form to form, never into an address.
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.facility.desk import written_date
from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, problem_of, status_of
from api.pages.facility.words import NUMBER_KINDS, PURPOSES, SEXES
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Tìm người bệnh", "Find a person")
KINDS: Final = ("national-id", "insurance-card", "insurance-number", "phone")


@get("/facility/look-ups", operation_id="page_facility_look_ups", **FACILITY)
async def show_look_up(call: NamedDependency[Call]) -> Response[bytes]:
    """The form."""
    return await _page(await open_desk(call))


@post("/facility/look-ups", operation_id="page_facility_look_up", **FACILITY)
async def look_up(call: NamedDependency[Call]) -> Response[bytes]:
    """Initials and birth years of whom the number can mean; or why nobody is there, and what to do."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {name: form.get(name, "").strip() for name in ("kind", "value", "purpose")}
    done = await visit.send("POST", "/v1/facility/look-ups", body)
    found = None if isinstance(done, Refused) else done
    return await _page(visit, problem=problem_of(done), typed=form, found=found)


@post("/facility/look-ups/match", operation_id="page_facility_look_up_match", **FACILITY)
async def match(call: NamedDependency[Call]) -> Response[bytes]:
    """One more fact: then the person is named."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"candidate": form.get("candidate", "")}
    if form.get("name", "").strip():
        body["name"] = form["name"].strip()
    if form.get("birth_date", "").strip():
        body["birth_date"] = written_date(form["birth_date"].strip())
    done = await visit.send("POST", "/v1/facility/look-ups/match", body)
    again = form if isinstance(done, Refused) else None
    person = None if isinstance(done, Refused) else done
    return await _page(visit, problem=problem_of(done), again=again, person=person)


@post("/facility/look-ups/arrival", operation_id="page_facility_look_up_arrival", **FACILITY)
async def note_arrival(call: NamedDependency[Call]) -> Response[bytes]:
    """The person who was matched came."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {name: form[name] for name in ("candidate", "counter_id") if form.get(name)}
    done = await visit.send("POST", "/v1/facility/look-ups/arrival", body)
    arrived = None if isinstance(done, Refused) else done
    return await _page(visit, problem=problem_of(done), arrived=arrived)


async def _page(visit: DeskVisit, **more: Any) -> Response[bytes]:
    counters = (await visit.read("/v1/facility/counters"))["items"] if more.get("person") else []
    members = {"typed": {}, "found": None, "again": None, "person": None, "arrived": None, **more}
    return visit.show(
        "facility/look_ups.html",
        TITLE,
        nav="look-up",
        status=status_of(more.get("problem")),
        kinds=KINDS,
        numbers=NUMBER_KINDS,
        purposes=PURPOSES,
        sexes=SEXES,
        counters=counters,
        **members,
    )


handlers: list[Any] = [show_look_up, look_up, match, note_arrival]
