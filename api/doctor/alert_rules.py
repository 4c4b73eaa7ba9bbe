"""A treating doctor's own limits for a person, within a grant that names what the person measures."""

from typing import Any
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.citizen.alert_rules import RULE_PROBLEMS, log_rules
from api.exporting import decided
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import read_measured, refuse_read
from api.request import Answer, Call, answer
from consent.problems import NO_ACCESS
from ehr.reads.models import Built
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vitals.rules import service
from vitals.rules.models import RuleList, RulesBody, RulesSet
from vitals.sight import sight_of

TAGS = ["vitals"]
PATH = "/v1/doctor/patients/{patient_id:uuid}/alert-rules"
TAG = "vitals:rule:change"


@get(
    PATH,
    actors=("doctor",),
    operation_id="read_patient_alert_rules",
    tags=TAGS,
    problems=(INVALID_FIELD, NO_ACCESS, TOO_MANY, UNAVAILABLE),
    conditional=True,
)
async def list_rules(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[RuleList]:
    """Every limit in force for this person, within a grant that names the category."""

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, call.keys, access, call.now)

    return await read_measured(call, patient_id, "read-section", build, "alert-rules")


@put(
    PATH,
    actors=("doctor",),
    operation_id="set_patient_alert_rules",
    tags=TAGS,
    problems=(*RULE_PROBLEMS, NO_ACCESS, TOO_MANY),
)
async def set_rules(
    patient_id: FromPath[UUID], data: JSONBody[RulesBody], call: NamedDependency[Call]
) -> Response[RulesSet]:
    """Set limits that stand above the person's own and the default ones (COPD, a child's blood pressure).

    They stand above another doctor's for the same, and until a doctor or the person ends them.
    """
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, "set-alert-rules", "alert-rules")
        if isinstance(access, Answer):
            return access
        if sight_of(access) is None:
            no = Refused(problem=NO_ACCESS)
            return answer(await refuse_read(tx, call, patient_id, actor, TAG, no))
        done = await service.put(tx, call.keys, access, data, call.now)
        if not isinstance(done, Refused):
            await log_rules(tx, call, access)
        return answer(done)


handlers: list[Any] = [list_rules, set_rules]
