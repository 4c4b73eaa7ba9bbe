"""A book judged again by today's rules: what they stop goes with its history, what is ambiguous waits."""

import hashlib
from collections import Counter, defaultdict
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct, field

from ehr.dates import UNDATED
from ehr.intake.counting import Counts, count
from ehr.intake.gate import VERSION, Gate
from ehr.intake.ids import canonical, resource_id
from ehr.intake.labels import labels_of_security
from ehr.intake.models import Item, PersonFacts, Unit
from ehr.intake.rules import RULES_NUMBER
from ehr.intake.survey import Survey, survey
from ehr.intake.withhold import Passed, apply_gate
from ehr.models import NewResource, Source
from ehr.quarantine.keeping import Origin, keep
from ehr.quarantine.models import KeptLines
from ehr.quarantine.reviews import RELEASED
from ehr.queries import LOCK_EXISTING_HEAD, MOVE_HEAD, StaleRow
from ehr.rebuild import view_again
from ehr.rejudge import queries
from ehr.rejudge.queries import JudgedRow
from ehr.store import Changes, apply_changes
from store.database import Tx
from store.keys import KeyRing

Key = tuple[str, str]
# Documents in memory at once, of a book that can have a hundred thousand.
PAGE: Final = 500


class Verdicts(Struct):
    """What changes of a book, by row: gone, waiting in groups, without its telling parts, labelled anew."""

    gone: list[JudgedRow] = field(default_factory=list)
    review: list[list[JudgedRow]] = field(default_factory=list)
    pruned: list[tuple[JudgedRow, str]] = field(default_factory=list)
    labels: dict[Key, int] = field(default_factory=dict)

    @property
    def takes(self) -> bool:
        return bool(self.gone or self.review or self.pruned)


async def rejudge_book(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> int:
    """Judge every row and every old version of one person; of how many rows something was taken."""
    seq = await LOCK_EXISTING_HEAD.one(tx, patient_id)
    if seq is None:
        return 0
    await queries.MARK_JUDGED.run(tx, patient_id, RULES_NUMBER)
    found = await _judge(tx, patient_id)
    before = seq
    await _forget_versions(tx, patient_id)
    for group in found.review:
        await _set_aside(tx, keys, patient_id, group, now)
    stopped = found.gone + [row for group in found.review for row in group]
    seq = await _empty(tx, patient_id, stopped, seq, now)
    for row, doc in found.pruned:
        seq = await _prune(tx, patient_id, row, doc, seq, now)
    seq = await _label(tx, patient_id, found.labels, seq, now)
    if seq != before:
        await MOVE_HEAD.run(tx, patient_id, seq, now)
    taken = stopped + [row for row, _ in found.pruned]
    await _count(tx, taken, patient_id, now)
    return len(taken)


async def _judge(tx: Tx, patient_id: UUID) -> Verdicts:
    """A page at a time; then the sources of which something is stopped as a whole, since their references
    name their own rows alone."""
    found, stopped, last = Verdicts(), set[str](), -1
    while page := await queries.ROWS_AFTER.all(tx, patient_id, last, PAGE):
        last = page[-1].seq
        by_source: dict[str, list[JudgedRow]] = defaultdict(list)
        for row in page:
            by_source[row.source_id].append(row)
        for source_id in by_source.keys() - stopped:
            of_page = Verdicts()
            _judge_source(source_id, by_source[source_id], of_page)
            found.labels.update(of_page.labels)
            if of_page.takes:
                stopped.add(source_id)
    for source_id in sorted(stopped):
        _judge_source(source_id, await queries.ROWS_OF_SOURCE.all(tx, patient_id, source_id), found)
    for row in (*found.gone, *(row for group in found.review for row in group)):
        found.labels.pop((row.rtype, row.id), None)
    return found


def _judge_source(source_id: str, rows: list[JudgedRow], found: Verdicts) -> None:
    surveys = [survey(msgspec.json.decode(row.doc), "") for row in rows]
    names = _names(source_id, surveys)
    items = [
        Item(
            rtype=row.rtype, key=f"{row.rtype}/{row.id}", raw=row.doc, where="", aliases=names.get(row.id, ())
        )
        for row in rows
    ]
    unit = Unit(name="", key="", person=PersonFacts(), items=items, snapshot=False)
    released = frozenset(f"{row.rtype}/{row.id}" for row in rows if row.method == RELEASED)
    gated = apply_gate(unit, surveys, released)
    by_key = {item.key: row for item, row in zip(items, rows, strict=True)}
    groups = [[by_key.pop(one.item.key) for one in group] for group in gated.review]
    found.review += groups
    for one in gated.passed:
        _compare(by_key.pop(one.item.key), one, found)
    found.gone += by_key.values()


def _names(source_id: str, surveys: list[Survey]) -> dict[str, tuple[str, ...]]:
    """How the documents of a source refer to its rows, by our id."""
    named: dict[str, set[str]] = defaultdict(set)
    for reference in {canonical(one) for found in surveys for one in found.references}:
        named[resource_id(source_id, reference)].add(reference)
    return {ident: tuple(sorted(references)) for ident, references in named.items()}


def _compare(row: JudgedRow, one: Passed, found: Verdicts) -> None:
    """Labels only rise: some came from the rest of the unit or from a row beside the document."""
    labels = row.labels | int(one.labels | labels_of_security(one.item.doc))
    if one.item.raw != row.doc:
        found.pruned.append((row, one.item.raw))
    elif labels != row.labels:
        found.labels[row.rtype, row.id] = labels


async def _forget_versions(tx: Tx, patient_id: UUID) -> None:
    """Old versions that would not come in today."""
    gate, last = Gate(), ("", "", 0)
    while page := await queries.PAST_AFTER.all(tx, patient_id, *last, PAGE):
        last = page[-1].rtype, page[-1].id, page[-1].version
        bad = [
            past for past in page if gate.judge(survey(msgspec.json.decode(past.doc), "")).verdict != "keep"
        ]
        if bad:
            keys = [past.rtype for past in bad], [past.id for past in bad], [past.version for past in bad]
            await queries.FORGET_VERSIONS.run(tx, patient_id, *keys)


async def _set_aside(tx: Tx, keys: KeyRing, patient_id: UUID, group: list[JudgedRow], now: datetime) -> None:
    first = group[0]
    origin = Origin(
        id_hash=hashlib.sha256(f"{patient_id}\n{first.rtype}/{first.id}".encode()).digest(),
        facility_id=first.facility_id,
        credential=first.credential,
        batch=first.batch,
        unit="",
    )
    lines = KeptLines(
        source_id=first.source_id, unit=first.unit, rows=[_again(row) for row in group], patient_id=patient_id
    )
    await keep(tx, keys, origin, "review", "ambiguous-medicine", lines, now)


async def _empty(tx: Tx, patient_id: UUID, rows: list[JudgedRow], seq: int, now: datetime) -> int:
    if not rows:
        return seq
    keys = [row.rtype for row in rows], [row.id for row in rows]
    numbers = list(range(seq + 1, seq + len(rows) + 1))
    await queries.EMPTY.run(tx, patient_id, *keys, numbers, now, UNDATED)
    await queries.FORGET.run(tx, patient_id, *keys)
    return seq + len(rows)


async def _prune(tx: Tx, patient_id: UUID, row: JudgedRow, doc: str, seq: int, now: datetime) -> int:
    """The row without its telling parts, and no old version of it."""
    source = Source(
        source_id=row.source_id,
        facility_id=row.facility_id,
        credential=row.credential,
        batch=row.batch,
        method="gate",
        state=row.state,
    )
    changes = Changes([], [(_again(row, doc), row.version + 1)], [], [])
    seq = await apply_changes(tx, patient_id, source, row.unit, changes, seq, now)
    await queries.FORGET.run(tx, patient_id, [row.rtype], [row.id])
    return seq


def _again(row: JudgedRow, doc: str | None = None) -> NewResource:
    made = view_again(StaleRow(row.rtype, row.id, row.title, row.item, doc or row.doc, row.source_id))
    return msgspec.structs.replace(
        made, labels=row.labels, encounter_id=row.encounter_id, main_id=row.main_id
    )


async def _label(tx: Tx, patient_id: UUID, labels: dict[Key, int], seq: int, now: datetime) -> int:
    if not labels:
        return seq
    keys = [key[0] for key in labels], [key[1] for key in labels]
    numbers = list(range(seq + 1, seq + len(labels) + 1))
    await queries.RAISE_LABELS.run(tx, patient_id, *keys, list(labels.values()), numbers, now)
    return seq + len(labels)


async def _count(tx: Tx, rows: list[JudgedRow], patient_id: UUID, now: datetime) -> None:
    for facility_id, taken in Counter(row.facility_id for row in rows).items():
        counts: Counts = Counter({("retracted", VERSION): taken})
        await count(tx, facility_id, patient_id, counts, now)
