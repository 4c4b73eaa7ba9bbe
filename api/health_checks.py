"""Reads of health checks, the same for the person and for whoever has a grant."""

from typing import Annotated, Final, TypeAlias
from uuid import UUID

from litestar.params import QueryParameter

from api.reading import read_record
from api.request import Answer, Call
from ehr.health_checks import reading
from ehr.reads.models import Built
from kernel.access import Access
from store.database import Tx

PART: Final = "health-checks"
Against: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        max_length=64, description="The other check; without it the last of its kind before this."
    ),
]


async def read_checks(call: Call, patient_id: UUID | None, cursor: str | None, limit: int | None) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await reading.page(tx, access, cursor, limit, call.now)

    return await read_record(call, patient_id, "read-section", build, PART)


async def read_check(call: Call, patient_id: UUID | None, check_id: str) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await reading.one(tx, access, check_id, call.now)

    return await read_record(call, patient_id, "read-section", build, PART)


async def compare_checks(call: Call, patient_id: UUID | None, check_id: str, against: str | None) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await reading.comparison(tx, access, check_id, against, call.now)

    return await read_record(call, patient_id, "read-section", build, PART)
