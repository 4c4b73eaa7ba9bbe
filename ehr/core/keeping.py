"""Writing what a core told: through the gate and the one way of writing, with the core as the source."""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

from ehr.core import queries
from ehr.core.fetching import Asked, Fetched, visits_in
from ehr.core.policy import OVERLAP, PARTS, VISITS
from ehr.core.units import CHUNK, Taken, sensitive_visits, take
from ehr.intake.ambiguous import parted
from ehr.intake.ids import resource_id
from ehr.merges.service import book_of, mark_of
from ehr.models import NewResource, Source
from ehr.ports import Core, CoreResource
from ehr.quarantine.keeping import Origin
from ehr.quarantine.keeping import keep as set_aside
from ehr.quarantine.models import KeptLines
from ehr.quarantine.queries import DROP_OF_UNIT
from ehr.queries import StoredRow
from ehr.store import retract_rows, write_unit
from kernel.access import Label
from kernel.clock import Clock
from kernel.ids import uuid7
from store.database import Store, Tx
from store.keys import KeyRing


async def keep(
    store: Store, clock: Clock, core: Core, patient: CoreResource, fetched: Fetched, asked: Asked
) -> None:
    """Write a part in as many transactions as its size asks for; the last one says how far we got.

    Raises CoreError when what came is no FHIR R4.
    """
    visits = await _sensitive(store, core, fetched, asked)
    parts = [fetched.resources[at : at + CHUNK] for at in range(0, len(fetched.resources), CHUNK)]
    taken = [
        await asyncio.to_thread(take, patient, part, core.source_id, core.name, visits)
        for part in parts or [[]]
    ]
    now = clock.now()
    source = Source(
        source_id=core.source_id,
        facility_id=None,
        credential=core.source_id,
        batch=uuid7(now),
        method="core",
    )
    for one in taken[:-1]:
        async with store.transaction() as tx:
            await write_unit(tx, asked.patient_id, source, one.prepared.resources, unit=None, now=now)
    lines = [group for one in taken for group in one.prepared.review]
    async with store.transaction() as tx:
        released, waiting = await parted(tx, asked.patient_id, lines)
        last = taken[-1].prepared.resources + released
        await write_unit(tx, asked.patient_id, source, last, unit=None, now=now)
        await _set_aside(tx, store.keys, core, waiting, fetched, asked, now)
        # A person who was merged into another one is still read for themselves, into the other's book.
        book, origin = await book_of(tx, asked.patient_id)
        gone = await _gone(tx, core, fetched, taken, released, book, origin)
        if gone:
            keys = [(row.rtype, row.id) for row in gone]
            await retract_rows(tx, book, keys, source.credential, source.method, now, batch=source.batch)
        await _keep_part(tx, core, fetched, taken, asked)


async def _sensitive(store: Store, core: Core, fetched: Fetched, asked: Asked) -> dict[str, Label]:
    """Visits of sensitive departments: those that are kept and those that just came."""
    async with store.transaction() as tx:
        book, origin = await book_of(tx, asked.patient_id)
        kept = await queries.LABELLED_VISITS.all(tx, book, core.source_id, origin)
    mark = mark_of(origin or book)
    known = sensitive_visits({row.id.removesuffix(mark): row.doc.encode() for row in kept})
    return known | visits_in(fetched, core.source_id)


async def _set_aside(
    tx: Tx,
    keys: KeyRing,
    core: Core,
    waiting: list[list[NewResource]],
    fetched: Fetched,
    asked: Asked,
    now: datetime,
) -> None:
    """Each ambiguous medicine waits for a reviewer by itself, and once: what the last comparison saw already
    waits, or somebody refused it."""
    before = asked.parts.get(fetched.part)
    seen_until = before.full_at - OVERLAP if before is not None and before.full_at is not None else None
    written_at = {resource_id(core.source_id, one.reference): one.updated for one in fetched.resources}
    for rows in waiting:
        at = written_at.get(rows[0].id)
        if seen_until is not None and at is not None and at < seen_until:
            continue
        id_hash = hashlib.sha256(f"{core.source_id}\n{rows[0].rtype}/{rows[0].id}".encode()).digest()
        origin = Origin(
            id_hash=id_hash, facility_id=None, credential=core.source_id, batch=uuid7(now), unit="core"
        )
        lines = KeptLines(source_id=core.source_id, unit=None, rows=rows, patient_id=asked.patient_id)
        await DROP_OF_UNIT.run(tx, id_hash[0], id_hash)
        await set_aside(tx, keys, origin, "review", "ambiguous-medicine", lines, now)


async def _gone(
    tx: Tx,
    core: Core,
    fetched: Fetched,
    taken: list[Taken],
    released: list[NewResource],
    book: UUID,
    origin: UUID | None,
) -> list[StoredRow]:
    """Kept rows that the core no longer has, or that the gate stops as they are now.

    A resource that could not be read keeps the row it made before.
    """
    types, mark = [VISITS, *PARTS[fetched.part].types], mark_of(origin or book)
    rows = [*(row for one in taken for row in one.written.values()), *released]
    written = {(row.rtype, row.id.removesuffix(mark)) for row in rows}
    refused = {resource_id(core.source_id, ref) for one in taken for ref in one.refused}
    listed = {(one.rtype, resource_id(core.source_id, one.reference)) for one in fetched.resources}
    gone = {(ref.partition("/")[0], resource_id(core.source_id, ref)) for ref in fetched.gone} - listed
    return [
        row
        for row in await queries.ROWS_OF_SOURCE.all(tx, book, types, core.source_id, origin)
        if (key := (row.rtype, row.id.removesuffix(mark))) not in written
        and key[1] not in refused
        and (key in listed or key in gone or (fetched.is_comparable and row.rtype in fetched.listed))
    ]


async def _keep_part(tx: Tx, core: Core, fetched: Fetched, taken: list[Taken], asked: Asked) -> None:
    before = asked.parts.get(fetched.part)
    full_at = asked.started if fetched.is_comparable else before.full_at if before else None
    refused = sum(len(one.refused) for one in taken)
    await queries.KEEP_PART.run(
        tx,
        asked.patient_id,
        core.source_id,
        fetched.part,
        asked.started,
        full_at,
        len(fetched.resources),
        refused,
        full_at is not None,
        fetched.complete and refused == 0,
    )
