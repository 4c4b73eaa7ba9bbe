"""What a decided merge does to two persons: alias, origins, holds, log (security.md S10).

From the decision on, devices, login phones, sessions, grants and links of both open nothing until each is
proven again in presence. What came from the merged person is seen through the survivor when it has moved, 72
hours are over, and, where the merged person had an account or a verified number, that card was seen as well.
Rows of the record follow in batches (ehr/merges); both steps of a decision stand in consent/merges.py.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from audit.queries import head_of
from audit.service import record_act
from identity.merges import queries
from identity.merges.models import Merge
from identity.merges.problems import MERGE_NOT_SETTLED, MERGE_STALE, MERGE_WRONG_WAY, NO_SUCH_MERGE
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

VISIBLE_AFTER = timedelta(hours=72)
_ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


async def lock_pair(tx: Tx, merged_id: UUID, survivor_id: UUID) -> Refused | None:
    """Lock both persons, the lower id first, and say why they cannot be merged now."""
    if merged_id == survivor_id:
        return Refused(problem=MERGE_STALE)
    found = {one: await queries.LOCK_PERSON.one(tx, one) for one in sorted((merged_id, survivor_id))}
    if any(one is None or one.state not in ("active", "death-reported") for one in found.values()):
        return Refused(problem=MERGE_STALE)
    # The book that stays is the one with the number in force: its card opens the account.
    if await queries.HAS_NATIONAL_ID.one(tx, merged_id) and not await queries.HAS_NATIONAL_ID.one(
        tx, survivor_id
    ):
        return Refused(problem=MERGE_WRONG_WAY)
    origins = await queries.ORIGINS.all(tx, merged_id)
    if any(one.moved_at is None or (one.needs_proof and one.proven_at is None) for one in origins):
        return Refused(problem=MERGE_NOT_SETTLED)
    return None


async def decide(
    tx: Tx,
    merge_id: UUID,
    merged_id: UUID,
    survivor_id: UUID,
    seq_offset: int,
    actor: Actor,
    *,
    request_id: str,
    now: datetime,
) -> None:
    """The merged person becomes an alias of the survivor, and everything of both is held. Both are locked."""
    person = await queries.LOCK_PERSON.one(tx, merged_id)
    assert person is not None
    lineage = [merged_id, *(one.origin_id for one in await queries.ORIGINS.all(tx, merged_id))]
    await queries.INSERT_MERGE.run(
        tx, merge_id, merged_id, survivor_id, person.state, lineage, seq_offset, now
    )
    needs_proof = bool(await queries.HAS_ACCOUNT.one(tx, merged_id))
    for origin_id in lineage:
        await queries.INSERT_ORIGIN.run(
            tx, survivor_id, origin_id, merge_id, now + VISIBLE_AFTER, needs_proof
        )
    for alias in lineage[1:]:
        await queries.POINT_ALIAS.run(tx, alias, survivor_id)
    await queries.INSERT_ALIAS.run(tx, merged_id, survivor_id, merge_id, now)
    await queries.SET_STATE.run(tx, merged_id, "merged")
    for patient_id in sorted((merged_id, survivor_id)):
        await queries.INSERT_HOLD.run(tx, patient_id, uuid7(now), merge_id, _ALWAYS, now)
    await _log_both(tx, actor, "identity:merge:create", merged_id, survivor_id, request_id, now)
    await _tell_both(tx, "identity.merged", merge_id, (merged_id, survivor_id), now)


async def prove(tx: Tx, patient_id: UUID, actor: Actor, *, request_id: str, now: datetime) -> bool:
    """The card of a person was seen by two accounts. True for a merged one: its rows may now be seen through
    the survivor when the rest of what they wait for is over."""
    merge_id = await queries.MERGE_OF_ALIAS.one(tx, patient_id)
    merge = None if merge_id is None else await queries.MERGE_BY_ID.one(tx, merge_id)
    if merge is None:
        return False
    if await queries.PROVE_ORIGIN.one(tx, merge.survivor_id, merge.merge_id, now) is not None:
        await record_act(tx, patient_id, actor, "identity:merge:prove", request_id=request_id, now=now)
    return True


async def lock_merge(tx: Tx, merge_id: UUID) -> Merge | Refused:
    """A standing merge, locked, that can be undone: the survivor was not merged further."""
    merge = await queries.LOCK_MERGE.one(tx, merge_id)
    if merge is None or merge.state not in ("moving", "moved"):
        return Refused(problem=NO_SUCH_MERGE)
    locked = {
        one: await queries.LOCK_PERSON.one(tx, one) for one in sorted((merge.merged_id, merge.survivor_id))
    }
    survivor = locked[merge.survivor_id]
    if survivor is None or survivor.state == "merged":
        return Refused(problem=MERGE_STALE)
    return merge


async def decide_undo(tx: Tx, merge: Merge, actor: Actor, *, request_id: str, now: datetime) -> None:
    """Nothing of the merged person is seen through the survivor from here on. The alias stands until the rows
    are back (`finish_undo`), so that nobody finds half a record.

    Who signed in before the merge is who it was: only what was enrolled, proven or granted during it is held.
    """
    await queries.SET_MERGE.run(tx, merge.merge_id, "returning", 0, None, None)
    await queries.DELETE_ORIGINS.run(tx, merge.survivor_id, merge.merge_id)
    for patient_id in sorted((merge.merged_id, merge.survivor_id)):
        await queries.DELETE_HOLDS.run(tx, patient_id, merge.merge_id)
        await queries.INSERT_HOLD.run(tx, patient_id, uuid7(now), merge.merge_id, merge.decided_at, now)
    await _log_both(tx, actor, "identity:merge:undo", merge.merged_id, merge.survivor_id, request_id, now)
    await _tell_both(tx, "identity.unmerged", merge.merge_id, (merge.merged_id, merge.survivor_id), now)


async def lock_step(tx: Tx, merge_id: UUID) -> Merge | None:
    """The merge and both persons for one step of its job."""
    merge = await queries.LOCK_MERGE.one(tx, merge_id)
    for one in sorted((merge.merged_id, merge.survivor_id)) if merge else ():
        await queries.LOCK_PERSON.one(tx, one)
    return merge


async def note_progress(tx: Tx, merge: Merge, rows: int) -> None:
    await queries.SET_MERGE.run(tx, merge.merge_id, merge.state, rows, None, None)


async def finish_move(tx: Tx, merge: Merge, now: datetime) -> None:
    """Every row is at the survivor."""
    await queries.SET_MERGE.run(tx, merge.merge_id, "moved", 0, now, None)
    await queries.ORIGINS_MOVED.run(tx, merge.survivor_id, merge.merge_id, now)


async def finish_undo(tx: Tx, merge: Merge, now: datetime) -> None:
    """Every row is back: the person stands alone again, and so do those who had been merged into it."""
    await queries.DELETE_ALIAS.run(tx, merge.merged_id, merge.merge_id)
    for alias in merge.lineage[1:]:
        await queries.POINT_ALIAS.run(tx, alias, merge.merged_id)
    await queries.SET_STATE.run(tx, merge.merged_id, merge.merged_state)
    await queries.SET_MERGE.run(tx, merge.merge_id, "undone", 0, None, now)


async def _log_both(
    tx: Tx, actor: Actor, action: str, merged_id: UUID, survivor_id: UUID, request_id: str, now: datetime
) -> None:
    """A row in each chain that names the other person and where the other chain stood."""
    pair = sorted((merged_id, survivor_id))
    heads = {one: await head_of(tx, one) for one in pair}
    for one, other in (pair, pair[::-1]):
        head = heads[other]
        linked = [("Person", str(other))]
        if head is not None:
            linked.append(("AuditHead", f"{head.seq}:{head.h.hex()}"))
        await record_act(tx, one, actor, action, resources=linked, request_id=request_id, now=now)


async def _tell_both(tx: Tx, event: str, merge_id: UUID, people: Iterable[UUID], now: datetime) -> None:
    for patient_id in people:
        await emit(tx, patient_id, event, {"merge_id": str(merge_id)}, now)
