"""What a registry officers' act does once the second officer confirmed it, in the same transaction."""

from datetime import datetime

from consent import merges
from identity.deaths import service as deaths
from identity.numbers import service as numbers
from identity.registry import service as acts
from identity.registry.models import DeathBody, EndedNumberBody, MergeBody, NumberBody, UnmergeBody
from identity.registry.problems import EVIDENCE_DOES_NOT_HOLD
from identity.registry.service import Act
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing


async def confirm(
    tx: Tx, keys: KeyRing, actor: Actor, act: Act, *, request_id: str, now: datetime
) -> Refused | None:
    """Apply the act and close it. A refusal leaves it waiting, with nothing changed."""
    if not await acts.evidence_holds(tx, keys, act.evidence, act.body):
        return Refused(problem=EVIDENCE_DOES_NOT_HOLD)
    refused = await _apply(tx, keys, actor, act, request_id, now)
    if refused is None:
        await acts.settle(tx, actor, act, request_id=request_id, now=now)
    return refused


async def _apply(
    tx: Tx, keys: KeyRing, actor: Actor, act: Act, request_id: str, now: datetime
) -> Refused | None:
    body = act.body
    if isinstance(body, MergeBody):
        pair = body.merged_id, body.survivor_id
        return await merges.merge(tx, act.act_id, *pair, actor, request_id=request_id, now=now)
    if isinstance(body, UnmergeBody):
        return await merges.unmerge(tx, body.merge_id, actor, request_id=request_id, now=now)
    if isinstance(body, NumberBody):
        assert actor.facility_id is not None, "registry officers work at a facility"
        return await numbers.attach(tx, keys, act.act_id, body, actor.facility_id, now)
    if isinstance(body, EndedNumberBody):
        return await numbers.cancel(tx, keys, act.act_id, body, now)
    assert isinstance(body, DeathBody)
    if act.kind == "death-notice":
        return await deaths.give_notice(tx, body.patient_id, act.act_id, now)
    return await deaths.withdraw(tx, body.patient_id, now)
