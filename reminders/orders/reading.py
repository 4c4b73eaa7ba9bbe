"""Orders of a record that come to plans of doses, as far as somebody sees them.

Orders are lines of an outpatient visit (XML2) and medication requests of a facility's FHIR core. What is
given during a stay makes no plan; what is ordered for the time after it does (vietnam.md §6).
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ehr.dosage.instruction import DAYS_MAX
from ehr.dosage.timing import dose_of
from ehr.medicine_safety.policy import names_of
from ehr.models import Item
from ehr.prescriptions.models import PlanLine
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import end_of_day, local_day
from reminders.faces import Face
from reminders.models import Reminder
from reminders.orders import queries
from reminders.orders.queries import ORDERS_MAX, OrderRow
from reminders.shown import CameFrom
from store.database import Tx
from store.keys import KeyRing

# A course is at most 90 days (TT 26/2025).
_REACH: Final = timedelta(days=90)
# HL7 ActEncounterCode: in a bed. EMER and OBSENC too: what is given there is given by the ward.
STAYS: Final = frozenset({"IMP", "ACUTE", "NONAC", "SS", "EMER", "OBSENC"})
_AFTERWARDS: Final = frozenset({"discharge", "outpatient", "community"})
ORIGIN: Final = "order"
_item = msgspec.json.Decoder(Item).decode


class Order(Struct, frozen=True, kw_only=True):
    """at: when it was ordered, the end of the day where no hour is known. line: as a line of a prescription
    would be, all of it handed out."""

    source: str
    at: datetime
    facility_name: str | None
    is_of_visit: bool
    line: PlanLine


async def orders_of(tx: Tx, access: Access, now: datetime) -> list[Order]:
    """The orders of the last 90 days that are taken at home."""
    rows = await queries.ORDERS.all(tx, *scope_of(access, now), now - _REACH, ORDERS_MAX)
    read = [(row, json.loads(row.doc, parse_float=Decimal)) for row in rows]
    return [
        order
        for row, doc in read
        if is_taken_home(doc, row.encounter_id, row.setting) and not is_handed_out(row.title, row.handed_out)
        if (order := _order(row, doc)) is not None
    ]


def course_of(dosages: list[Mapping[str, Any]]) -> tuple[date | None, date | None]:
    """The first and the last day of an order, where all its doses have one `boundsPeriod`. Pure."""
    try:
        said = {
            (bounds.get("start", "")[:10], bounds.get("end", "")[:10])
            for one in dosages
            if (bounds := one.get("timing", {}).get("repeat", {}).get("boundsPeriod"))
        }
        if len(said) != 1:
            return None, None
        first, last = (date.fromisoformat(text) if text else None for text in said.pop())
    except (AttributeError, TypeError, ValueError):
        return None, None
    return first, last


def is_handed_out(title: str, handed_out: list[str]) -> bool:
    """Whether an order is a medicine that its e-prescription, which has a plan of its own, handed out: the
    same by name, whatever the strength. Pure."""
    names = names_of(title)
    return any(names & names_of(other) for other in handed_out)


def is_taken_home(doc: Mapping[str, Any], encounter_id: str | None, setting: str | None) -> bool:
    """Whether an order is for the time at home: of no stay, or said to be for after it. Of a visit that is
    not in the book nobody knows. Pure."""
    said = {coding.get("code") for concept in doc.get("category", []) for coding in concept.get("coding", [])}
    if said & _AFTERWARDS:
        return True
    if "inpatient" in said:
        return False
    return encounter_id is None or (setting is not None and setting not in STAYS)


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """Of the orders that this access sees."""
    return await seen(tx, access, rows, now)


async def seen(tx: Tx, access: Access, rows: list[Reminder], now: datetime) -> Mapping[UUID, Face]:
    """Reminders whose order this access sees, and what it is. Of one that no visit gave, nobody knows the
    department: the family does not see it (security.md S23)."""
    is_family = access.basis in ("guardian", "proxy")
    found = {one.source: one for one in await orders_of(tx, access, now) if one.is_of_visit or not is_family}
    return {row.reminder_id: _face(one) for row in rows if (one := found.get(row.source)) is not None}


def _face(one: Order) -> Face:
    came_from = CameFrom(
        what="order", id=one.line.line_id, text=one.line.text, facility_name=one.facility_name
    )
    resource = ("MedicationRequest", one.line.line_id)
    return Face(title=one.line.title, came_from=came_from, line=one.line, resource=resource)


def _order(row: OrderRow, doc: Mapping[str, Any]) -> Order | None:
    """None where its course was over before it was ordered."""
    item, dosages = _item(row.item), doc.get("dosageInstruction", [])
    quantity = doc.get("dispenseRequest", {}).get("quantity", {})
    amount = Decimal(str(quantity["value"])) if "value" in quantity else None
    text = [part for one in dosages for part in (one.get("text"), one.get("patientInstruction")) if part]
    day, dose = local_day(row.eff), dose_of(dosages)
    starts_on, ends_on = course_of(dosages)
    begins_on = max(starts_on or day, day)
    if ends_on is not None and ends_on < begins_on:
        return None
    if ends_on is not None and not dose.stages:
        dose = replace(dose, days=min((ends_on - begins_on).days + 1, dose.days or DAYS_MAX))
    # Of an order that names a day alone, the hour is not known: nobody took its morning before the visit.
    at = row.eff if row.eff_precision == "instant" else end_of_day(day)
    line = PlanLine(
        line_id=row.id,
        line=0,
        title=item.title,
        text=list(dict.fromkeys(text)) or item.dosage,
        dosage=dose,
        # Without a unit the quantity says nothing of doses.
        unit=quantity.get("unit", "") if amount else "",
        ordered=amount or Decimal(1),
        dispensed=amount or Decimal(1),
        dispensed_on=begins_on,
        handed_at=at,
        collect_by=day,
        state="standing",
    )
    return Order(
        source=f"{ORIGIN}:{row.id}",
        at=at,
        facility_name=item.facility_name,
        is_of_visit=row.encounter_id is not None,
        line=line,
    )
