"""Bringing one person's record up to date with a core: who it is there, then part by part.

The rungs of ehr-core.md §2.2 that are built: changes by `_lastUpdated` with overlap, deletions by
`_history`, and a comparison of everything at night. The core is never asked inside a transaction.
"""

import asyncio
import random
from datetime import timedelta
from uuid import UUID

import structlog

from ehr.core import links, queries
from ehr.core.fetching import Asked, fetch
from ehr.core.keeping import keep
from ehr.core.policy import PARTS, Part, parts_to_ask
from ehr.displays import DISPLAY_VERSION
from ehr.ports import Budget, Core, CoreError
from kernel.clock import Clock
from store.database import Store

# How long one refresh may take in all; its lease ends by itself a little later.
SECONDS: dict[Budget, float] = {"interactive": 3.0, "background": 540.0}
LEASE_GRACE = timedelta(seconds=5)

log = structlog.get_logger("core")


async def refresh(
    store: Store,
    clock: Clock,
    core: Core,
    patient_id: UUID,
    budget: Budget,
    *,
    whole: bool = False,
    changed: bool = False,
) -> bool:
    """Ask for what is not fresh, for all that changed, or for the whole record. True when all of it came.

    Returns at once where another refresh of the same person is under way. Raises nothing of the core's: a
    failure is kept beside the part it met.
    """
    asked = await _begin(store, clock, core, patient_id, budget, whole=whole, changed=changed)
    if asked is None:
        return False
    try:
        async with asyncio.timeout(SECONDS[budget]):
            return await _refresh(store, clock, core, asked)
    except TimeoutError:
        await _keep_failure(store, clock, core, asked, list(PARTS), CoreError("timeout"))
        return False
    except Exception as error:
        # Whatever a core sends, the reader still gets what is here.
        log.error("core_refresh_crashed", source_id=core.source_id, error=type(error).__name__)
        await _keep_failure(store, clock, core, asked, list(PARTS), CoreError("broken"))
        return False
    finally:
        async with store.transaction() as tx:
            await queries.RELEASE_LEASE.run(tx, patient_id, asked.lease)


async def _begin(
    store: Store, clock: Clock, core: Core, patient_id: UUID, budget: Budget, *, whole: bool, changed: bool
) -> Asked | None:
    """The lease and what is known; None while somebody else holds the lease."""
    now = clock.now()
    jitter = timedelta(milliseconds=random.randrange(1000))  # noqa: S311 - spreads retries, guards nothing
    lease = now + timedelta(seconds=SECONDS[budget]) + LEASE_GRACE + jitter
    async with store.transaction() as tx:
        if not await queries.TAKE_LEASE.one(tx, patient_id, now, DISPLAY_VERSION, lease):
            return None
        parts = await queries.PARTS.all(tx, patient_id, core.source_id)
        return Asked(
            patient_id=patient_id,
            budget=budget,
            whole=whole,
            changed=changed,
            started=now,
            lease=lease,
            link=await queries.LINK.one(tx, patient_id, core.source_id),
            numbers=await links.numbers_of(tx, store.keys, patient_id),
            parts={row.part: row for row in parts},
        )


async def _refresh(store: Store, clock: Clock, core: Core, asked: Asked) -> bool:
    wanted: list[Part] = list(PARTS)
    try:
        found = await _find(core, asked)
        async with store.transaction() as tx:
            asked.link = await links.settle(
                tx, store.keys, asked.patient_id, core.source_id, found, clock.now()
            )
        if asked.link.state != "linked" or found.patient is None:
            return True
        everything = asked.whole or asked.changed
        wanted = wanted if everything else parts_to_ask(list(asked.parts.values()), clock.now())
        while wanted:
            fetched = await fetch(core, found.patient, wanted[0], asked)
            await keep(store, clock, core, found.patient, fetched, asked)
            del wanted[0]
    except CoreError as error:
        await _keep_failure(store, clock, core, asked, wanted, error)
        return False
    return True


async def _find(core: Core, asked: Asked) -> links.Found:
    """The Patient of a standing link, read anew; else, and at every comparison, the search by number."""
    if asked.link is not None and asked.link.core_patient is not None and not asked.whole:
        patient = await core.read("Patient", asked.link.core_patient, asked.budget)
        if patient is not None:
            return links.Found("linked", patient)
    return await links.find(core, asked.numbers, asked.budget)


async def _keep_failure(
    store: Store, clock: Clock, core: Core, asked: Asked, parts: list[Part], error: CoreError
) -> None:
    """Beside each part that is still wanted, so that the next reader does not wait for the same again."""
    log.warning("core_failed", source_id=core.source_id, fault=error.fault)
    now, key = clock.now(), (asked.patient_id, core.source_id)
    async with store.transaction() as tx:
        if asked.link is None or asked.link.state == "unasked":
            await queries.KEEP_LINK.run(tx, *key, "unasked", None, now)
        for part in parts:
            await queries.KEEP_FAILURE.run(tx, *key, part, now, error.fault)
