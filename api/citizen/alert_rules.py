"""Limits of a book: what is in force, one's own, and those that a relative keeps for the own phone."""

from typing import Any
from uuid import UUID

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reading import MEASURED_PROBLEMS, read_measured
from api.request import Call, answer
from audit.service import record_act
from ehr.reads.models import Built
from family.problems import NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from identity.problems import ACCOUNT_HELD, DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vitals.rules import service
from vitals.rules.models import RuleList, RulesBody, RulesSet
from vitals.rules.problems import (
    ALERT_RULE_DOCTORS_ONLY,
    ALERT_RULE_INVALID,
    ALERT_RULE_OUT_OF_BOUNDS,
    ALERT_RULES_CHANGED,
    NO_SUCH_RULE,
)

TAGS = ["vitals"]
PATH = "/v1/me/alert-rules"
RULE_PROBLEMS = (
    INVALID_FIELD,
    ALERT_RULE_INVALID,
    ALERT_RULE_OUT_OF_BOUNDS,
    ALERT_RULE_DOCTORS_ONLY,
    ALERT_RULES_CHANGED,
)
ACT_PROBLEMS = (NOT_YOUR_BOOK, NOT_IN_YOUR_CARE, ACCOUNT_HELD, DEVICE_ON_PROBATION)


@get(
    PATH,
    actors=("citizen",),
    operation_id="read_alert_rules",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
)
async def list_rules(call: NamedDependency[Call]) -> Response[RuleList]:
    """Every limit in force for this book, whoever set it, and between which limits one's own can lie.

    Limits that others keep for their own phones are theirs alone.
    """

    async def build(tx: Tx, access: Access) -> Built:
        return await service.read(tx, call.keys, access, call.now)

    return await read_measured(call, None, "read-section", build, "alert-rules")


@put(
    PATH,
    actors=("citizen",),
    operation_id="set_alert_rules",
    tags=TAGS,
    problems=RULE_PROBLEMS + ACT_PROBLEMS,
)
async def set_rules(data: JSONBody[RulesBody], call: NamedDependency[Call]) -> Response[RulesSet]:
    """Set all limits of one's own; those that are not named end, and the default ones stand again.

    Who acts for another sets limits for the own phone: they alert nobody else and end with the link.
    """
    async with begin_for(call, "manage-alerts") as (tx, access):
        done = await service.put(tx, call.keys, access, data, call.now)
        if not isinstance(done, Refused):
            await log_rules(tx, call, access)
        return answer(done)


@delete(
    PATH + "/{rule_id:uuid}",
    status_code=204,
    actors=("citizen",),
    operation_id="end_alert_rule",
    tags=TAGS,
    problems=(NO_SUCH_RULE, *ACT_PROBLEMS),
)
async def end_rule(rule_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """End a limit of one's own, or one that a doctor set in this book."""
    async with begin_for(call, "manage-alerts") as (tx, access):
        done = await service.end(tx, access, rule_id, call.now)
        if not isinstance(done, Refused):
            await log_rules(tx, call, access)
        return answer(done)


async def log_rules(tx: Tx, call: Call, access: Access) -> None:
    """A change of limits stands in the person's log, whoever made it."""
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        "vitals:rule:change",
        grant_id=access.basis_id if access.basis == "grant" else None,
        grant_version=access.basis_version,
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )


handlers: list[Any] = [list_rules, set_rules, end_rule]
