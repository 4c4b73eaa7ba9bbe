"""A pregnancy by week, for the person and under a grant."""

from uuid import UUID

from api.reading import read_record
from api.request import Answer, Call
from ehr.pregnancy import reading
from ehr.reads.models import Built
from kernel.access import Access
from store.database import Tx


async def read_pregnancy(call: Call, patient_id: UUID | None) -> Answer:
    """The log says programmes: the guardian who reads a child's log learns nothing (security.md S23)."""

    async def build(tx: Tx, access: Access) -> Built:
        return await reading.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "programmes")
