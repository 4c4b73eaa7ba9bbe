"""A registry officer proposes with a reason and evidence; one of another facility confirms (security.md S10).

What a confirmed act does stands with its noun; consent/registry.py calls it in the same transaction.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.service import record_act, record_admin_event
from identity import people
from identity.merges import queries as merges
from identity.policy import describes
from identity.registry import queries
from identity.registry.models import (
    BODIES,
    ActKind,
    ActRow,
    Body,
    DeathBody,
    EndedNumberBody,
    Evidence,
    MergeBody,
    NumberBody,
    UnmergeBody,
    WaitingRow,
)
from identity.registry.problems import (
    EVIDENCE_DOES_NOT_HOLD,
    NO_SUCH_ACT,
    NO_SUCH_PERSON,
    OTHER_FACILITY_NEEDED,
)
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

PROPOSAL_LIFE = timedelta(days=7)
WAITING_MAX = 200


class Act(Struct, frozen=True, kw_only=True):
    """A proposed act as the second officer and the code that applies it see it."""

    act_id: UUID
    kind: ActKind
    evidence: Evidence
    reason: str
    body: Body


async def propose(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    kind: ActKind,
    body: Body,
    evidence: Evidence,
    reason: str,
    *,
    request_id: str,
    now: datetime,
) -> UUID | Refused:
    """First officer. The act stands in the log of everybody it concerns from now on. Returns act_id."""
    concerned = await _concerned(tx, body)
    if not concerned or not await _exist(tx, concerned):
        return Refused(problem=NO_SUCH_PERSON)
    if not await evidence_holds(tx, keys, evidence, body):
        return Refused(problem=EVIDENCE_DOES_NOT_HOLD, where="evidence")
    act_id, text = uuid7(now), msgspec.json.encode(body).decode()
    await queries.INSERT_ACT.run(
        tx,
        act_id,
        kind,
        evidence,
        seal(keys, act_id, "registry_act", "body", text),
        reason,
        actor.actor_id,
        actor.facility_id,
        now,
    )
    for patient_id in sorted(concerned):
        await record_act(tx, patient_id, actor, f"registry:{kind}:propose", request_id=request_id, now=now)
    await record_admin_event(tx, str(actor.actor_id), f"registry:{kind}:propose", reason, 1, now)
    return act_id


async def open_act(tx: Tx, keys: KeyRing, actor: Actor, act_id: UUID, now: datetime) -> Act | Refused:
    """The act for its second officer, locked: another person of another facility than the first."""
    row = await queries.LOCK_ACT.one(tx, act_id)
    if row is None or row.state != "proposed" or row.proposed_at <= now - PROPOSAL_LIFE:
        return Refused(problem=NO_SUCH_ACT)
    if row.proposed_by == actor.actor_id or row.proposed_facility == actor.facility_id:
        return Refused(problem=OTHER_FACILITY_NEEDED)
    return _act(keys, row)


async def settle(
    tx: Tx, actor: Actor, act: Act, *, refusal: str | None = None, request_id: str, now: datetime
) -> None:
    """Close the act as the second officer decided, in everybody's log.

    refusal: why it is refused, in that officer's words; None confirms it, for the reason it was proposed for.
    """
    confirmed = refusal is None
    state, word = ("confirmed", "confirm") if confirmed else ("refused", "refuse")
    await queries.DECIDE_ACT.run(tx, act.act_id, state, actor.actor_id, actor.facility_id, now)
    for patient_id in sorted(await _concerned(tx, act.body)):
        tag = f"registry:{act.kind}:{word}"
        await record_act(tx, patient_id, actor, tag, request_id=request_id, now=now)
    reason = act.reason if refusal is None else refusal
    await record_admin_event(tx, str(actor.actor_id), f"registry:{act.kind}:{word}", reason, 1, now)


async def waiting(tx: Tx, actor: Actor, now: datetime) -> list[WaitingRow]:
    """What officers of other facilities proposed. Persons and numbers are shown one act at a time."""
    rows = await queries.WAITING.all(tx, now - PROPOSAL_LIFE, WAITING_MAX)
    return [row for row in rows if row.proposed_facility != actor.facility_id]


async def own_act(tx: Tx, actor: Actor, act_id: UUID) -> UUID | Refused:
    """The answer to a repeat of one's own proposal or confirmation."""
    found = await queries.ACT_OF_ACTOR.one(tx, act_id, actor.actor_id)
    return Refused(problem=NO_SUCH_ACT) if found is None else found


async def evidence_holds(tx: Tx, keys: KeyRing, evidence: Evidence, body: Body) -> bool:
    """`verified-identifiers` says that two records describe one person: birth date, sex and name are
    compared. What somebody saw on paper is that officer's word, and the second one's."""
    if evidence == "documents-seen" or not isinstance(body, MergeBody):
        return True
    merged = await people.demographics(tx, keys, body.merged_id)
    survivor = await people.demographics(tx, keys, body.survivor_id)
    return merged is not None and survivor is not None and describes(merged, survivor)


def _act(keys: KeyRing, row: ActRow) -> Act:
    text = unseal(keys, row.act_id, "registry_act", "body", row.body)
    body = msgspec.json.decode(text, type=BODIES[row.kind])
    return Act(act_id=row.act_id, kind=row.kind, evidence=row.evidence, reason=row.reason, body=body)


async def _concerned(tx: Tx, body: Body) -> set[UUID]:
    if isinstance(body, MergeBody):
        return {body.merged_id, body.survivor_id}
    if isinstance(body, UnmergeBody):
        merge = await merges.MERGE_BY_ID.one(tx, body.merge_id)
        return set() if merge is None else {merge.merged_id, merge.survivor_id}
    assert isinstance(body, NumberBody | EndedNumberBody | DeathBody)
    return {body.patient_id}


async def _exist(tx: Tx, concerned: set[UUID]) -> bool:
    return all([await people.exists(tx, one) for one in sorted(concerned)])
