"""Reading the vaccination book, by the person and under a grant."""

from uuid import UUID

from api.reading import read_record
from api.request import Answer, Call
from ehr.reads.models import Built
from kernel.access import Access
from store.database import Tx
from vaccination.book import service


async def read_vaccination(call: Call, patient_id: UUID | None) -> Answer:
    """patient_id: the doctor's path, None for the own book."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "vaccination")
