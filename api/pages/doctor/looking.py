"""Looking for words in a patient's book, and one test over time. Both by a form: no address says what."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.entries_view import SHOWING, by_part
from api.pages.citizen.results_view import drawing_of
from api.pages.doctor.granted import grant_of, is_outside, show_patient
from api.pages.doctor.parts import RESULTS
from api.pages.doctor.patients import PATIENT
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Tìm trong sổ", "Search the book")
TITLE_TREND: Final = ("Một xét nghiệm qua các lần", "One test over time")


@get(PATIENT + "/search", operation_id="page_doctor_search", **STAFF)
async def search_form(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The field. Nothing is read before words are sent."""
    return await _search(open_visit(call, "staff"), patient_id, {})


@post(PATIENT + "/search", operation_id="page_doctor_search_words", **STAFF)
async def search(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """What the book holds of these words; tone marks count for nothing."""
    visit = open_visit(call, "staff")
    return await _search(visit, patient_id, await visit.form())


@post(PATIENT + "/results/trend", operation_id="page_doctor_trend", **STAFF)
async def trend(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One test over time, each value with the range that was valid then."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    grant = await grant_of(visit, patient_id)
    outside = grant is not None and (grant["state"] != "live" or is_outside(grant, RESULTS.types))
    if outside:
        return show_patient(visit, "doctor/refused.html", TITLE_TREND, patient_id, grant, nav="results")
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/results/trend", code=form.get("code", "-"))
    return _show_trend(visit, patient_id, grant, found)


async def _search(visit: Visit, patient_id: UUID, form: dict[str, str]) -> Shown:
    grant, words = await grant_of(visit, patient_id), form.get("q", "").strip()
    if grant and grant["state"] != "live":
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav="search")
    path = f"/v1/doctor/patients/{patient_id}/search"
    found = await visit.ask(path, q=words, cursor=form.get("cursor"), limit=50) if len(words) > 1 else None
    if isinstance(found, Refused):
        return show_patient(
            visit, "doctor/search.html", TITLE, patient_id, grant, nav="search", problem=found
        )
    return show_patient(
        visit,
        "doctor/search.html",
        TITLE,
        patient_id,
        grant,
        nav="search",
        words=words,
        page=found,
        parts=by_part(found["items"]) if found else [],
        **SHOWING,
    )


def _show_trend(visit: Visit, patient_id: UUID, grant: dict[str, Any] | None, found: Any) -> Shown:
    template, nav = "doctor/trend.html", "results"
    if isinstance(found, Refused):
        return show_patient(visit, template, TITLE_TREND, patient_id, grant, nav=nav, problem=found)
    english = visit.display.language == "en"
    return show_patient(
        visit,
        template,
        TITLE_TREND,
        patient_id,
        grant,
        nav=nav,
        drawings=[drawing_of(one, english=english) for one in found["series"]],
        **SHOWING,
    )


handlers: list[Any] = [search_form, search, trend]
