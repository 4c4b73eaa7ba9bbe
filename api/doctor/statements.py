"""What a person said of the own health, for the doctor with a grant: read, confirmed or refuted."""

from typing import Any
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.exporting import decided
from api.reading import DOCTOR_PROBLEMS, Cursor, Limit, read_record, read_section
from api.request import Answer, Call, answer
from consent.problems import NO_ACCESS
from ehr.reads.models import Built, Page
from ehr.statements import service
from ehr.statements.models import Statements, VerdictBody, VerdictReceipt
from ehr.statements.problems import (
    BLOOD_GROUP_BY_TEST,
    STATEMENT_CHANGED,
    STATEMENT_NOT_FOUND,
    STATEMENT_NOT_TAKEN,
)
from ehr.statements.verdicts import judge
from identity.problems import TOO_MANY
from kernel.access import Access
from store.database import Tx

ACTORS = ("doctor", "pharmacist", "vaccinator", "nurse")
BASE = "/v1/doctor/patients/{patient_id:uuid}"
TAGS = ["patients"]
_READ = tuple(problem for problem in DOCTOR_PROBLEMS if problem.code != "bad-cursor")


@get(
    BASE + "/statements",
    actors=ACTORS,
    operation_id="read_patient_statements",
    tags=TAGS,
    problems=_READ,
    conditional=True,
)
async def list_statements(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Statements]:
    """What the person or a relative said, within the grant; refuted ones too, marked."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "statements")


@put(
    BASE + "/statements/{statement_id:uuid}/verdict",
    actors=("doctor",),
    operation_id="judge_statement",
    tags=TAGS,
    problems=(
        STATEMENT_NOT_FOUND,
        STATEMENT_CHANGED,
        STATEMENT_NOT_TAKEN,
        BLOOD_GROUP_BY_TEST,
        NO_ACCESS,
        TOO_MANY,
    ),
)
async def say_verdict(
    patient_id: FromPath[UUID],
    statement_id: FromPath[UUID],
    data: JSONBody[VerdictBody],
    call: NamedDependency[Call],
) -> Response[VerdictReceipt]:
    """Confirm or refute a statement; it stays as it was said, and the person is told."""
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, "verify-statement", "statements")
        if isinstance(access, Answer):
            return access
        done = await judge(tx, access, str(statement_id), data, request_id=call.request_id, now=call.now)
    return answer(done)


@get(
    BASE + "/family-history",
    actors=ACTORS,
    operation_id="read_patient_family_history",
    tags=TAGS,
    problems=DOCTOR_PROBLEMS,
    conditional=True,
)
async def family_history(
    patient_id: FromPath[UUID], call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """Diseases of the family, within the grant."""
    return await read_section(call, patient_id, "family-history", cursor, limit)


handlers: list[Any] = [list_statements, say_verdict, family_history]
