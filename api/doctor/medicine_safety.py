"""What stands out among a patient's medicines, as far as the grant shows them."""

from typing import Any
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.citizen.medicine_safety import DismissalRequest, FindingId, log_dismissal
from api.exporting import decided
from api.problems import INVALID_FIELD
from api.reading import DOCTOR_PROBLEMS, read_record
from api.request import Answer, Call, answer
from consent.problems import NO_ACCESS
from ehr.medicine_safety import service
from ehr.medicine_safety.models import MedicineSafety
from ehr.medicine_safety.problems import NO_SUCH_FINDING
from ehr.reads.models import Built
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

TAGS = ["patients"]
ACTORS = ("doctor", "pharmacist", "nurse")
BASE = "/v1/doctor/patients/{patient_id:uuid}/medicine-safety"


@get(
    BASE,
    actors=ACTORS,
    operation_id="read_medicine_safety",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
)
async def findings(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[MedicineSafety]:
    """Same ingredients, allergies and pairs of the loaded table among what the grant shows."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "medicine-safety")


@put(
    BASE + "/{finding_id:str}/dismissal",
    status_code=204,
    actors=("doctor", "pharmacist"),
    operation_id="dismiss_finding",
    tags=TAGS,
    problems=(INVALID_FIELD, NO_ACCESS, NO_SUCH_FINDING, TOO_MANY),
)
async def dismiss(
    patient_id: FromPath[UUID],
    finding_id: FromPath[FindingId],
    data: JSONBody[DismissalRequest],
    call: NamedDependency[Call],
) -> Response[None]:
    """Say why a finding needs no more attention; it stands again when a line or the table changes."""
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, "dismiss-finding", "medicine-safety")
        if isinstance(access, Answer):
            return access
        return answer(await _dismiss(tx, call, access, finding_id, data))


async def _dismiss(
    tx: Tx, call: Call, access: Access, finding_id: str, data: DismissalRequest
) -> Refused | None:
    found = await service.dismiss(tx, access, finding_id, "doctor", data.reason, call.now)
    if isinstance(found, Refused):
        return found
    await log_dismissal(tx, call, access, service.shown_of(found))
    return None


handlers: list[Any] = [findings, dismiss]
