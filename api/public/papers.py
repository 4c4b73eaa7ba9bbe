"""Checking a printed paper by its code: no account, and no secret in an address (security.md S34)."""

from typing import Annotated, Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.letters import check_code
from api.problems import UNAVAILABLE
from api.reading import log_read
from api.request import Answer, Call, answer
from consent.decision import decide_paper
from consent.emergency_card.opening import network_class
from ehr.paper_proofs.codes import CODE_CHARACTERS_MAX
from ehr.paper_proofs.models import PaperCheck
from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity import budgets
from identity.problems import TOO_MANY
from kernel.access import Actor
from store.database import Tx

TAGS = ["papers"]
# Follows "somebody with a code of yours" in the log.
CHECKED_BY: Final = "qua mạng"


class PaperCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the text of the QR code as it was scanned, or what follows `#` in it."""

    code: Annotated[str, Meta(min_length=1, max_length=CODE_CHARACTERS_MAX)]


@post(
    "/v1/public/papers/verify",
    actors=("public",),
    operation_id="verify_paper",
    tags=TAGS,
    status_code=200,
    problems=(TOO_MANY, UNAVAILABLE),
)
async def verify(data: JSONBody[PaperCode], call: NamedDependency[Call]) -> Response[PaperCheck]:
    """Verify a printed paper: unchanged, replaced, withdrawn, or not ours (forged or altered).

    A letter also says whether it counts, was used or has expired."""
    async with call.begin_public() as tx:
        network = call.network_prefix()
        spent = await budgets.charge_or_refuse(
            tx, budgets.PAPER_CHECKS, budgets.subject("paper" + network), call.now
        )
        return answer(spent) if spent else await _check(tx, call, data.code, network)


async def _check(tx: Tx, call: Call, code: str, network: str) -> Answer:
    _, checked, said = await check_code(tx, call, code)
    body = encode(said)
    if checked.book is not None and checked.row is not None:
        # Who scans is unknown: the log keeps the kind of network and no address.
        actor = Actor(kind="bearer", actor_id=checked.book, name=f"{CHECKED_BY} {network_class(network)}")
        access = decide_paper(checked.book, actor)
        await log_read(tx, call, access, Built(body, [checked.row]), changed=True, part="paper-check")
    return answer(body)


handlers: list[Any] = [verify]
