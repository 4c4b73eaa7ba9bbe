"""Whether what is on a screen may stay there: pages ask by themselves, once a minute and when they come into
sight (templates/parts/alive.html). Nothing is read of a record, and no session is held by it (S11).

    GET /me/alive                             a citizen's session, and that the open book still opens to it
    GET /doctor/alive                         a session of staff
    GET /doctor/patients/{patient_id}/alive   that the access to this record stands too

Nothing where all is well; else the whole page is led to one that says why.
"""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.whose import relative_of_book
from api.pages.doctor.granted import grant_of
from api.pages.doctor.patients import PATIENT
from api.pages.showing import CITIZEN, STAFF, Shown, open_visit
from api.request import Call


@get("/me/alive", operation_id="page_alive", **CITIZEN)
async def citizen(call: NamedDependency[Call]) -> Response[bytes]:
    """A relative's book that opens no longer leads to who one's relatives are."""
    visit = open_visit(call, "citizen")
    if visit.book:
        return _well() if await relative_of_book(visit) else visit.go("/me/family")
    await visit.read("/v1/me")
    return _well()


@get("/doctor/alive", operation_id="page_doctor_alive", **STAFF)
async def staff(call: NamedDependency[Call]) -> Response[bytes]:
    """Of a page that shows nobody's record."""
    await open_visit(call, "staff").read("/v1/doctor/me")
    return _well()


@get(PATIENT + "/alive", operation_id="page_doctor_patient_alive", **STAFF)
async def patient(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Of a page of a patient."""
    visit = open_visit(call, "staff")
    grant = await grant_of(visit, patient_id)
    return _well() if grant and grant["state"] == "live" else visit.go("/doctor/ended")


def _well() -> Shown:
    return Shown(b"", status_code=204)


handlers: list[Any] = [citizen, staff, patient]
