"""A doctor hands a part of the own access to a nurse of the same facility, and takes it back."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.doctor.granted import grant_of, kinds_of, show_patient
from api.pages.doctor.patients import PATIENT
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.request import Call
from consent.problems import NO_ACCESS
from consent.role_caps import cap_of_role
from kernel.problems import Refused

TITLE: Final = ("Giao cho điều dưỡng", "Hand on to a nurse")
BASE: Final = PATIENT + "/delegations"


@get(BASE, operation_id="page_doctor_delegations", **STAFF)
async def delegations(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Who of the nurses reads along, and the form for one more."""
    return await _show(open_visit(call, "staff"), patient_id, {})


@post(BASE, operation_id="page_doctor_delegate", **STAFF)
async def delegate(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Hand it on; the person is told."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    ticked = [kind for kind in cap_of_role("nurse").delegated if f"type-{kind}" in form]
    body = {"licence": form.get("licence", "").strip()[:40] or "-", "types": sorted(ticked) or None}
    done = await visit.send("POST", f"/v1/doctor/patients/{patient_id}/delegations", body)
    if isinstance(done, Refused):
        return await _show(visit, patient_id, form, done)
    return visit.go(f"/doctor/patients/{patient_id}/delegations")


@post(BASE + "/{delegation_id:uuid}/end", operation_id="page_doctor_end_delegation", **STAFF)
async def end(
    patient_id: FromPath[UUID], delegation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """Take it back; the nurse's next request is refused."""
    visit = open_visit(call, "staff")
    await visit.form()
    path = f"/v1/doctor/patients/{patient_id}/delegations/{delegation_id}"
    done = await visit.send("DELETE", path)
    if isinstance(done, Refused):
        return await _show(visit, patient_id, {}, done)
    return visit.go(f"/doctor/patients/{patient_id}/delegations")


async def _show(visit: Visit, patient_id: UUID, form: dict[str, str], wrong: Refused | None = None) -> Shown:
    grant, template, english = await grant_of(visit, patient_id), "doctor/delegations.html", _english(visit)
    if grant is None or grant["is_emergency"] or not grant["is_doctor"]:
        problem = wrong or Refused(problem=NO_ACCESS)
        return show_patient(visit, template, TITLE, patient_id, grant, nav="", problem=problem)
    if grant["state"] != "live":
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav="")
    shared = sorted(set(grant["types"]) & cap_of_role("nurse").delegated)
    handed = [{**one, "kinds": kinds_of(one["types"], english=english)} for one in grant["delegations"]]
    return show_patient(
        visit,
        template,
        TITLE,
        patient_id,
        grant,
        nav="",
        wrong=wrong,
        handed=handed,
        typed=form,
        boxes=[(kind, kinds_of([kind], english=english)[0]) for kind in shared],
    )


def _english(visit: Visit) -> bool:
    return visit.display.language == "en"


handlers: list[Any] = [delegations, delegate, end]
