"""The job that erases a person: table by table in batches, each in a transaction of its own.

The journal knows of it before the first row goes (security.md S12). Whatever instant the process dies at,
the job's row is still in the queue and everything done so far is done; two at once delete the same rows
once. An hour after the last row a second pass takes what a writer that was under way left behind.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.service import record_act
from consent.apps.service import end_with_person
from consent.rights import queries
from consent.rights.models import Erasure
from consent.rights.service import ERASE_JOB, shut
from ehr.statistics.counting import forget_person
from identity.merges.aliases import is_settled, origins_of
from kernel.access import Actor
from kernel.clock import Clock
from kernel.ids import bucket_of, uuid7
from store.database import Store, Tx
from store.due_queue import schedule
from store.journal import is_written, number
from store.outbox import emit
from store.person_tables import BATCH, TABLES, delete_some

JOURNAL_AGAIN: Final = timedelta(seconds=2)
SWEEP_AFTER: Final = timedelta(hours=1)
UNSETTLED_AGAIN: Final = timedelta(hours=6)
_JOB: Final = Actor(kind="job", actor_id=UUID(int=0), name=ERASE_JOB)


async def erase(store: Store, clock: Clock, patient_id: UUID) -> datetime | None:
    """Do what is next. Returns when the job is due again, None when nothing is left to do."""
    async with store.transaction() as tx:
        found = await queries.LOCK_ERASURE.one(tx, patient_id)
        if found is None or found.state in ("cancelled", "erased"):
            return None
        if found.state == "waiting":
            return await _begin(tx, found, clock.now())
        people = [patient_id, *sorted(await origins_of(tx, patient_id))]
        if not await is_written(tx, patient_id):
            return clock.now() + JOURNAL_AGAIN
    for person in reversed(people):
        await _delete_all(store, person)
    async with store.transaction() as tx:
        return await _end(tx, found, clock.now())


async def waits(tx: Tx, patient_id: UUID) -> bool:
    """Whether the person asked to be erased and it is not over."""
    found = await queries.ERASURE_OF.one(tx, patient_id)
    return found is not None and found.state in ("waiting", "erasing", "sweeping")


async def erase_again(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """The journal says that this person was erased: so it is, in a database that was restored too."""
    if await queries.LOCK_PERSON.one(tx, patient_id) is None:
        return
    await queries.UPSERT_ERASURE.run(tx, patient_id, uuid7(now), now, now)
    await end_with_person(tx, patient_id, now)
    await shut(tx, patient_id, "erasing", "erased", now)
    await queries.SET_ERASURE.run(tx, patient_id, "erasing", now)
    await schedule(tx, bucket_of(patient_id), now, ERASE_JOB, str(patient_id))


async def _begin(tx: Tx, found: Erasure, now: datetime) -> datetime | None:
    """From this commit on the person is unknown at every door.

    Not while rows of a merge are on their way, or lie here unproven: they are another person's until the card
    was seen, and an unmerge gives them back (security.md S10). Whoever was merged into another person has no
    book of their own to erase: the request is refused, and told.
    """
    if found.due_at > now:
        return found.due_at
    patient_id = found.patient_id
    state = await queries.LOCK_PERSON.one(tx, patient_id)
    if state == "merged":
        await _refuse(tx, found, now)
        return None
    if not await is_settled(tx, patient_id):
        return now + UNSETTLED_AGAIN
    # Before anything is logged, as every end of what somebody reads by (consent.queries.lock_doors).
    await end_with_person(tx, patient_id, now)
    await record_act(tx, patient_id, _JOB, "identity:person:erase", request_id=str(found.request_id), now=now)
    await shut(tx, patient_id, "erasing", "erased", now)
    await queries.SET_ERASURE.run(tx, patient_id, "erasing", now)
    # Last: everybody's acts wait for this number's commit.
    await number(tx, patient_id, "erase", {}, now)
    return now


async def _refuse(tx: Tx, found: Erasure, now: datetime) -> None:
    await queries.SET_ERASURE.run(tx, found.patient_id, "cancelled", now)
    await queries.FINISH.run(tx, found.patient_id, found.request_id, now, "refused")
    trace = str(found.request_id)
    await record_act(tx, found.patient_id, _JOB, "rights:request:refuse", request_id=trace, now=now)
    await emit(tx, found.patient_id, "consent.rights-moved", {"request_id": str(found.request_id)}, now)


async def _delete_all(store: Store, patient_id: UUID) -> None:
    async with store.transaction() as tx:
        await forget_person(tx, store.keys, patient_id)
    for one in TABLES:
        while one.kept is None:
            async with store.transaction() as tx:
                if await delete_some(tx, one, patient_id) < BATCH:
                    break
    # Outside any transaction; their rows are gone, so nobody can ask for them meanwhile.
    await store.blobs.erase(patient_id)


async def _end(tx: Tx, found: Erasure, now: datetime) -> datetime | None:
    if found.state == "erasing":
        await queries.SET_ERASURE.run(tx, found.patient_id, "sweeping", now)
        return now + SWEEP_AFTER
    await queries.SET_ERASURE.run(tx, found.patient_id, "erased", now)
    await queries.FINISH.run(tx, found.patient_id, found.request_id, now, "done")
    return None
