"""Groups (c) and (d): each encounter, and what it came to."""

from datetime import datetime
from itertools import chain
from typing import Final

from msgspec import Struct

from ehr.intake import systems
from ehr.intake.map_visit import DISCHARGES, RESULTS
from ehr.reads.paging import cut, position
from kernel.access import Access, PartnerGroup
from kernel.clock import start_of_day
from partners.records import queries
from partners.records.asked import Asked
from partners.records.faces import is_disputed
from partners.records.found import Coding, Concept, Encounter, Found, VisitItem, found_of
from partners.records.models import Coded, TestResult, Visit, VisitSummary
from partners.records.queries import VisitRow
from partners.records.scope import scope_of_groups
from partners.records.summaries import summary_of
from store.database import Tx

_OF_VISIT: Final = ("problems", "results", "imaging", "medications", "procedures")
_OF_SUMMARY: Final = ("medications", "care-plans", "documents")
_BLOOD_GROUPS: Final = frozenset({"883-9", "10331-7", "882-1"})
_HEIGHT: Final = "8302-2"
_WEIGHT: Final = "29463-7"


class Read(Struct, frozen=True):
    """The groups that were asked for, the rows that they show, and where the next page starts."""

    visits: list[Visit] | None
    summaries: list[VisitSummary] | None
    shown: list[tuple[str, str]]
    next: str | None


async def read(tx: Tx, access: Access, asked: Asked, now: datetime) -> Read:
    """A page of encounters, newest first; two statements. Raises `bad-cursor`."""
    groups = asked.of_visits
    scope = scope_of_groups(access, groups, now)
    since = start_of_day(asked.since) if asked.since else None
    found = await queries.VISITS.all(tx, *scope, since, *position(asked.before), asked.limit + 1)
    rows, following = cut(found, asked.limit)
    visits = await _filled(tx, access, rows, groups, now)
    made = [_visit(one) for one in visits] if "encounters" in groups else None
    summaries = [summary_of(one) for one in visits] if "summary" in groups else None
    shown = list(chain.from_iterable(one.shown for one in visits))
    return Read(made, summaries, shown, following)


async def read_one(
    tx: Tx, access: Access, encounter_id: str, groups: list[PartnerGroup], now: datetime
) -> Found | None:
    """One encounter with what these groups tell of it; None where the Access lets none out."""
    row = await queries.VISIT.one(tx, *scope_of_groups(access, groups, now), encounter_id)
    return None if row is None else (await _filled(tx, access, [row], groups, now))[0]


def told(found: Found) -> tuple[Visit, VisitSummary]:
    """One encounter in both groups."""
    return _visit(found), summary_of(found)


async def _filled(
    tx: Tx, access: Access, rows: list[VisitRow], groups: list[PartnerGroup], now: datetime
) -> list[Found]:
    sections = {*(_OF_VISIT if "encounters" in groups else ()), *(_OF_SUMMARY if "summary" in groups else ())}
    scope = scope_of_groups(access, groups, now)
    if not rows:
        return []
    inside = await queries.INSIDE.all(tx, *scope, [row.id for row in rows], sorted(sections))
    return found_of(rows, inside)


def _visit(found: Found) -> Visit:
    row, item, doc = found.row, found.item, found.doc
    disposition = doc.hospitalization.discharge_disposition if doc.hospitalization else None
    measures = {one.code: one for one in (*found.results, *found.signs)}
    blood = [measures[code].value for code in sorted(_BLOOD_GROUPS & measures.keys())]
    return Visit(
        encounter_id=row.id,
        status=item.status,
        facility=item.facility_name,
        start=item.date,
        end=item.end_date,
        form_of_care=_form_of_care(item, doc),
        reasons=item.reasons,
        discharge_status=_of_table(disposition, systems.DISCHARGE_KIND, DISCHARGES),
        result=_of_table(disposition, systems.TREATMENT_RESULT, RESULTS) or _in_words(disposition),
        diagnoses=found.diagnoses,
        blood_group=", ".join(dict.fromkeys(value for value in blood if value)) or None,
        height_cm=_measured(measures.get(_HEIGHT), "cm"),
        weight_kg=_measured(measures.get(_WEIGHT), "kg"),
        results=[one for one in found.results if one.code not in _BLOOD_GROUPS],
        imaging=found.imaging,
        medicines=found.medicines,
        procedures=found.procedures,
        disputed=is_disputed(row.mark),
        more=found.more,
    )


def _form_of_care(item: VisitItem, doc: Encounter) -> Coded:
    """The national code where the sender gave one, else the class of FHIR."""
    code = next((code for one in doc.type if (code := one.code_in(systems.CARE_KIND))), None)
    text = item.lines[0] if item.lines else None
    if code is not None:
        return Coded(text=text, code=code, code_system=systems.CARE_KIND)
    return Coded(text=text, code=item.category, code_system=systems.ACT_CODE if item.category else None)


def _of_table(concept: Concept | None, system: str, names: dict[str, str]) -> Coded | None:
    code = concept.code_in(system) if concept else None
    return None if code is None else Coded(text=names.get(code), code=code, code_system=system)


def _in_words(concept: Concept | None) -> Coded | None:
    """What a sender without the national tables says of how it ended."""
    if concept is None or any(one.system == systems.DISCHARGE_KIND for one in concept.coding):
        return None
    coding = next((one for one in concept.coding if one.code), Coding())
    made = Coded(text=concept.text, code=coding.code, code_system=coding.system)
    return made if made.text or made.code else None


def _measured(item: TestResult | None, unit: str) -> str | None:
    """A measure in the unit that the field has; in any other it is left out, never converted."""
    return item.value if item is not None and item.unit == unit else None
