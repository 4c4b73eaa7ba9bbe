"""A patient's summary, and giving the access back."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.entries_view import SHOWING
from api.pages.citizen.vitals_view import latest_rows
from api.pages.doctor.granted import grant_of, kinds_of, show_patient
from api.pages.doctor.summary_view import due_rows, sheet_of
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.request import Call
from consent.policy import DEFAULT_TYPES
from kernel.problems import Refused

TITLE: Final = ("Tóm tắt hồ sơ", "Summary")
PATIENT: Final = "/doctor/patients/{patient_id:uuid}"
HOME_MAX: Final = 6


@get(PATIENT, operation_id="page_doctor_patient", **STAFF)
async def summary(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The first screen of a record, in the order of the design."""
    visit = open_visit(call, "staff")
    grant = await grant_of(visit, patient_id)
    if grant and grant["state"] != "live":
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav="summary")
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/summary")
    beside = {} if isinstance(found, Refused) else await _beside(visit, patient_id, grant)
    return _show_summary(visit, patient_id, grant, found, beside)


async def _beside(visit: Visit, patient_id: UUID, grant: dict[str, Any] | None) -> dict[str, Any]:
    """What the first screen shows besides the summary, where the grant names it: doses that are due, and the
    newest values of home. Read here and not by the page later, so that one opening stays one line of the log.
    """
    named, path = set((grant and grant["types"]) or ()), f"/v1/doctor/patients/{patient_id}"
    plans = await visit.ask(f"{path}/vaccination/schedule") if "Immunization" in named else None
    values = await visit.ask(f"{path}/vitals/latest") if "Observation.wearable" in named else None
    english = visit.display.language == "en"
    return {
        "due": None if plans is None or isinstance(plans, Refused) else due_rows(plans),
        "home": None
        if values is None or isinstance(values, Refused)
        else latest_rows(values, english=english)[:HOME_MAX],
    }


def _show_summary(
    visit: Visit,
    patient_id: UUID,
    grant: dict[str, Any] | None,
    found: dict[str, Any] | Refused,
    beside: dict[str, Any],
) -> Shown:
    template, nav = "doctor/summary.html", "summary"
    if isinstance(found, Refused):
        return show_patient(visit, template, TITLE, patient_id, grant, nav=nav, problem=found)
    granted = grant["types"] if grant else None
    return show_patient(
        visit,
        template,
        TITLE,
        patient_id,
        grant,
        nav=nav,
        summary=found,
        sheet=sheet_of(found, granted),
        withheld=kinds_of(
            DEFAULT_TYPES - set(granted or DEFAULT_TYPES), english=visit.display.language == "en"
        ),
        **beside,
        **SHOWING,
    )


@get(PATIENT + "/summary.pdf", operation_id="page_doctor_sheet", **STAFF)
async def sheet(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The summary on one A4 page, as the service draws it."""
    return open_visit(call, "staff").download(f"/v1/doctor/patients/{patient_id}/summary.pdf")


@post("/doctor/grants/{grant_id:uuid}/end", operation_id="page_doctor_end", **STAFF)
async def end(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Give the access back; the person sees it in the log."""
    visit = open_visit(call, "staff")
    await visit.form()
    done = await visit.send("DELETE", f"/v1/doctor/grants/{grant_id}")
    problem = done if isinstance(done, Refused) else None
    status = problem.problem.status if problem else 200
    title = ("Đã kết thúc xem", "Access ended")
    return visit.show("doctor/ended.html", title, status=status, nav="start", problem=problem)


@get("/doctor/ended", operation_id="page_doctor_ended", **STAFF)
async def ended(call: NamedDependency[Call]) -> Response[bytes]:
    """Where a patient's page leads by itself when the access is over (api/pages/alive.py)."""
    title = ("Đã hết quyền xem", "Access is over")
    return open_visit(call, "staff").show("doctor/ended.html", title, nav="start")


handlers: list[Any] = [summary, sheet, end, ended]
