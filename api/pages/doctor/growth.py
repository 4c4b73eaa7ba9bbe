"""How a child grows, beside WHO's standards, where the grant reaches it."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import growth_view as view
from api.pages.doctor.granted import grant_of, is_outside, show_patient
from api.pages.doctor.patients import PATIENT
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR
from kernel.access import RecordType
from kernel.problems import Refused, refuse

TITLE: Final = ("Tăng trưởng", "Growth")
TYPES: Final[frozenset[RecordType]] = frozenset({"Observation.vital-signs"})
NAV: Final = "vitals"
Ident = FromPath[Annotated[int, PathParameter(ge=1, le=99)]]


@get(PATIENT + "/growth", operation_id="page_doctor_growth", **STAFF)
async def growth(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The newest of each measure; one picture and its table."""
    return await _show(open_visit(call, "staff"), patient_id, None)


@get(PATIENT + "/growth/{ident:int}", operation_id="page_doctor_growth_measure", **STAFF)
async def growth_measure(
    patient_id: FromPath[UUID], ident: Ident, call: NamedDependency[Call]
) -> Response[bytes]:
    """Another measure's picture and table. A page carries one picture: they are large."""
    return await _show(open_visit(call, "staff"), patient_id, ident)


async def _show(visit: Visit, patient_id: UUID, ident: int | None) -> Shown:
    grant, template = await grant_of(visit, patient_id), "doctor/growth.html"
    if grant and (grant["state"] != "live" or is_outside(grant, TYPES)):
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav=NAV)
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/growth")
    if isinstance(found, Refused):
        why = found.problem if found.problem in (CHILDREN_ONLY, PERSON_UNCLEAR) else None
        problem = None if why else found
        return show_patient(visit, template, TITLE, patient_id, grant, nav=NAV, problem=problem, why=why)
    measures = view.measures(found, english=visit.display.language == "en")
    drawn = [one for one in measures if ident in (None, one["ident"])][:1]
    if ident is not None and not drawn:
        refuse(NOT_FOUND)
    for one in drawn:
        picture = await visit.picture(f"/v1/doctor/patients/{patient_id}/{one['chart']}")
        one["picture"] = None if isinstance(picture, Refused) else picture
    shown = {"found": found, "measures": measures, "drawn": drawn}
    return show_patient(visit, template, TITLE, patient_id, grant, nav=NAV, **shown)


handlers: list[Any] = [growth, growth_measure]
