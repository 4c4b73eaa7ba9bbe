"""Group (b): allergies, diseases and vaccinations of a whole life."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from partners.records.faces import Told, is_disputed, item_of
from partners.records.models import Allergy, Asked, Disease, History, Vaccination
from partners.records.queries import HISTORY_MAX, LifeRow


class _Coding(Struct):
    display: str | None = None
    code: str | None = None


class _Concept(Struct):
    text: str | None = None
    coding: list[_Coding] = []


class _Protocol(Struct, rename="camel"):
    target_disease: list[_Concept] = []


class _Dose(Struct, rename="camel"):
    protocol_applied: list[_Protocol] = []


_dose: Final = msgspec.json.Decoder(_Dose).decode


class Read(Struct, frozen=True):
    """A group, and the rows that it shows."""

    history: History
    shown: list[tuple[str, str]]


def history_of(found: Sequence[LifeRow]) -> Read:
    """found: newest first, one more than is shown where there is more."""
    rows = found[:HISTORY_MAX]
    by_section: dict[str, list[LifeRow]] = {"allergies": [], "problems": [], "immunizations": []}
    for row in rows:
        by_section[row.section or ""].append(row)
    allergies, problems = by_section["allergies"], by_section["problems"]
    history = History(
        allergies_state=_state(allergies),
        allergies=[_allergy(row) for row in allergies if not row.negative],
        diseases_state=_state(problems),
        diseases=_diseases([row for row in problems if not row.negative]),
        vaccinations=[_vaccination(row) for row in by_section["immunizations"] if not row.negative],
        more=len(found) > HISTORY_MAX,
    )
    return Read(history, [(row.rtype, row.id) for row in rows])


def _state(rows: list[LifeRow]) -> Asked:
    if not rows:
        return "not-asked"
    return "none-known" if all(row.negative for row in rows) else "listed"


def _allergy(row: LifeRow) -> Allergy:
    item = item_of(row.item)
    return Allergy(
        title=item.title,
        code=item.code,
        code_system=item.code_system,
        status=item.status,
        category=item.category,
        criticality=item.criticality,
        reactions=item.reactions,
        since=item.date,
        facility=item.facility_name,
        self_declared=item.self_declared,
        disputed=is_disputed(row.mark),
    )


def _diseases(rows: list[LifeRow]) -> list[Disease]:
    """Visits repeat diagnoses: one line each, by the newest that says it. What is disputed or only declared
    never stands for what is not."""
    same: dict[tuple[object, ...], list[Told]] = {}
    for row in rows:
        item = item_of(row.item)
        what = (item.code_system, item.code) if item.code else (None, item.title.casefold())
        same.setdefault((*what, item.self_declared, is_disputed(row.mark)), []).append(item)
    return [_disease(items, disputed=key[-1] is True) for key, items in same.items()]


def _disease(items: list[Told], *, disputed: bool) -> Disease:
    newest, dates = items[0], [item.date for item in items if item.date]
    return Disease(
        title=newest.title,
        code=newest.code,
        code_system=newest.code_system,
        status=newest.status,
        first_on=dates[-1] if dates else None,
        last_on=dates[0] if dates else None,
        ended_on=newest.end_date,
        facility=newest.facility_name,
        self_declared=newest.self_declared,
        disputed=disputed,
    )


def _vaccination(row: LifeRow) -> Vaccination:
    item = item_of(row.item)
    return Vaccination(
        title=item.title,
        code=item.code,
        code_system=item.code_system,
        status=item.status,
        antigens=_antigens(row.doc),
        dose_number=item.dose_number,
        lot_number=item.lot_number,
        date=item.date,
        facility=item.facility_name,
        self_declared=item.self_declared,
        disputed=is_disputed(row.mark),
    )


def _antigens(doc: str | None) -> list[str]:
    if doc is None or "targetDisease" not in doc:
        return []
    targets = (target for one in _dose(doc).protocol_applied for target in one.target_disease)
    names = (_name(target) for target in targets)
    return list(dict.fromkeys(name for name in names if name))


def _name(concept: _Concept) -> str | None:
    return concept.text or next((one.display or one.code for one in concept.coding), None)
