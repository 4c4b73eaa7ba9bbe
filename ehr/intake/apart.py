"""Tables of a visit that come without its summary (XML1): only that says whose they are.

Each table waits by itself, sealed, for the summary of the same sender and MA_LK (security.md S3), and is
written into that visit when it comes; where the summary stands already, at once. Its rows keep the mark of
their table: a summary sent again without that table leaves them, one that brings the table replaces them.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from ehr.intake import queries, systems
from ehr.intake.ambiguous import keep_lines, parted
from ehr.intake.counting import Counts, count
from ehr.intake.ids import resource_id
from ehr.intake.map_visit import icd_version
from ehr.intake.models import BadInputError, IdentifierKind, Item, PersonFacts, Reason, Unit, UnitReport
from ehr.intake.same_visit import item_of
from ehr.intake.trust.service import keep_signature
from ehr.intake.units import Prepared, prepare
from ehr.intake.xml_tables import TABLES_APART
from ehr.models import NewResource, Source
from ehr.quarantine.keeping import Origin, keep, open_body
from ehr.quarantine.models import KeptLines, KeptUnit
from ehr.quarantine.queries import COUNT_PARTS, DROP, DROP_OF_UNIT, PARTS_OF_VISIT, WAITS
from ehr.store import APART, write_unit
from identity.merges.aliases import survivor_of
from identity.people import own_identifiers
from store.database import Tx
from store.keys import KeyRing

AWAITING_SUMMARY: Final = "awaiting-summary"
# Its summary is there, but not yet whose it is; no sender is told (S19).
AWAITING_PERSON: Final = "awaiting-person"
BYTES_MAX: Final = 2 * 1024 * 1024
# A sender's visits are spread over 256 buckets: some 25,000 tables in all.
WAITING_PER_BUCKET_MAX: Final = 100


class Visit(Struct, frozen=True, kw_only=True):
    """The visit that lines are written into. id_hash: of its unit; name: the record's name of that; doc: its
    Encounter; source: who sent the summary, of which the lines' sender is another credential at most."""

    id_hash: bytes
    patient_id: UUID
    name: str | None
    doc: dict[str, Any]
    person: PersonFacts
    source: Source
    facility_name: str | None


def hash_of(id_hash: bytes, table: str) -> bytes:
    """What a table that was sent apart is found by again, in the bucket of its visit."""
    return id_hash[:1] + hashlib.sha256(id_hash + table.encode()).digest()[1:]


def replaced_by(documents: Iterable[str]) -> Callable[[str], bool]:
    """Which rows of a visit its summary replaces, by how they came: all but other tables sent apart."""
    brought = {APART + table for table in documents}
    return lambda method: not method.startswith(APART) or method in brought


async def standing_visit(
    tx: Tx, keys: KeyRing, unit: Unit, before: UUID, source: Source, facility_name: str | None, id_hash: bytes
) -> Visit | None:
    """The visit of a table, where its summary was written to the book of `before`."""
    assert unit.visit is not None
    book = await survivor_of(tx, before)
    ident = resource_id(source.source_id, unit.visit)
    row = await queries.STANDING_VISIT.one(tx, book, ident, source.source_id)
    if row is None:
        return None
    numbers = await own_identifiers(tx, keys, before)
    return Visit(
        id_hash=id_hash,
        patient_id=before,
        name=row.unit,
        doc=json.loads(row.doc),
        person=PersonFacts(identifiers=tuple((cast(IdentifierKind, one.kind), one.value) for one in numbers)),
        source=source,
        facility_name=facility_name,
    )


async def receive(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, visit: Visit, now: datetime
) -> tuple[UnitReport, bool]:
    """Write one table into the visit that stands; also whether that changed anything."""
    own = hash_of(visit.id_hash, unit.documents[0])
    await DROP_OF_UNIT.run(tx, own[0], own)
    await keep_signature(tx, own, unit, now)
    changed = await _write(tx, keys, unit.documents[0], unit.name, items_of(prepared), visit, now)
    report = UnitReport(
        unit=unit.name,
        status="imported",
        patient_id=str(visit.patient_id),
        resources=prepared.counts,
        withheld=prepared.withheld,
    )
    return report, changed


async def wait(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, origin: Origin, now: datetime
) -> UnitReport:
    """Set one table aside until its summary comes. `origin` is the visit's."""
    items = items_of(prepared)
    full = await COUNT_PARTS.one(tx, origin.id_hash[0], origin.facility_id)
    fault = "too-large" if sum(len(one.raw) + len(one.hints) for one in items) > BYTES_MAX else ""
    fault = fault or ("too-many-waiting" if (full or 0) >= WAITING_PER_BUCKET_MAX else "")
    if fault:
        return UnitReport(unit=unit.name, status="rejected", reasons=[Reason(fault, unit.name)])
    own = hash_of(origin.id_hash, unit.documents[0])
    await DROP_OF_UNIT.run(tx, own[0], own)
    await keep_signature(tx, own, unit, now)
    placing = await WAITS.one(tx, origin.id_hash[0], origin.id_hash)
    kept = KeptUnit(unit=msgspec.structs.replace(unit, items=items, withheld=0))
    origin = msgspec.structs.replace(origin, id_hash=own)
    await keep(tx, keys, origin, "part", AWAITING_SUMMARY, kept, now)
    reason = Reason(AWAITING_PERSON if placing else AWAITING_SUMMARY, unit.name)
    return UnitReport(unit=unit.name, status="quarantined", withheld=prepared.withheld, reasons=[reason])


async def parts_of(tx: Tx, patient_id: UUID, name: str | None, source_id: str) -> dict[str, list[Item]]:
    """What a book holds of a visit that was sent apart, by table: it follows its summary to another book."""
    found: dict[str, list[Item]] = defaultdict(list)
    for row in await queries.PARTS_OF_UNIT.all(tx, await survivor_of(tx, patient_id), name, source_id):
        found[row.method.removeprefix(APART)].append(item_of(row.rtype, row.doc))
    return found


async def pass_on(tx: Tx, visit: Visit) -> None:
    """The visit has another person now: lines of it that a reviewer lets in go there too."""
    for table in TABLES_APART:
        await queries.KEEP_UNIT.run(tx, hash_of(visit.id_hash, table), visit.patient_id)


async def follow(
    tx: Tx, keys: KeyRing, documents: Iterable[str], visit: Visit, moved: dict[str, list[Item]], now: datetime
) -> bool:
    """After a summary: take in what waited for it and what its visit had elsewhere, unless the summary came
    with that table. Whether anything changed."""
    brought, changed = set(documents), False
    hashes = {hash_of(visit.id_hash, table): table for table in TABLES_APART}
    for row in await PARTS_OF_VISIT.all(tx, visit.id_hash[0], list(hashes)):
        table = hashes[row.id_hash]
        if row.kind == "part" or table in brought:
            await DROP.one(tx, row.quarantine_id.bytes[15], row.quarantine_id)
        if row.kind != "part" or table in brought:
            continue
        moved.pop(table, None)
        unit = open_body(keys, row, KeptUnit).unit
        source = msgspec.structs.replace(visit.source, credential=row.credential, batch=row.batch)
        own = msgspec.structs.replace(visit, source=source)
        changed = await _write(tx, keys, table, row.unit, unit.items, own, now) or changed
        counts: Counts = Counter({("resolved", AWAITING_SUMMARY): 1, ("document", table): 1})
        await count(tx, row.facility_id, row.batch or row.quarantine_id, counts, now)
    for table, items in moved.items():
        if table not in brought:
            changed = await _write(tx, keys, table, "", items, visit, now) or changed
    return changed


async def _write(
    tx: Tx, keys: KeyRing, table: str, place: str, items: list[Item], visit: Visit, now: datetime
) -> bool:
    """Replace what was sent apart of one table, by today's rules of the gate. Whether anything changed."""
    prepared = _prepared(items, visit)
    if prepared is None:
        return False
    rows = [row for row in prepared.resources if row.rtype != "Encounter"]
    released, review = await parted(tx, visit.patient_id, prepared.review)
    method = APART + table
    source = msgspec.structs.replace(visit.source, method=method)
    result = await write_unit(
        tx,
        visit.patient_id,
        source,
        rows + released,
        unit=visit.name,
        now=now,
        replaces=lambda came_by: came_by == method,
    )
    own = hash_of(visit.id_hash, table)
    await queries.CLAIM_UNIT.one(tx, own, visit.patient_id, now)
    await queries.KEEP_UNIT.run(tx, own, visit.patient_id)
    await _keep_lines(tx, keys, own, place, review, visit, now)
    return bool(result.created or result.updated or result.retracted)


async def _keep_lines(
    tx: Tx,
    keys: KeyRing,
    own: bytes,
    place: str,
    review: list[list[NewResource]],
    visit: Visit,
    now: datetime,
) -> None:
    origin = Origin(
        id_hash=own,
        facility_id=visit.source.facility_id,
        credential=visit.source.credential,
        batch=visit.source.batch,
        unit=place,
    )
    lines = [KeptLines(source_id=visit.source.source_id, unit=visit.name, rows=rows) for rows in review]
    if lines:
        await keep_lines(tx, keys, origin, lines, now)


def _prepared(items: list[Item], visit: Visit) -> Prepared | None:
    """The rows, labelled beside their visit: its department can make them sensitive. None when a newer
    program no longer reads what was kept."""
    beside = [item_of("Encounter", msgspec.json.encode(visit.doc).decode())] if visit.doc else []
    unit = Unit(
        name="",
        key="",
        person=visit.person,
        items=[_of_visit(one, visit.doc) for one in items] + beside,
        snapshot=True,
    )
    try:
        return prepare(unit, None, visit.source.source_id, visit.facility_name)
    except BadInputError:
        return None


def items_of(prepared: Prepared) -> list[Item]:
    """What passed the gate, and what it finds ambiguous: that is judged again with its visit."""
    return prepared.items + [item_of(row.rtype, row.doc) for group in prepared.review for row in group]


def _of_visit(item: Item, visit: dict[str, Any]) -> Item:
    """A line with what only its visit tells: the form of care, and the day where it names none."""
    period = visit.get("period", {})
    start, end = period.get("start", ""), period.get("end", "")
    doc = json.loads(item.raw, parse_float=lambda text: Raw(text.encode()))
    if item.rtype == "MedicationRequest" and visit.get("class", {}).get("code") == "IMP":
        doc["status"] = "completed"
    for rtype, name, moment in (
        ("Observation", "effectiveDateTime", start),
        ("DiagnosticReport", "effectiveDateTime", start),
        ("ClinicalImpression", "date", start),
        ("Procedure", "performedDateTime", start),
        ("DocumentReference", "date", end or start),
        ("CarePlan", "created", end or start),
    ):
        if item.rtype == rtype and moment and name not in doc:
            doc[name] = moment
    for coding in (one for reason in doc.get("reasonCode", []) for one in reason.get("coding", [])):
        version = icd_version(end)
        if coding.get("system") == systems.ICD10 and version and "version" not in coding:
            coding["version"] = version
    return msgspec.structs.replace(item, raw=msgspec.json.encode(doc).decode())
