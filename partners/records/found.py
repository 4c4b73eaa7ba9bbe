"""An encounter with what happened in it: things of one kind decode together, straight into what leaves."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from partners.records.faces import is_disputed
from partners.records.models import Diagnosis, Imaging, Medicine, ProcedureDone, TestResult
from partners.records.queries import InsideRow, VisitRow


class Coding(Struct, gc=False):
    system: str | None = None
    code: str | None = None


class Concept(Struct, gc=False):
    text: str | None = None
    coding: list[Coding] = []

    def code_in(self, system: str) -> str | None:
        return next((one.code for one in self.coding if one.system == system), None)


class _Hospitalization(Struct, rename="camel", gc=False):
    discharge_disposition: Concept | None = None


class _Named(Struct, gc=False):
    display: str | None = None


class _Participant(Struct, gc=False):
    individual: _Named | None = None


class Encounter(Struct, rename="camel", gc=False):
    """What of the kept document its item leaves out."""

    type: list[Concept] = []
    hospitalization: _Hospitalization | None = None
    participant: list[_Participant] = []


class VisitItem(Struct, gc=False):
    """The fields of an encounter's own item."""

    status: str
    date: str | None = None
    end_date: str | None = None
    category: str | None = None
    facility_name: str | None = None
    reasons: list[str] = []
    lines: list[str] = []


class Plan(Struct, gc=False):
    category: str | None = None
    date: str | None = None
    lines: list[str] = []
    text: str | None = None


class Paper(Struct, gc=False):
    """A paper of a visit. body: its text; doc: its document."""

    code: str | None = None
    code_system: str | None = None
    body: str | None = None
    doc: str | None = None


class Found(Struct, gc=False):
    """more: there is more than was read. shown: what all of it was made of."""

    row: VisitRow
    item: VisitItem
    doc: Encounter
    shown: list[tuple[str, str]]
    diagnoses: list[Diagnosis] = []
    results: list[TestResult] = []
    signs: list[TestResult] = []
    imaging: list[Imaging] = []
    medicines: list[Medicine] = []
    procedures: list[ProcedureDone] = []
    plans: list[Plan] = []
    papers: list[Paper] = []
    more: bool = False


def _many(kind: type[Struct]) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


_item: Final = msgspec.json.Decoder(VisitItem).decode
_encounter: Final = msgspec.json.Decoder(Encounter).decode
_diagnoses: Final = msgspec.json.Decoder(list[Diagnosis]).decode
# Section -> the field of Found, and how its items are read.
_SECTIONS: Final = {
    "results": ("results", _many(TestResult)),
    "vital-signs": ("signs", _many(TestResult)),
    "imaging": ("imaging", _many(Imaging)),
    "medications": ("medicines", _many(Medicine)),
    "procedures": ("procedures", _many(ProcedureDone)),
    "care-plans": ("plans", _many(Plan)),
    "documents": ("papers", _many(Paper)),
}


def found_of(rows: Sequence[VisitRow], inside: Sequence[InsideRow]) -> list[Found]:
    """inside: of all these visits, asked for in their order."""
    found = [Found(row, _item(row.item), _encounter(row.doc), [(row.rtype, row.id)]) for row in rows]
    for kind in inside:
        for number in kind.more:
            found[number - 1].more = True
        if kind.rtype == "Condition":
            _add_diagnoses(found, kind)
        elif kind.section in _SECTIONS:
            name, decoder = _SECTIONS[kind.section]
            things = decoder.decode(kind.items)
            _mark(kind, things)
            _add(found, kind, name, things)
    return found


def _add_diagnoses(found: list[Found], kind: InsideRow) -> None:
    things = _diagnoses(kind.items)
    for place, (number, ident) in enumerate(zip(kind.visits, kind.ids, strict=True)):
        if ident == found[number - 1].row.main_id:
            things[place] = msgspec.structs.replace(things[place], main=True)
    _mark(kind, things)
    _add(found, kind, "diagnoses", things)


def _mark(kind: InsideRow, things: list[Any]) -> None:
    """What the person disputes; and of papers, what they say."""
    for place, mark in enumerate(kind.marks):
        if mark is not None and is_disputed(mark) and hasattr(things[place], "disputed"):
            things[place] = msgspec.structs.replace(things[place], disputed=True)
    for paper, body, doc in zip(things, kind.bodies, kind.docs, strict=False):
        paper.body, paper.doc = body, doc


def _add(found: list[Found], kind: InsideRow, name: str, things: list[Any]) -> None:
    rtype = kind.rtype
    for number, ident, thing in zip(kind.visits, kind.ids, things, strict=True):
        one = found[number - 1]
        one.shown.append((rtype, ident))
        getattr(one, name).append(thing)
