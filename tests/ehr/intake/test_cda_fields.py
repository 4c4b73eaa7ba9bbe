"""Every attribute and every text of a CDA document changes what is kept, or docs/mapping.md lists it."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ehr.intake.cda import read_document
from ehr.intake.models import Unit
from tests.support.cda import Invented, document
from tests.support.clock import START

MAPPING = Path(__file__).resolve().parents[3] / "docs" / "mapping.md"
DOCUMENT = document(Invented(), custodian="79001").encode()
# Words of a closed list have another word of that list as their other value.
OTHER = {"statusCode@code": "aborted", "@moodCode": "INT", "value@type": "ST"}


def elements() -> list[etree._Element]:
    return [one for one in etree.fromstring(DOCUMENT).iter() if isinstance(one.tag, str)]


def local(name: object) -> str:
    return str(name).rpartition("}")[2]


def place_of(element: etree._Element) -> str:
    parent = element.getparent()
    return ("" if parent is None else f"{local(parent.tag)}/") + local(element.tag)


def kept(root: etree._Element) -> object:
    """What is kept of a document, or why it is refused."""
    (unit,) = read_document(io.BytesIO(etree.tostring(root)), "body", START)
    if not isinstance(unit, Unit):
        return unit.reasons
    return unit.key, unit.version, unit.facility_code, unit.person, sorted(item.raw for item in unit.items)


def other_value(place: str, value: str) -> str:
    """Another value of the same shape."""
    for end, other in OTHER.items():
        if place.endswith(end):
            return other if other != value else "EVN"
    return value[:-1] + ("1" if value[-1:] != "1" else "2")


def changes() -> Iterator[tuple[str, etree._Element]]:
    """(place, document with another value there) for every attribute and every text."""
    for number, told in enumerate(elements()):
        for name in told.attrib:
            element = elements()[number]
            place = f"{place_of(element)}@{local(name)}"
            element.set(name, other_value(place, element.attrib[name]))
            yield place, element.getroottree().getroot()
        if len(told) == 0 and (told.text or "").strip():
            element = elements()[number]
            element.text = f"{element.text}1"
            yield place_of(element), element.getroottree().getroot()


def listed() -> dict[str, str]:
    """Places that the document lists as saying nothing that is kept, each with its reason."""
    section = MAPPING.read_text("utf-8").partition("\nNot kept (CDA):")[2].partition("\n# ")[0]
    lines = [line.strip("| ").partition(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name: why for names, _, why in lines for name in re.findall(r"`([A-Za-z/@]+)`", names)}


def test_what_a_document_says_is_kept_or_listed() -> None:
    before = kept(etree.fromstring(DOCUMENT))
    assert isinstance(before, tuple)
    found: dict[str, set[bool]] = {}
    for place, root in changes():
        found.setdefault(place, set()).add(kept(root) != before)
    assert len(found) > 60
    assert {place for place, is_kept in found.items() if is_kept != {True}} == set(listed())


def test_what_is_listed_has_a_reason() -> None:
    assert all(len(why) > 10 for why in listed().values())
