"""What a person or a relative said of the own health, and a doctor's word on it: confirmed or refuted."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.entries_view import SHOWING
from api.pages.doctor.granted import grant_of, show_patient
from api.pages.doctor.patients import PATIENT
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Người bệnh tự khai", "What the patient said")
NAV: Final = "said"
VERSION_MAX: Final = 9


@get(PATIENT + "/statements", operation_id="page_doctor_statements", **STAFF)
async def statements(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """All that stands and that the grant reaches; refuted ones too, marked."""
    return await _show(open_visit(call, "staff"), patient_id)


@post(
    PATIENT + "/statements/{statement_id:uuid}/verdict", operation_id="page_doctor_statement_verdict", **STAFF
)
async def say_verdict(
    patient_id: FromPath[UUID], statement_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """Confirm or refute; it stays as it was said, and the person is told."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    version = form.get("version", "")
    known = version.isascii() and version.isdigit() and len(version) <= VERSION_MAX
    body = {"outcome": form.get("outcome", ""), "version": int(version) if known else 0}
    if form.get("note", "").strip():
        body["note"] = form["note"].strip()[:1000]
    path = f"/v1/doctor/patients/{patient_id}/statements/{statement_id}/verdict"
    done = await visit.send("PUT", path, body)
    if isinstance(done, Refused):
        return await _show(visit, patient_id, done)
    return visit.go(f"/doctor/patients/{patient_id}/statements")


async def _show(visit: Visit, patient_id: UUID, wrong: Refused | None = None) -> Shown:
    grant, template = await grant_of(visit, patient_id), "doctor/statements.html"
    if grant and grant["state"] != "live":
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav=NAV)
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/statements")
    if isinstance(found, Refused):
        return show_patient(visit, template, TITLE, patient_id, grant, nav=NAV, problem=found)
    return show_patient(
        visit, template, TITLE, patient_id, grant, nav=NAV, wrong=wrong, page=found, **SHOWING
    )


handlers: list[Any] = [statements, say_verdict]
