"""Merging and separating two persons: the decision under all locks, and the job that moves the rows.

Locks in one order: the act, the merge, both persons by id, both heads (merged, then survivor), the logs.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from consent.blocks import service as blocks
from consent.emergency import queries as emergencies
from consent.rights.erasing import waits as erasure_waits
from consent.rights.problems import ERASURE_BEFORE_MERGE
from ehr.merges import service as rows
from ehr.store import part_hidings
from ehr.visibility.clocks import arm as arm_release
from identity.merges import service as people
from identity.merges.models import Merge
from kernel.access import Actor
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule

JOB: Final = "person-merge"


async def merge(
    tx: Tx,
    merge_id: UUID,
    merged_id: UUID,
    survivor_id: UUID,
    actor: Actor,
    *,
    request_id: str,
    now: datetime,
) -> Refused | None:
    """Decide a merge that two officers agreed on. From the commit on it holds; the rows follow."""
    refused = await people.lock_pair(tx, merged_id, survivor_id)
    if refused is not None:
        return refused
    # A book that is about to go takes no other person's rows in, and gives its own to nobody.
    if await erasure_waits(tx, merged_id) or await erasure_waits(tx, survivor_id):
        return Refused(problem=ERASURE_BEFORE_MERGE)
    await blocks.take_over(tx, merged_id, survivor_id, now)
    await emergencies.take_over(tx, merged_id, survivor_id, now)
    offset = await rows.begin(tx, merged_id, survivor_id, now)
    await people.decide(tx, merge_id, merged_id, survivor_id, offset, actor, request_id=request_id, now=now)
    await schedule(tx, bucket_of(survivor_id), now, JOB, str(merge_id))
    return None


async def unmerge(tx: Tx, merge_id: UUID, actor: Actor, *, request_id: str, now: datetime) -> Refused | None:
    """Decide to undo a merge, also one whose rows are still on their way."""
    found = await people.lock_merge(tx, merge_id)
    if isinstance(found, Refused):
        return found
    await people.decide_undo(tx, found, actor, request_id=request_id, now=now)
    await blocks.give_back(tx, found.merged_id, found.survivor_id)
    await emergencies.give_back(tx, found.merged_id, found.survivor_id)
    await schedule(tx, bucket_of(found.survivor_id), now, JOB, str(merge_id))
    return None


async def step(tx: Tx, merge_id: UUID, now: datetime) -> datetime | None:
    """One batch of rows. Returns when the job is due again, None when nothing is left to do.

    Whatever instant the process dies at, the job's row is still in the queue and every row at one person.
    """
    found = await people.lock_step(tx, merge_id)
    if found is None or found.state not in ("moving", "returning"):
        return None
    moved = await _batch(tx, found)
    if moved:
        await people.note_progress(tx, found, moved)
        return now
    if found.state == "moving":
        await people.finish_move(tx, found, now)
        await arm_release(tx, found.survivor_id)
    else:
        await rows.finish(tx, found.merged_id, found.survivor_id)
        await part_hidings(tx, found.merged_id, found.survivor_id, now)
        await people.finish_undo(tx, found, now)
        await arm_release(tx, found.merged_id)
    return None


async def _batch(tx: Tx, found: Merge) -> int:
    pair = found.merged_id, found.survivor_id
    if found.state == "moving":
        return await rows.move_some(tx, *pair, found.lineage)
    return await rows.give_back(tx, *pair, found.lineage)
