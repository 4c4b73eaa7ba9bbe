"""An encounter with what happened in it, each row decoded once for both groups that are made of it."""

from typing import Final

import msgspec
from msgspec import Struct

from partners.records.faces import Told, item_of, named
from partners.records.models import Medicine
from partners.records.queries import INSIDE_MAX, InsideRow, VisitRow


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


_encounter: Final = msgspec.json.Decoder(Encounter).decode


class Found(Struct, frozen=True, gc=False):
    """more: there is more than was read."""

    row: VisitRow
    item: Told
    doc: Encounter
    inside: list[tuple[InsideRow, Told]]
    medicines: list[Medicine]
    more: bool


def found_of(row: VisitRow, rows: list[InsideRow]) -> Found:
    """rows: of this encounter, in their order."""
    inside = [(one, item_of(one.item)) for one in rows[:INSIDE_MAX]]
    medicines = [
        Medicine(medicine=named(item), status=item.status, dosage=item.dosage, date=item.date)
        for one, item in inside
        if one.section == "medications"
    ]
    return Found(row, item_of(row.item), _encounter(row.doc), inside, medicines, more=len(rows) > INSIDE_MAX)
