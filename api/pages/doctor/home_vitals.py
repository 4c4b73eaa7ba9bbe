"""What a patient's own devices measured, where the grant names it: newest, alerts, each kind over time."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen import vitals_view as view
from api.pages.doctor.granted import grant_of, is_outside, show_patient
from api.pages.doctor.patients import PATIENT
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.access import RecordType
from kernel.problems import Refused, refuse

TITLE: Final = ("Số đo tại nhà", "Home measurements")
TYPES: Final[frozenset[RecordType]] = frozenset({"Observation.wearable"})
NAV: Final = "vitals"
Kind = FromPath[Annotated[int, PathParameter(ge=1, le=999)]]


@get(PATIENT + "/home-vitals", operation_id="page_doctor_home_vitals", **STAFF)
async def newest(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The newest value of each kind."""
    visit = open_visit(call, "staff")
    grant = await grant_of(visit, patient_id)
    if grant and (grant["state"] != "live" or is_outside(grant, TYPES)):
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav=NAV)
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/vitals/latest")
    if isinstance(found, Refused):
        return show_patient(
            visit, "doctor/home_vitals.html", TITLE, patient_id, grant, nav=NAV, problem=found
        )
    latest = view.latest_rows(found, english=visit.display.language == "en")
    shown = {"latest": latest, "beside": found["beside"]}
    return show_patient(visit, "doctor/home_vitals.html", TITLE, patient_id, grant, nav=NAV, **shown)


@get(PATIENT + "/home-vitals/alerts", operation_id="page_doctor_home_alerts", **STAFF)
async def alerts(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """What lay outside the limits."""
    visit = open_visit(call, "staff")
    grant = await grant_of(visit, patient_id)
    title = ("Ngoài ngưỡng", "Outside the limits")
    if grant and (grant["state"] != "live" or is_outside(grant, TYPES)):
        return show_patient(visit, "doctor/refused.html", title, patient_id, grant, nav=NAV)
    found = await visit.ask(f"/v1/doctor/patients/{patient_id}/vitals/alerts")
    if isinstance(found, Refused):
        return show_patient(
            visit, "doctor/home_alerts.html", title, patient_id, grant, nav=NAV, problem=found
        )
    rows = view.alert_rows(found["alerts"], english=visit.display.language == "en")
    shown = {"alerts": rows["fresh"] + rows["past"], "notice": found["notice"]}
    return show_patient(visit, "doctor/home_alerts.html", title, patient_id, grant, nav=NAV, **shown)


@get(PATIENT + "/home-vitals/{ident:int}", operation_id="page_doctor_home_vital", **STAFF)
async def kind(patient_id: FromPath[UUID], ident: Kind, call: NamedDependency[Call]) -> Response[bytes]:
    """One kind in the last month, by its number: it says nothing to whoever reads a history."""
    return await _one(open_visit(call, "staff"), patient_id, ident, "month")


@get(PATIENT + "/home-vitals/{ident:int}/{span:str}", operation_id="page_doctor_home_vital_span", **STAFF)
async def kind_span(
    patient_id: FromPath[UUID], ident: Kind, span: FromPath[str], call: NamedDependency[Call]
) -> Response[bytes]:
    """One kind in the last day, week, month or year."""
    return await _one(open_visit(call, "staff"), patient_id, ident, span)


async def _one(visit: Visit, patient_id: UUID, ident: int, span: str) -> Shown:
    name = view.kind_name(ident)
    if name is None or span not in view.SPANS:
        refuse(NOT_FOUND)
    grant = await grant_of(visit, patient_id)
    if grant and (grant["state"] != "live" or is_outside(grant, TYPES)):
        return show_patient(visit, "doctor/refused.html", TITLE, patient_id, grant, nav=NAV)
    path, window = f"/v1/doctor/patients/{patient_id}/vitals/{name}", view.span_until(visit.call.now, span)
    chart = await visit.ask(path, **window)
    if isinstance(chart, Refused):
        return show_patient(visit, "doctor/home_vital.html", TITLE, patient_id, grant, nav=NAV, problem=chart)
    picture = await visit.picture(f"{path}/chart.svg", **window)
    shown = _shown(chart, english=visit.display.language == "en") | {"ident": ident, "span": span}
    shown["picture"] = None if isinstance(picture, Refused) else picture
    return show_patient(visit, "doctor/home_vital.html", TITLE, patient_id, grant, nav=NAV, **shown)


def _shown(chart: dict[str, Any], *, english: bool) -> dict[str, Any]:
    return {
        "spans": view.SPANS,
        "heading": view.title_of(chart, english=english),
        "unit": view.unit_of(chart["unit"], english=english),
        "rows": view.chart_rows(chart),
        "beside": chart["beside"],
    }


handlers: list[Any] = [newest, alerts, kind, kind_span]
