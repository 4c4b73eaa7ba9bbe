"""What a person wishes, for doctors with access."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import DOCTOR_PROBLEMS, read_record
from api.request import Call
from consent.wishes import service
from consent.wishes.models import WishesShown
from ehr.reads.models import Built
from kernel.access import Access
from store.database import Tx

PROBLEMS = tuple(problem for problem in DOCTOR_PROBLEMS if problem.code != "bad-cursor")


@get(
    "/v1/doctor/patients/{patient_id:uuid}/wishes",
    actors=("doctor",),
    operation_id="read_wishes",
    tags=["wishes"],
    problems=PROBLEMS,
    conditional=True,
)
async def wishes(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[WishesShown]:
    """The wishes that the person lets doctors with access see; always with what they are not."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, call.keys, access)

    return await read_record(call, patient_id, "read-wishes", build)


handlers: list[Any] = [wishes]
