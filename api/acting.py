"""The one way a /v1/me route begins that is no read of the record: decide first, then act.

Whose book X-Patient-Id names, what a device on probation may do and, with the family, who may act for whom
are all answered by `decide`; the handler gets the decision and asks no further.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from api.request import Call
from consent.decision import decide
from kernel.access import Access, Action, Actor
from kernel.problems import ProblemError, Refused
from store.database import Tx

# v3-ActReason: a person's own request.
OWN_PURPOSE = "PATRQT"


@asynccontextmanager
async def begin_for(call: Call, action: Action) -> AsyncIterator[tuple[Tx, Access]]:
    """A transaction with the decision that the signed-in person may do this in the book of the request.

    Raises what `Call.begin` raises, not-your-book, and the decision's refusal: nothing is charged yet, so
    there is nothing that a rollback could lose.
    """
    async with call.begin() as (tx, actor):
        decided = await decide(
            tx, actor, call.patient_id_for(actor), action, OWN_PURPOSE, call.now, keys=call.keys
        )
        if isinstance(decided, Refused):
            raise ProblemError(decided)
        yield tx, decided


async def for_relative(tx: Tx, call: Call, actor: Actor, patient_id: UUID, action: Action) -> Access | None:
    """What the signed-in person may do of this in a relative's book; None: nothing. For answers about several
    books, none of which is named by X-Patient-Id."""
    decided = await decide(tx, actor, patient_id, action, OWN_PURPOSE, call.now, keys=call.keys)
    return None if isinstance(decided, Refused) else decided


async def reading_of(tx: Tx, call: Call, access: Access, action: Action = "read-section") -> Access | None:
    """What whoever acts may also see of the book; None: nothing. Who acts for another may see less."""
    if access.is_own:
        return access
    decided = await decide(tx, access.actor, access.patient_id, action, OWN_PURPOSE, call.now, keys=call.keys)
    return None if isinstance(decided, Refused) else decided
