"""Prescriptions as their person and a doctor with a grant read them: what `read_record` builds."""

from uuid import UUID

from api.reading import DOCTOR_PROBLEMS, OWN_PROBLEMS, Build
from api.request import Call
from ehr.prescriptions import reading
from ehr.prescriptions.problems import PRESCRIPTION_COLLECTED, PRESCRIPTION_NOT_FOUND
from ehr.reads.models import Built
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import ProblemError, Refused
from qr.draw import png, svg
from store.database import Tx

OWN_ONE = (*OWN_PROBLEMS, PRESCRIPTION_NOT_FOUND)
DOCTOR_ONE = (*DOCTOR_PROBLEMS, PRESCRIPTION_NOT_FOUND)
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def page_of(call: Call, cursor: str | None, limit: int | None) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await reading.page(tx, access, cursor, limit, call.now)

    return build


def one_of(call: Call, prescription_id: UUID) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        found = await reading.one(tx, access, prescription_id, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        return found

    return build


def code_of(call: Call, prescription_id: UUID, form: str) -> Build:
    """The picture holds the code and nothing else; there is none where nothing is left to collect."""

    async def build(tx: Tx, access: Access) -> Built:
        seen = await reading.see(tx, access, prescription_id, call.now)
        if seen is None:
            raise ProblemError(Refused(problem=PRESCRIPTION_NOT_FOUND))
        if not reading.is_open(seen, local_day(call.now)):
            raise ProblemError(Refused(problem=PRESCRIPTION_COLLECTED))
        code = seen.row.code
        picture = png(code) if form == "png" else svg(code).encode()
        return Built(picture, [("MedicationRequest", line.medicine.id) for line in seen.lines])

    return build
