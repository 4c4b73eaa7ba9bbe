"""Registry officers: whose record is this, and are two records one person? (security.md S10)

An officer proposes with evidence and a reason, one of another facility confirms. Each person shown writes a
row in that person's log (S19).
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.idempotency import PROBLEMS, create_once
from api.request import Call, answer
from consent import registry
from consent.rights.problems import ERASURE_BEFORE_MERGE
from identity.merges.problems import MERGE_NOT_SETTLED, MERGE_STALE, MERGE_WRONG_WAY, NO_SUCH_MERGE
from identity.problems import IDENTIFIER_INVALID, IDENTIFIER_TAKEN, NUMBER_ENDED, TOO_MANY
from identity.registry import look_up
from identity.registry import service as acts
from identity.registry.look_up import FoundPerson, MergeView, ShownAct
from identity.registry.models import (
    ActKind,
    Body,
    DeathBody,
    EndedNumberBody,
    Evidence,
    MergeBody,
    NumberBody,
    UnmergeBody,
)
from identity.registry.problems import (
    EVIDENCE_DOES_NOT_HOLD,
    NO_SUCH_ACT,
    NO_SUCH_PERSON,
    NUMBER_NOT_OWN,
    NUMBER_OF_ANOTHER,
    OTHER_FACILITY_NEEDED,
)
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx

TAGS = ["people"]
OFFICER = ("registry-officer",)
Reason = Annotated[str, Meta(min_length=5, max_length=300)]
PROPOSAL_PROBLEMS = (NO_SUCH_PERSON, EVIDENCE_DOES_NOT_HOLD, *PROBLEMS)


class LookUpBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """kind: phone also finds several people; mother: the newborns whose birth notes name her number.

    reason: why this look-up; no names or numbers in it, it stands in the operators' log.
    """

    kind: Literal[
        "national-id", "insurance-card", "insurance-number", "old-id", "passport", "phone", "mother"
    ]
    value: Annotated[str, Meta(min_length=6, max_length=24)]
    reason: Reason


class FoundPeople(Struct, kw_only=True):
    people: list[FoundPerson]


class ProposalBase(Struct, kw_only=True, forbid_unknown_fields=True):
    """evidence: what the officer compared. reason: no names or numbers in it."""

    evidence: Evidence
    reason: Reason


class MergeProposal(ProposalBase, kw_only=True, forbid_unknown_fields=True):
    merge: MergeBody


class UnmergeProposal(ProposalBase, kw_only=True, forbid_unknown_fields=True):
    unmerge: UnmergeBody


class NumberProposal(ProposalBase, kw_only=True, forbid_unknown_fields=True):
    number: NumberBody


class EndedNumberProposal(ProposalBase, kw_only=True, forbid_unknown_fields=True):
    number: EndedNumberBody


class DeathProposal(ProposalBase, kw_only=True, forbid_unknown_fields=True):
    death: DeathBody


class Proposed(Struct, kw_only=True):
    """Waits for an officer of another facility for seven days."""

    act_id: UUID


class Decided(Struct, kw_only=True):
    """A merge has the act's id as its own."""

    act_id: UUID
    confirmed: bool


class WaitingAct(Struct, kw_only=True):
    act_id: UUID
    kind: ActKind
    evidence: Evidence
    reason: str
    facility_id: UUID
    proposed_at: datetime


class WaitingActs(Struct, kw_only=True):
    """Oldest first; persons and numbers are shown by the act alone."""

    acts: list[WaitingAct]


class RefusalBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


@post(
    "/v1/registry/people/look-up",
    status_code=200,
    actors=OFFICER,
    operation_id="look_people_up",
    tags=TAGS,
    problems=(IDENTIFIER_INVALID, TOO_MANY),
)
async def look_people_up(data: JSONBody[LookUpBody], call: NamedDependency[Call]) -> Response[FoundPeople]:
    """Find people by a number or a phone. Everybody who is shown finds it in the own log."""
    async with call.begin() as (tx, actor):
        found = await look_up.find(
            tx,
            call.keys,
            actor,
            data.kind,
            data.value,
            data.reason,
            request_id=call.request_id,
            now=call.now,
        )
    return answer(found if isinstance(found, Refused) else FoundPeople(people=found))


async def _propose(
    call: Call, kind: ActKind, body: Body, evidence: Evidence, reason: str
) -> Response[Proposed]:
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            202,
            make=lambda: acts.propose(
                tx,
                call.keys,
                actor,
                kind,
                body,
                evidence,
                reason,
                request_id=call.request_id,
                now=call.now,
            ),
            again=lambda act_id: acts.own_act(tx, actor, act_id),
            id_of=lambda act_id: act_id,
        )
    return answer(made if isinstance(made, Refused) else Proposed(act_id=made))


@post(
    "/v1/registry/merges",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_merge",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_merge(data: JSONBody[MergeProposal], call: NamedDependency[Call]) -> Response[Proposed]:
    """Propose that two records are one person."""
    return await _propose(call, "merge", data.merge, data.evidence, data.reason)


@post(
    "/v1/registry/unmerges",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_unmerge",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_unmerge(data: JSONBody[UnmergeProposal], call: NamedDependency[Call]) -> Response[Proposed]:
    """Propose to undo a merge."""
    return await _propose(call, "unmerge", data.unmerge, data.evidence, data.reason)


@post(
    "/v1/registry/numbers",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_number",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_number(data: JSONBody[NumberProposal], call: NamedDependency[Call]) -> Response[Proposed]:
    """Propose to attach a number to a record, alone or in the place of an older one."""
    kind: ActKind = "replace-number" if data.number.replaces else "attach-number"
    return await _propose(call, kind, data.number, data.evidence, data.reason)


@post(
    "/v1/registry/numbers/end",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_number_end",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_number_end(
    data: JSONBody[EndedNumberProposal], call: NamedDependency[Call]
) -> Response[Proposed]:
    """Propose to cancel a number; it goes on leading to its person for older files."""
    return await _propose(call, "cancel-number", data.number, data.evidence, data.reason)


@post(
    "/v1/registry/deaths",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_death_notice",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_death(data: JSONBody[DeathProposal], call: NamedDependency[Call]) -> Response[Proposed]:
    """Propose a death notice; 72 hours after it is confirmed the book freezes unless the person objects."""
    return await _propose(call, "death-notice", data.death, data.evidence, data.reason)


@post(
    "/v1/registry/deaths/withdraw",
    status_code=202,
    actors=OFFICER,
    operation_id="propose_death_withdrawal",
    tags=TAGS,
    idempotent=True,
    problems=PROPOSAL_PROBLEMS,
)
async def propose_withdrawal(
    data: JSONBody[DeathProposal], call: NamedDependency[Call]
) -> Response[Proposed]:
    """Propose to open the book of somebody who lives."""
    return await _propose(call, "death-withdrawn", data.death, data.evidence, data.reason)


@get("/v1/registry/acts", actors=OFFICER, operation_id="list_registry_acts", tags=TAGS, problems=())
async def list_acts(call: NamedDependency[Call]) -> Response[WaitingActs]:
    """List what waits for an officer of another facility."""
    async with call.begin() as (tx, actor):
        rows = await acts.waiting(tx, actor, call.now)
    shown = [
        WaitingAct(
            act_id=row.act_id,
            kind=row.kind,
            evidence=row.evidence,
            reason=row.reason,
            facility_id=row.proposed_facility,
            proposed_at=row.proposed_at,
        )
        for row in rows
    ]
    return answer(WaitingActs(acts=shown))


@get(
    "/v1/registry/acts/{act_id:uuid}",
    actors=OFFICER,
    operation_id="get_registry_act",
    tags=TAGS,
    problems=(NO_SUCH_ACT, OTHER_FACILITY_NEEDED),
)
async def get_act(act_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[ShownAct]:
    """Open a proposal of another facility: who it is about, for comparing with the papers."""
    async with call.begin() as (tx, actor):
        act = await acts.open_act(tx, call.keys, actor, act_id, call.now)
        if isinstance(act, Refused):
            return answer(act)
        shown = await look_up.show_act(tx, call.keys, actor, act, request_id=call.request_id, now=call.now)
    return answer(shown)


@post(
    "/v1/registry/acts/{act_id:uuid}/confirm",
    status_code=201,
    actors=OFFICER,
    operation_id="confirm_registry_act",
    tags=TAGS,
    idempotent=True,
    problems=(
        NO_SUCH_ACT,
        OTHER_FACILITY_NEEDED,
        EVIDENCE_DOES_NOT_HOLD,
        NO_SUCH_PERSON,
        MERGE_STALE,
        MERGE_WRONG_WAY,
        MERGE_NOT_SETTLED,
        ERASURE_BEFORE_MERGE,
        NO_SUCH_MERGE,
        NUMBER_OF_ANOTHER,
        NUMBER_NOT_OWN,
        NUMBER_ENDED,
        IDENTIFIER_INVALID,
        IDENTIFIER_TAKEN,
        *PROBLEMS,
    ),
)
async def confirm_act(act_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Decided]:
    """Confirm as the second officer, of another facility. From here on it holds."""
    return await _decide(call, act_id, None)


@post(
    "/v1/registry/acts/{act_id:uuid}/refuse",
    status_code=201,
    actors=OFFICER,
    operation_id="refuse_registry_act",
    tags=TAGS,
    idempotent=True,
    problems=(NO_SUCH_ACT, OTHER_FACILITY_NEEDED, *PROBLEMS),
)
async def refuse_act(
    act_id: FromPath[UUID],
    data: JSONBody[RefusalBody],
    call: NamedDependency[Call],
) -> Response[Decided]:
    """Refuse a proposal of another facility; the reason stands in the operators' chain."""
    return await _decide(call, act_id, data.reason)


async def _decide(call: Call, act_id: UUID, refusal: str | None) -> Response[Decided]:
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _settle(tx, call, actor, act_id, refusal),
            again=lambda found: acts.own_act(tx, actor, found),
            id_of=lambda found: found,
        )
    return answer(made if isinstance(made, Refused) else Decided(act_id=made, confirmed=refusal is None))


async def _settle(tx: Tx, call: Call, actor: Actor, act_id: UUID, refusal: str | None) -> UUID | Refused:
    act = await acts.open_act(tx, call.keys, actor, act_id, call.now)
    if isinstance(act, Refused):
        return act
    trace, now = call.request_id, call.now
    if refusal is not None:
        await acts.settle(tx, actor, act, refusal=refusal, request_id=trace, now=now)
        return act_id
    refused = await registry.confirm(tx, call.keys, actor, act, request_id=trace, now=now)
    return refused if refused is not None else act_id


@get(
    "/v1/registry/merges/{merge_id:uuid}",
    actors=OFFICER,
    operation_id="get_merge",
    tags=TAGS,
    problems=(NO_SUCH_MERGE,),
)
async def get_merge(merge_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[MergeView]:
    """Tell how far a merge is."""
    async with call.begin() as (tx, _):
        return answer(await look_up.merge_view(tx, merge_id))


handlers: list[Any] = [
    look_people_up,
    propose_merge,
    propose_unmerge,
    propose_number,
    propose_number_end,
    propose_death,
    propose_withdrawal,
    list_acts,
    get_act,
    confirm_act,
    refuse_act,
    get_merge,
]
