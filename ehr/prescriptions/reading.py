"""What a reader is told of prescriptions: the lines that the reader's access lets through, and nothing of one
of which it lets nothing through."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.dosage.grammar import read_dose
from ehr.models import Item
from ehr.prescriptions import queries
from ehr.prescriptions.keeping import line_mark, line_of
from ehr.prescriptions.models import (
    DispenseRow,
    Handed,
    LineRow,
    PlanLine,
    Prescription,
    PrescriptionLine,
    PrescriptionPage,
    PrescriptionRow,
)
from ehr.prescriptions.policy import dispensed_state, standing, unit_key
from ehr.prescriptions.problems import PRESCRIPTION_NOT_FOUND
from ehr.prescriptions.queries import MedicineRow
from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.paging import page_size, position
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import end_of_day, local_day
from kernel.paging import encode_cursor
from kernel.problems import Refused
from store.database import Tx

WORDS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("texts_vi.json").read_text("utf-8"))
PAGE_DEFAULT: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Person, prescription, line.
Place: TypeAlias = tuple[UUID, UUID, int]
_item = msgspec.json.Decoder(Item).decode


class Seen(Struct, frozen=True):
    """A prescription as far as somebody sees it: its row, and per visible line the record's row, the
    quantities and what was handed out."""

    row: PrescriptionRow
    lines: list["SeenLine"]


class SeenLine(Struct, frozen=True):
    medicine: MedicineRow
    item: Item
    line: LineRow
    handed: list[DispenseRow]

    @property
    def left(self) -> Decimal:
        return self.line.ordered - self.line.dispensed


async def page(tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime) -> Built:
    """The prescriptions of a book, newest first. Raises `bad-cursor`."""
    size = page_size(limit, PAGE_DEFAULT)
    rows = await queries.PAGE.all(tx, *scope_of(access, now), *position(cursor), size + 1)
    units = list(dict.fromkeys((row.sort_at, row.unit) for row in rows))
    following = None
    if len(units) > size:
        last_at, last_unit = units[size - 1]
        following = encode_cursor((last_at - _EPOCH) // timedelta(microseconds=1), last_unit)
        kept = set(units[:size])
        rows = [row for row in rows if (row.sort_at, row.unit) in kept]
    seen = await _seen(tx, access, rows)
    items = await _shown(tx, access, seen, now)
    answer = PrescriptionPage(items=items, next=following, notice=notice_for(access))
    return Built(encode(answer), [("MedicationRequest", row.id) for row in rows])


async def one(tx: Tx, access: Access, prescription_id: UUID, now: datetime) -> Built | Refused:
    """One prescription. Refused: prescription-not-found, also where all of it is withheld."""
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    [shown] = await _shown(tx, access, [seen], now)
    return Built(encode(shown), [("MedicationRequest", line.medicine.id) for line in seen.lines])


async def see(tx: Tx, access: Access, prescription_id: UUID, now: datetime) -> Seen | None:
    """A prescription as far as this access goes; None where that is nothing."""
    rows = await queries.OF_UNITS.all(tx, *scope_of(access, now), [unit_key(prescription_id)])
    found = await _seen(tx, access, rows)
    return found[0] if found else None


async def lines_for_plan(tx: Tx, access: Access, prescription_id: UUID, now: datetime) -> list[PlanLine]:
    """The lines of a prescription with what a plan of doses needs; empty where nothing of it is seen."""
    seen = await see(tx, access, prescription_id, now)
    if seen is None:
        return []
    return [
        PlanLine(
            line_id=one.medicine.id,
            line=one.line.line,
            title=one.item.title,
            text=one.item.dosage,
            dosage=read_dose("\n".join(one.item.dosage)),
            unit=one.line.unit,
            ordered=one.line.ordered,
            dispensed=one.line.dispensed,
            dispensed_on=max((handed.dispensed_on for handed in one.handed), default=None),
            handed_at=max(map(_handed_at, one.handed), default=None),
            collect_by=seen.row.collect_by,
            state=seen.row.state,
        )
        for one in seen.lines
    ]


def _handed_at(one: DispenseRow) -> datetime:
    """What is told on a later day names the day alone."""
    is_same_day = local_day(one.recorded_at) == one.dispensed_on
    return one.recorded_at if is_same_day else end_of_day(one.dispensed_on)


async def standing_lines(
    tx: Tx, accesses: Sequence[Access], lines: Sequence[tuple[UUID, int]], now: datetime
) -> list[bool]:
    """Whether each line, by its prescription and number, is seen by its access and neither replaced nor
    withdrawn. accesses: one job's, each to a book of its own without merged rows."""
    if not lines:
        return []
    first = accesses[0]
    assert all(access.actor is first.actor and not access.origins for access in accesses)
    found = await queries.STANDING.all(
        tx,
        [access.patient_id for access in accesses],
        *scope_of(first, now)[1:],
        [ident for ident, _ in lines],
        [unit_key(ident) for ident, _ in lines],
        [line_mark(line) for _, line in lines],
    )
    places = set(found)
    return [place in places for place in range(1, len(lines) + 1)]


async def last_day_of(tx: Tx, access: Access, prescription_id: UUID) -> date | None:
    """Until when a prescription of this book can be collected, seen or not: for a timer, never shown."""
    for person in (access.patient_id, *sorted(access.origins)):
        found = await queries.PRESCRIPTIONS.all(tx, person, [prescription_id])
        if found:
            return found[0].collect_by
    return None


def is_open(seen: Seen, today: date) -> bool:
    """Whether something of it can still be collected today."""
    states = [dispensed_state(one.line.ordered, one.line.dispensed) for one in seen.lines]
    return standing(seen.row.state, seen.row.collect_by, states, today) in ("open", "partly")


async def _seen(tx: Tx, access: Access, rows: list[MedicineRow]) -> list[Seen]:
    """In the order of the rows. A row of a merged person belongs to that person's prescription."""
    items = {row.id: _item(row.item) for row in rows}
    idents = list(dict.fromkeys(UUID(ident) for item in items.values() if (ident := item.prescription_id)))
    if not idents:
        return []
    heads: dict[tuple[UUID, UUID], PrescriptionRow] = {}
    lines: dict[Place, LineRow] = {}
    handed: dict[Place, list[DispenseRow]] = defaultdict(list)
    for person in sorted({row.origin_patient_id or access.patient_id for row in rows}):
        heads |= {
            (person, one.prescription_id): one for one in await queries.PRESCRIPTIONS.all(tx, person, idents)
        }
        for line in await queries.LINES.all(tx, person, idents):
            lines[person, line.prescription_id, line.line] = line
        for dispense in await queries.DISPENSES.all(tx, person, idents):
            handed[person, dispense.prescription_id, dispense.line].append(dispense)
    found: dict[tuple[UUID, UUID], Seen] = {}
    for row in rows:
        key = row.origin_patient_id or access.patient_id, UUID(items[row.id].prescription_id or "")
        place = (*key, line_of(row.doc).number)
        if key in heads and place in lines:
            seen = found.setdefault(key, Seen(heads[key], []))
            seen.lines.append(SeenLine(row, items[row.id], lines[place], handed[place]))
    for seen in found.values():
        seen.lines.sort(key=lambda one: one.line.line)
    return list(found.values())


async def _shown(tx: Tx, access: Access, seen: list[Seen], now: datetime) -> list[Prescription]:
    linked = {other for one in seen for other in (one.row.replaces_id, one.row.replaced_by) if other}
    visible = await _visible(tx, access, linked, now) if linked else set()
    return [_of(one, access, visible, local_day(now)) for one in seen]


async def _visible(tx: Tx, access: Access, idents: Iterable[UUID], now: datetime) -> set[UUID]:
    rows = await queries.OF_UNITS.all(
        tx, *scope_of(access, now), [unit_key(ident) for ident in sorted(idents)]
    )
    return {UUID(ident) for row in rows if (ident := _item(row.item).prescription_id)}


def _of(seen: Seen, access: Access, visible: set[UUID], today: date) -> Prescription:
    row = seen.row
    lines = [_line(one) for one in seen.lines]
    state = standing(row.state, row.collect_by, [line.state for line in lines], today)
    is_theirs = access.basis in ("self", "guardian", "proxy")
    return Prescription(
        prescription_id=row.prescription_id,
        kind=row.kind,
        kind_vi=WORDS["kinds"][row.kind],
        facility_name=row.facility_name,
        issued_at=row.issued_at,
        collect_by=row.collect_by,
        state=state,
        state_vi=WORDS["states"][state].format(day=f"{row.collect_by:%d/%m/%Y}"),
        lines=lines,
        code=row.code if is_theirs else None,
        replaces=row.replaces_id if row.replaces_id in visible else None,
        replaced_by=row.replaced_by if row.replaced_by in visible else None,
    )


def _line(one: SeenLine) -> PrescriptionLine:
    return PrescriptionLine(
        line=one.line.line,
        medication_id=one.medicine.id,
        title=one.item.title,
        dosage=one.item.dosage,
        unit=one.line.unit,
        ordered=plain(one.line.ordered),
        dispensed=plain(one.line.dispensed),
        left=plain(one.left),
        state=dispensed_state(one.line.ordered, one.line.dispensed),
        handed_out=[
            Handed(quantity=plain(d.quantity), dispensed_on=d.dispensed_on, pharmacy=d.facility_name)
            for d in one.handed
        ],
    )


def plain(value: Decimal) -> str:
    """A quantity without the zeros that its column adds."""
    whole = value.to_integral_value()
    return format(whole if whole == value else value.normalize(), "f")
