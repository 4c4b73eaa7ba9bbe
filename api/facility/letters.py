"""A letter whose code somebody shows at a desk: whether it counts, and what a referral to here lets it do."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.letters import at_desk, check_code
from api.problems import UNAVAILABLE
from api.public.papers import PaperCode
from api.reading import log_read
from api.request import Call, answer
from consent.decision import decide_paper
from ehr.letters.models import LetterAtDesk
from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity import budgets
from identity.problems import TOO_MANY
from kernel.problems import Refused
from visits.problems import NOT_AT_A_FACILITY


@post(
    "/v1/facility/letters/read",
    actors=("doctor", "nurse", "clerk"),
    operation_id="facility_read_letter",
    tags=["letters"],
    status_code=200,
    problems=(NOT_AT_A_FACILITY, TOO_MANY, UNAVAILABLE),
)
async def read(data: JSONBody[PaperCode], call: NamedDependency[Call]) -> Response[LetterAtDesk]:
    """What the code of a letter or paper says; of a referral to this facility also which one it is.

    Whose it is, the person shows; the person finds the scan in the log."""
    async with call.begin() as (tx, actor):
        if actor.facility_id is None:
            return answer(Refused(problem=NOT_AT_A_FACILITY))
        whose = budgets.subject(b"paper" + actor.actor_id.bytes)
        spent = await budgets.charge_or_refuse(tx, budgets.PAPER_CHECKS, whose, call.now)
        if spent is not None:
            return answer(spent)
        reference, checked, said = await check_code(tx, call, data.code)
        shown = await at_desk(tx, actor.facility_id, reference, checked, said)
        body = encode(shown)
        if checked.book is not None and checked.row is not None:
            access = decide_paper(checked.book, actor)
            await log_read(tx, call, access, Built(body, [checked.row]), changed=True, part="paper-check")
    return answer(body)


handlers: list[Any] = [read]
