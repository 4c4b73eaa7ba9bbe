"""The body of a CDA document: sections with entries become resources, narratives become a document."""

import base64
from collections.abc import Callable, Iterator
from typing import Any, Final

from lxml import etree

from ehr.intake import cda_entries as entries
from ehr.intake import systems
from ehr.intake.cda_fields import Cda, attribute, coded, is_null, plain_text, whole_text
from ehr.intake.episode import concept
from ehr.intake.gate import judge_plain
from ehr.intake.models import reject
from ehr.intake.safe_xml import child, children, local

Mapper = Callable[[Cda, etree._Element, str], int]

# Moods of what was not done yet: only an order of a medicine has a resource, the rest stays in the text.
_PLANNED: Final = frozenset({"INT", "RQO", "PRP", "PRMS", "APT", "ARQ", "GOL"})
DOCUMENT_MAX: Final = 1_000_000
POINTED_MAX: Final = 2_000
SECTIONS_MAX: Final = 200
ENTRIES_MAX: Final = 10_000
DEPTH_MAX: Final = 8
# Section codes (LOINC) of the IPS and C-CDA 2.1.
BY_CODE: Final[dict[str, Mapper]] = {
    "11450-4": entries.problem,
    "11348-0": entries.problem,
    "48765-2": entries.allergy,
    "10160-0": entries.medicine,
    "10183-2": entries.medicine,
    "29549-3": entries.medicine,
    "11369-6": entries.immunization,
    "30954-2": entries.result,
    "8716-3": entries.vital_sign,
    "47519-4": entries.procedure,
    "46240-8": entries.encounter,
    "29762-2": entries.social,
    "10157-6": entries.relative,
}
# C-CDA 2.1 section templates, for documents whose section has no code.
_C_CDA: Final = "2.16.840.1.113883.10.20.22.2."
BY_TEMPLATE: Final[dict[str, Mapper]] = {
    _C_CDA + "5": entries.problem,
    _C_CDA + "5.1": entries.problem,
    _C_CDA + "6": entries.allergy,
    _C_CDA + "6.1": entries.allergy,
    _C_CDA + "1": entries.medicine,
    _C_CDA + "1.1": entries.medicine,
    _C_CDA + "2": entries.immunization,
    _C_CDA + "2.1": entries.immunization,
    _C_CDA + "3": entries.result,
    _C_CDA + "3.1": entries.result,
    _C_CDA + "4": entries.vital_sign,
    _C_CDA + "4.1": entries.vital_sign,
    _C_CDA + "7": entries.procedure,
    _C_CDA + "7.1": entries.procedure,
    _C_CDA + "22": entries.encounter,
    _C_CDA + "22.1": entries.encounter,
    _C_CDA + "17": entries.social,
    _C_CDA + "15": entries.relative,
}


def map_body(cda: Cda, root: etree._Element, title: str, kind: dict[str, Any]) -> None:
    """structuredBody or nonXMLBody, and the document that holds the narratives."""
    component = child(root, "component")
    structured, other = child(component, "structuredBody"), child(component, "nonXMLBody")
    if structured is None and other is None:
        cda.fault("missing-field", "component")
        return
    if other is not None:
        _map_foreign(cda, other, title, kind)
        return
    told: list[tuple[str, str]] = []
    size = 0
    for number, (section, where) in enumerate(_sections(structured, "section", DEPTH_MAX), start=1):
        if number > SECTIONS_MAX:
            raise reject("too-large", "structuredBody")
        told.append(_map_section(cda, section, where))
        size += len(told[-1][1])
        if size > DOCUMENT_MAX:
            raise reject("too-large", "structuredBody")
    _add_narratives(cda, [one for one in told if one[1]], title, kind)


def _sections(parent: etree._Element | None, where: str, depth: int) -> Iterator[tuple[etree._Element, str]]:
    """All sections with those inside them."""
    if parent is None:
        return
    if depth == 0:
        raise reject("too-deep", where)
    number = 0
    for component in children(parent, "component"):
        for section in children(component, "section"):
            number += 1
            place = f"{where}[{number}]"
            yield section, place
            yield from _sections(section, f"{place}/section", depth - 1)


def _map_section(cda: Cda, section: etree._Element, where: str) -> tuple[str, str]:
    """Map the entries; the section's heading and its text for people."""
    text = child(section, "text")
    cda.texts = _pointed_at(section, text)
    mapper = _mapper(section)
    for number, entry in enumerate(children(section, "entry"), start=1):
        if number > ENTRIES_MAX:
            raise reject("too-large", where)
        for act in entry if mapper is not None else ():
            if mapper is entries.medicine or attribute(act, "moodCode") not in _PLANNED:
                mapper(cda, act, f"{where}/entry[{number}]")  # type: ignore[misc]
    code = coded(cda, child(section, "code"))
    return plain_text(child(section, "title")) or code.get("text", "Mục không tên"), whole_text(text, where)


def _mapper(section: etree._Element) -> Mapper | None:
    by_code = BY_CODE.get(attribute(child(section, "code"), "code"))
    templates = (BY_TEMPLATE.get(attribute(one, "root")) for one in children(section, "templateId"))
    return by_code or next((found for found in templates if found), None)


def _pointed_at(section: etree._Element, text: etree._Element | None) -> dict[str, str]:
    """The words of each narrative element whose ID an entry of the section names."""
    entries = children(section, "entry")
    found = (one for entry in entries for one in entry.iter() if local(one) == "reference")
    named = {attribute(one, "value")[1:] for one in found}
    if text is None or not named:
        return {}
    if len(named) > POINTED_MAX:
        raise reject("too-large", "entry")
    return {one.get("ID", ""): plain_text(one) for one in text.iter() if one.get("ID") in named}


def _add_narratives(cda: Cda, told: list[tuple[str, str]], title: str, kind: dict[str, Any]) -> None:
    """One document of all narratives. A section that the gate would stop stands alone, so that it alone
    is withheld or set aside for review."""
    apart = [one for one in told if judge_plain(f"{one[0]}\n{one[1]}") != "keep"]
    together = "\n\n".join(f"{heading}\n{text}" for heading, text in told if (heading, text) not in apart)
    if together:
        _add_text(cda, "text", title, kind, together)
    for number, (heading, text) in enumerate(apart, start=1):
        _add_text(cda, f"apart-{number}", title, kind, f"{heading}\n{text}")


def _add_text(cda: Cda, part: str, title: str, kind: dict[str, Any], text: str) -> None:
    data = base64.b64encode(text.encode()).decode()
    attachment = {"contentType": "text/plain; charset=utf-8", "data": data, "title": title}
    _add_document(cda, part, title, kind, attachment)


def _map_foreign(cda: Cda, body: etree._Element, title: str, kind: dict[str, Any]) -> None:
    """A PDF, picture or plain text instead of sections; what nobody can scan gets its label later."""
    text = child(body, "text")
    kind_of = attribute(text, "mediaType").lower() or "text/plain"
    if text is None or is_null(text):
        cda.fault("missing-field", "nonXMLBody/text")
    elif attribute(text, "representation").upper() == "B64":
        data = "".join("".join(str(part) for part in text.itertext()).split())
        try:
            base64.b64decode(data, validate=True)
        except ValueError:
            cda.fault("bad-base64", "nonXMLBody/text")
            return
        _add_document(cda, "body", title, kind, {"contentType": kind_of, "data": data, "title": title})
    elif told := whole_text(text, "nonXMLBody"):
        _add_text(cda, "body", title, kind, told)


def _add_document(cda: Cda, part: str, title: str, kind: dict[str, Any], attachment: dict[str, str]) -> None:
    body = {
        "status": "current",
        "type": kind or concept(title, (systems.DOCUMENT_KIND, "cda")),
        "subject": cda.patient,
        "date": cda.date if len(cda.date) > 10 else "",
        "description": title,
        "content": [{"attachment": attachment}],
        "context": {"encounter": [cda.encounter]} if cda.encounter else {},
    }
    cda.add(cda.name("DocumentReference", part), body, "component")
