"""Reading the vaccination book, by the person and under a grant."""

from uuid import UUID

from api.reading import read_record
from api.request import Answer, Call
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import refuse
from store.database import Tx
from vaccination.book import service
from vaccination.book.problems import DOSES_NOT_GRANTED


async def read_vaccination(call: Call, patient_id: UUID | None) -> Answer:
    """patient_id: the doctor's path, None for the own book. A grant without vaccinations is refused: an empty
    book would be read as no dose at all."""

    async def build(tx: Tx, access: Access) -> Built:
        if access.types is not None and "Immunization" not in access.types:
            refuse(DOSES_NOT_GRANTED)
        return await service.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "vaccination")
