"""Registry officers and their acts for tests, each step in a transaction of its own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from consent import merges, registry
from identity.registry import service as acts
from identity.registry.models import ActKind, Body, Evidence, MergeBody, UnmergeBody
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_doctor, make_facility

TRACE = "018f0000-0000-7000-8000-000000000000"


async def make_officers(store: Store, clock: FrozenClock) -> tuple[Actor, Actor]:
    """Two registry officers of different facilities."""
    made = []
    for _ in range(2):
        facility = await make_facility(store, clock)
        made.append((await make_doctor(store, clock, facility, role="registry-officer")).actor)
    return made[0], made[1]


async def propose(
    store: Store,
    actor: Actor,
    kind: ActKind,
    body: Body,
    now: datetime,
    evidence: Evidence = "documents-seen",
) -> UUID | Refused:
    async with store.transaction() as tx:
        return await acts.propose(
            tx, store.keys, actor, kind, body, evidence, "Giấy tờ gốc đã xem", request_id=TRACE, now=now
        )


async def confirm(store: Store, actor: Actor, act_id: UUID, now: datetime) -> Refused | None:
    async with store.transaction() as tx:
        act = await acts.open_act(tx, store.keys, actor, act_id, now)
        if isinstance(act, Refused):
            return act
        return await registry.confirm(tx, store.keys, actor, act, request_id=TRACE, now=now)


async def agreed(
    store: Store, officers: tuple[Actor, Actor], kind: ActKind, body: Body, now: datetime
) -> UUID:
    """An act that both officers agreed on."""
    act_id = await propose(store, officers[0], kind, body, now)
    assert isinstance(act_id, UUID), act_id
    refused = await confirm(store, officers[1], act_id, now)
    assert refused is None, refused
    return act_id


async def run_job(store: Store, merge_id: UUID, now: datetime, most: int = 1000) -> int:
    """The job of a merge until nothing is left; how many steps."""
    for steps in range(most):
        async with store.transaction() as tx:
            if await merges.step(tx, merge_id, now) is None:
                return steps + 1
    raise AssertionError("the job does not end")


async def merged(
    store: Store, officers: tuple[Actor, Actor], merged_id: UUID, survivor_id: UUID, now: datetime
) -> UUID:
    """Two persons merged, with every row moved."""
    body = MergeBody(merged_id=merged_id, survivor_id=survivor_id)
    merge_id = await agreed(store, officers, "merge", body, now)
    await run_job(store, merge_id, now)
    return merge_id


async def separated(store: Store, officers: tuple[Actor, Actor], merge_id: UUID, now: datetime) -> None:
    await agreed(store, officers, "unmerge", UnmergeBody(merge_id=merge_id), now)
    await run_job(store, merge_id, now)


async def dump(owner: Store, patient_id: UUID, tables: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Every row of one person in these tables, every column, in a fixed order."""
    async with owner.transaction() as tx:
        return {
            table: [
                dict(row)
                for row in await tx.fetch(
                    f"SELECT * FROM {table} t WHERE patient_id = $1 ORDER BY t::text",
                    patient_id,
                )
            ]
            for table in tables
        }
