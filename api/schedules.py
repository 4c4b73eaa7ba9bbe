"""The vaccination schedule for the person and for a doctor, by the one way a record is read."""

from uuid import UUID

from api.reading import read_record
from api.request import Answer, Call
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.database import Tx
from vaccination.schedule import service


async def read_schedule(call: Call, patient_id: UUID | None) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        built = await service.read(tx, call.keys, access, call.now)
        if isinstance(built, Refused):
            raise ProblemError(built)
        return built

    return await read_record(call, patient_id, "read-section", build, "vaccination-schedule")
