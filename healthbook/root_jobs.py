"""The worker's jobs on the log of heads: a root every five minutes, kept beside the journal, the newest one
offered to the witness.

A root is many short transactions; nothing is asked of anybody outside within one. While the witness or the
journal's place is away roots go on; the witness's next one covers them, and the files are written later.
"""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from audit.chain import canonical
from audit.ports import (
    Offer,
    Witness,
    WitnessBehindError,
    WitnessRefusedError,
    WitnessUnreachableError,
)
from audit.roots.models import Cosignature
from audit.roots.proofs import roots_after
from audit.roots.service import HEADS_PER_STEP, append_changed, mark_rooted, sign_root
from audit.roots.signing import root_id
from audit.roots.witness_http import HttpWitness
from audit.roots.witnessing import keep_cosignature, next_offer, offer_from
from healthbook.settings import Settings
from kernel.clock import Clock
from kernel.ids import BUCKETS
from store.database import Store
from store.due_queue import arm
from store.journal import JournalError, JournalFiles
from store.models import Due

ROOTS: Final = "audit-roots"
WITNESS: Final = "audit-witness"
EVERY: Final = timedelta(minutes=5)
OFFERED_EVERY: Final = timedelta(minutes=1)
# A stretch ends before the job's turn does; what is left comes at once, here or at another worker.
STRETCH: Final = timedelta(minutes=2)
_ALL: Final = "all"

log = structlog.get_logger("worker")


def root_jobs(
    store: Store, clock: Clock, witness: Witness | None, files: JournalFiles
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind."""
    kept: int | None = None

    async def build(_due: Due) -> datetime:
        nonlocal kept
        begun = clock.now()
        is_done = await build_root(store, clock, begun + STRETCH)
        kept = await keep_roots(store, files, kept)
        return begun + EVERY if is_done else clock.now()

    async def offer(_due: Due) -> datetime:
        if witness is not None:
            await offer_newest(store, witness)
        return clock.now() + OFFERED_EVERY

    return {ROOTS: build, WITNESS: offer}


async def arm_roots(store: Store, clock: Clock) -> None:
    """Make sure that the jobs have their rows; one that waits keeps its time."""
    async with store.transaction() as tx:
        for kind in (ROOTS, WITNESS):
            await arm(tx, zlib.crc32(kind.encode()) % BUCKETS, clock.now(), kind, _ALL)


def witness_of(settings: Settings) -> Witness | None:
    """The witness of this installation; None where nobody outside watches."""
    if not settings.audit_witness_url:
        return None
    return HttpWitness(settings.audit_witness_url, settings.audit_witness_key)


async def build_root(store: Store, clock: Clock, until: datetime) -> bool:
    """Append what changed and sign. False: time was up before everything was in."""
    while True:
        async with store.transaction() as tx:
            heads = await append_changed(tx, store.keys, clock.now())
        async with store.transaction() as tx:
            await mark_rooted(tx, heads)
        is_last = len(heads) < HEADS_PER_STEP
        if is_last or clock.now() >= until:
            break
    async with store.transaction() as tx:
        await sign_root(tx, store.keys, clock.now())
    return is_last


async def keep_roots(store: Store, files: JournalFiles, after: int | None) -> int | None:
    """Write the signed roots after a number (None: the newest) where nobody changes them again: the journal's
    files, with its object lock. A name holds the root's own digest, so that one of a fork replaces no other.
    Returns the number up to which they lie there."""
    async with store.transaction() as tx:
        page = await roots_after(tx, store.keys, after)
    for one in page.roots if after is not None else page.roots[-1:]:
        name = f"root-{one.root.number:016d}-{root_id(one.root)[:16]}.json"
        try:
            await files.put(name, canonical(one))
        except JournalError:
            log.error("root_not_kept", root=one.root.number, alert=True)
            return one.root.number - 1
        after = one.root.number
    return after


async def offer_newest(store: Store, witness: Witness) -> bool:
    """Offer the newest root and keep what the witness says. True when it signed."""
    async with store.transaction() as tx:
        offer = await next_offer(tx)
    if offer is None:
        return False
    try:
        signed = await _ask(store, witness, offer)
    except WitnessUnreachableError:
        log.warning("witness_unreachable", root=offer.root.root.number)
        return False
    except (WitnessRefusedError, WitnessBehindError):
        # Either the log was forked or rolled back, or the witness errs: the runbook says what to do.
        log.error("witness_refused", root=offer.root.root.number, alert=True)
        return False
    async with store.transaction() as tx:
        await keep_cosignature(tx, offer, signed)
    return True


async def _ask(store: Store, witness: Witness, offer: Offer) -> Cosignature:
    """Ask once, and once more from where the witness stands."""
    try:
        return await witness.offer(offer)
    except WitnessBehindError as behind:
        async with store.transaction() as tx:
            again = await offer_from(tx, offer, behind.size)
        if again is None:
            raise
        return await witness.offer(again)
