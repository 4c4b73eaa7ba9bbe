"""Parts of a patient's book besides the summary: each a page, a way to its older entries, and words where the
grant does not reach it."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from api.pages.citizen.entries_view import SHOWING, by_part
from api.pages.citizen.results_view import by_test
from api.pages.doctor.granted import grant_of, is_outside, show_patient
from api.pages.doctor.patients import PATIENT
from api.pages.doctor.summary_view import due_rows, folded
from api.pages.showing import NONE as NOTHING
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.problems import INVALID_FIELD
from api.request import Call
from kernel.access import RecordType
from kernel.problems import Refused


class Part(Struct, frozen=True):
    """key: of the page; path: of the service, below the patient; types: of which the grant must name one;
    limit: entries a page; nav: its place in the menu where that has another name."""

    key: str
    path: str
    title: tuple[str, str]
    types: frozenset[RecordType]
    limit: int | None = 50
    nav: str = ""

    @property
    def template(self) -> str:
        return f"doctor/{self.key}.html"


TIMELINE: Final = Part("timeline", "timeline", ("Các lần khám", "Visits"), frozenset(), 20)
RESULTS: Final = Part(
    "results",
    "results",
    ("Kết quả xét nghiệm", "Laboratory results"),
    frozenset({"Observation.laboratory", "Observation.other"}),
    100,
)
MEDICINES: Final = Part(
    "medicines",
    "medications",
    ("Thuốc", "Medicines"),
    frozenset({"MedicationRequest", "MedicationStatement"}),
)
IMAGING: Final = Part(
    "imaging",
    "imaging-reports",
    ("Hình ảnh và phiếu kết quả", "Imaging and reports"),
    frozenset({"DiagnosticReport", "ImagingStudy"}),
)
VITALS: Final = Part(
    "vitals", "vital-signs", ("Dấu hiệu sinh tồn", "Vital signs"), frozenset({"Observation.vital-signs"})
)
DOCUMENTS: Final = Part("documents", "documents", ("Giấy tờ", "Documents"), frozenset({"DocumentReference"}))
VACCINATION: Final = Part(
    "vaccination", "vaccination", ("Sổ tiêm chủng", "Vaccination book"), frozenset({"Immunization"}), None
)
DUE: Final = Part(
    "due",
    "vaccination/schedule",
    ("Mũi tiêm đến lịch", "Doses due"),
    frozenset({"Immunization"}),
    None,
    nav="vaccination",
)
PRESCRIPTIONS: Final = Part(
    "prescriptions",
    "prescriptions",
    ("Đơn thuốc và lượt cấp", "Prescriptions and what was dispensed"),
    frozenset({"MedicationRequest"}),
    20,
    nav="medicines",
)
WISHES: Final = Part(
    "wishes", "wishes", ("Nguyện vọng của người bệnh", "The patient's wishes"), frozenset(), None, nav="said"
)
PARTS: Final = (TIMELINE, RESULTS, MEDICINES, PRESCRIPTIONS, IMAGING, VITALS, DOCUMENTS)


# What the timeline can be narrowed to, in the order of the form.
KINDS: Final[dict[str, tuple[str, str]]] = {
    "encounters": ("Chỉ lần khám", "Visits alone"),
    "problems": ("Chẩn đoán", "Diagnoses"),
    "medications": ("Thuốc", "Medicines"),
    "results": ("Xét nghiệm", "Results"),
    "imaging": ("Hình ảnh, phiếu kết quả", "Imaging and reports"),
    "procedures": ("Thủ thuật, phẫu thuật", "Procedures and operations"),
    "immunizations": ("Tiêm chủng", "Vaccinations"),
    "documents": ("Giấy tờ", "Documents"),
}
FILTER: Final = ("kind", "since", "until")


async def show_part(
    visit: Visit, patient_id: UUID, part: Part, cursor: str | None = None, form: Mapping[str, str] = NOTHING
) -> Shown:
    """One part. A part outside the grant is not asked for: the page says so in words. form: what the timeline
    is narrowed to."""
    grant = await grant_of(visit, patient_id)
    nav = part.nav or part.key
    if grant and (grant["state"] != "live" or is_outside(grant, part.types)):
        return show_patient(visit, "doctor/refused.html", part.title, patient_id, grant, nav=nav)
    path = f"/v1/doctor/patients/{patient_id}/{part.path}"
    chosen = {name: form[name] for name in FILTER if form.get(name)} if part is TIMELINE else {}
    found = await visit.ask(path, limit=part.limit, cursor=cursor, **chosen)
    wrong = found if isinstance(found, Refused) and chosen and found.problem is INVALID_FIELD else None
    if wrong is not None:
        found = await visit.ask(path, limit=part.limit)
    if isinstance(found, Refused):
        return show_patient(visit, part.template, part.title, patient_id, grant, nav=nav, problem=found)
    return show_patient(
        visit,
        part.template,
        part.title,
        patient_id,
        grant,
        nav=nav,
        page=found,
        is_first=cursor is None,
        wrong=wrong,
        chosen=chosen,
        kinds=KINDS,
        **_shaped(part, found),
        **SHOWING,
    )


def _shaped(part: Part, found: dict[str, Any]) -> dict[str, Any]:
    if part is TIMELINE:
        return {"visits": [{**one, "parts": by_part(one["items"])} for one in found["items"]]}
    if part is RESULTS or part is VITALS:
        return {"tests": by_test(found["items"])}
    if part is MEDICINES:
        now = [one for one in found["items"] if one["status"] in ("active", "on-hold")]
        past = [one for one in found["items"] if one["status"] not in ("active", "on-hold")]
        return {"current": folded(now, by_dose=True), "past": folded(past, by_dose=True)}
    if part is DUE:
        return {"due": due_rows(found)}
    return {}


def _pages(part: Part) -> list[Any]:
    """The two routes of a part: its newest entries, and older ones by a form, so that no address says where
    in a list somebody was."""

    @get(f"{PATIENT}/{part.key}", operation_id=f"page_doctor_{part.key}", **STAFF)
    async def newest(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
        """The newest entries of this part of a patient's book."""
        return await show_part(open_visit(call, "staff"), patient_id, part)

    @post(f"{PATIENT}/{part.key}", operation_id=f"page_doctor_{part.key}_older", **STAFF)
    async def older(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
        """Older entries of this part, and what the timeline is narrowed to."""
        visit = open_visit(call, "staff")
        form = await visit.form()
        return await show_part(visit, patient_id, part, form.get("cursor"), form)

    return [newest, older]


@get(PATIENT + "/vaccination", operation_id="page_doctor_vaccination", **STAFF)
async def vaccination(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Every dose of the book."""
    return await show_part(open_visit(call, "staff"), patient_id, VACCINATION)


@get(PATIENT + "/vaccination/due", operation_id="page_doctor_due", **STAFF)
async def due(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Doses that are due or late; the summary shows them too."""
    return await show_part(open_visit(call, "staff"), patient_id, DUE)


@get(PATIENT + "/wishes", operation_id="page_doctor_wishes", **STAFF)
async def wishes(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """What the person wishes and lets doctors with access see."""
    return await show_part(open_visit(call, "staff"), patient_id, WISHES)


@get(PATIENT + "/documents/{document_id:str}/content", operation_id="page_doctor_document", **STAFF)
async def content(
    patient_id: FromPath[UUID], document_id: FromPath[str], call: NamedDependency[Call]
) -> Response[bytes]:
    """A document, streamed as the service sends it."""
    path = f"/v1/doctor/patients/{patient_id}/documents/{quote(document_id, safe='')}/content"
    return open_visit(call, "staff").download(path)


handlers: list[Any] = [
    *(route for part in PARTS for route in _pages(part)),
    vaccination,
    due,
    wishes,
    content,
]
