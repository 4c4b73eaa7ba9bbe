"""The personal health form of QĐ 831 as XML: DATA/HEADER/BODY/HOSOSUCKHOE (vietnam.md §3).

Parts A to C of one person are one unit, each visit of part D is one of its own: a visit with a wrong
field keeps nothing else out. What a person told the facility arrives as the facility's record.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from lxml import etree

from ehr.intake.drafts import UnitDraft
from ehr.intake.models import BadInputError, BadUnit, PersonFacts, Reason, Unit
from ehr.intake.phr831_fields import blocks, row_of
from ehr.intake.phr831_history import map_doses, map_history
from ehr.intake.phr831_person import add_patient, map_person, own_key, read_person
from ehr.intake.phr831_visits import Visit, map_visit
from ehr.intake.safe_xml import child, parse_document, text_of
from ehr.intake.xml_fields import Row

ROOT: Final = "DATA"


def read_forms(stream: IO[bytes], name: str, now: datetime) -> Iterator[Unit | BadUnit]:
    """The units of a message, form by form."""
    try:
        root = parse_document(stream, name)
        sender = text_of(child(root, "HEADER", "SENDER_CODE")) or None
        forms = blocks(root, "BODY", "HOSOSUCKHOE")
        if not forms:
            yield BadUnit(name, [Reason("no-form", "DATA/BODY/HOSOSUCKHOE")])
        for number, form in enumerate(forms, start=1):
            yield from _read_form(form, sender, f"HOSOSUCKHOE[{number}]", now)
    except BadInputError as error:
        yield BadUnit(name, error.reasons)


def _read_form(
    form: etree._Element, sender: str | None, where: str, now: datetime
) -> Iterator[Unit | BadUnit]:
    try:
        unit, person, own = _read_book(form, sender, where, now)
        yield unit
    except BadInputError as error:
        yield BadUnit(where, error.reasons)
        return
    visits = blocks(form, "DANHSACHHOSOKHAMCHUABENH", "HOSOKHAMCHUABENH")
    for number, element in enumerate(visits, start=1):
        place = f"{where}/HOSOKHAMCHUABENH[{number}]"
        try:
            yield _read_visit(element, person, own, sender, place, now)
        except BadInputError as error:
            yield BadUnit(place, error.reasons)


def _read_book(
    form: etree._Element, sender: str | None, where: str, now: datetime
) -> tuple[Unit, PersonFacts, Row]:
    """Parts A to C, replaced as a whole by the next sending about the same person."""
    draft = UnitDraft("")
    place = f"{where}/THONGTINCHUNG"
    parts = blocks(form, "THONGTINCHUNG")
    if len(parts) != 1:
        draft.fault("missing-field" if not parts else "duplicate-field", place)
        draft.refuse_faults()
    row = row_of(parts[0], place, draft)
    person = read_person(row, now)
    draft.refuse_faults()
    draft.scope = f"book831:{own_key(person)}"
    map_person(parts[0], row, person, draft)
    for block in blocks(form, "TIENSU"):
        map_history(block, f"{where}/TIENSU", draft)
    for block in blocks(form, "TIEMCHUNG"):
        map_doses(block, f"{where}/TIEMCHUNG", draft)
    return draft.unit(where, "qd831-book", person, sender), person, row


def _read_visit(
    element: etree._Element, person: PersonFacts, own: Row, sender: str | None, where: str, now: datetime
) -> Unit:
    visit = Visit("")
    row = row_of(element, where, visit)
    number = row.required("MA_LK")
    if len(number) > 100:
        row.fault("bad-code", "MA_LK")
    visit.refuse_faults()
    visit.scope = f"visit831:{number}"
    add_patient(own.where, person, visit)
    map_visit(element, row, visit, now)
    return visit.unit(where, "qd831-visit", person, sender)
