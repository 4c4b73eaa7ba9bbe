"""A visit that is not in the book: where it was and on which day, told to the facility."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from ehr.cases.problems import CASE_INVALID
from kernel.problems import Refused

TITLE: Final = ("Báo thiếu một lần khám", "A visit is missing")
PATH: Final = "/me/cases/missing"
AT: Final = f"{PATH}/{{facility_id:uuid}}"


@get(PATH, operation_id="page_me_missing_visit", **CITIZEN)
async def start(call: NamedDependency[Call]) -> Response[bytes]:
    """Where it was: facilities by their name."""
    return _where(open_visit(call, "citizen"), "", None)


@post(PATH, status_code=200, operation_id="page_me_missing_visit_find", **CITIZEN)
async def find(call: NamedDependency[Call]) -> Response[bytes]:
    """What the name finds; the words go in the form."""
    visit = open_visit(call, "citizen")
    words = (await visit.form()).get("words", "").strip()
    return _where(visit, words, await visit.ask("/v1/facilities", q=words))


@get(AT, operation_id="page_me_missing_visit_at", **CITIZEN)
async def at_facility(facility_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """On which day it was there."""
    return await _when(open_visit(call, "citizen"), facility_id, {})


@post(AT, status_code=200, operation_id="page_me_missing_visit_send", **CITIZEN)
async def send(facility_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Tell the facility; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"kind": "missing-visit", "facility_id": str(facility_id), "text": form.get("text", "").strip()}
    day = _day(form.get("visit_on", ""))
    if day is None:
        return await _when(visit, facility_id, form, Refused(problem=CASE_INVALID, where="visit_on"))
    done = await visit.send("POST", "/v1/me/cases", body | {"visit_on": day}, headers=once_of(form))
    if isinstance(done, Refused):
        return await _when(visit, facility_id, form, done)
    return visit.go(f"/me/cases/{done['case_id']}")


def _day(typed: str) -> str | None:
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        return None


def _where(visit: Visit, words: str, found: Any) -> Response[bytes]:
    problem = found if isinstance(found, Refused) else None
    return visit.show(
        "citizen/missing_where.html",
        TITLE,
        nav="timeline",
        status=problem.problem.status if problem else 200,
        problem=problem,
        words=words,
        found=None if problem or found is None else found["items"],
    )


async def _when(
    visit: Visit, facility_id: UUID, typed: dict[str, str], problem: Refused | None = None
) -> Response[bytes]:
    place = (await visit.read(f"/v1/facilities/{facility_id}"))["facility"]
    return visit.show(
        "citizen/missing_when.html",
        TITLE,
        nav="timeline",
        status=problem.problem.status if problem else 200,
        problem=problem,
        wrong=problem.where if problem else "",
        place=place,
        typed=typed,
        once=new_key(),
    )


handlers: list[Any] = [start, find, at_facility, send]
