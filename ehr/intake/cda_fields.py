"""Data types of CDA R2 (HL7 V3) as FHIR R4: II, CD, TS, IVL_TS, PQ and the values of observations."""

import re
from datetime import datetime
from typing import Any, Final

from lxml import etree
from msgspec import Struct, field

from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import quantity
from ehr.intake.models import IdentifierKind, reject
from ehr.intake.safe_xml import child, children, local
from ehr.intake.xml_fields import ZONE_TEXT, clean
from kernel.clock import VIETNAM

# Words of one entry; the narrative of one section.
WORDS_MAX: Final = 4_000
NARRATIVE_MAX: Final = 200_000
_BREAKS: Final = frozenset({"tr", "item", "paragraph", "br", "caption", "list", "table", "text", "title"})
_CELLS: Final = frozenset({"td", "th"})
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_TS: Final = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\d{2})(\d{2})?(?:\.\d{1,6})?)?)?)?([+-]\d{4})?"
)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,8})?|\.\d{1,8})")
_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,20})){1,30}")

# Code systems by OID, as HL7 registers them.
OIDS: Final = {
    "2.16.840.1.113883.6.1": systems.LOINC,
    "2.16.840.1.113883.6.3": systems.ICD10,
    "2.16.840.1.113883.6.8": systems.UCUM,
    "2.16.840.1.113883.6.73": "http://www.whocc.no/atc",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.5.4": systems.ACT_CODE,
    "2.16.840.1.113883.5.83": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
}
# No text publishes OIDs of Vietnamese numbers for CDA: a sender names the kind of a number in
# assigningAuthorityName, in the words of the national tables (unconfirmed; docs/mapping.md).
AUTHORITIES: Final[dict[str, IdentifierKind]] = {
    "SO_CCCD": "national-id",
    "CCCD": "national-id",
    "SO_CMND": "old-id",
    "CMND": "old-id",
    "PASSPORT": "passport",
    "MA_THE_BHYT": "insurance-card",
    "BHYT": "insurance-card",
    "MA_SO_BHXH": "insurance-number",
    "BHXH": "insurance-number",
    "MA_BN": "facility-patient-id",
}
_YES_NO: Final = {"true": "Có", "false": "Không"}
FACILITY_AUTHORITY: Final = "MACSKCB"


class Cda(UnitDraft):
    """One document while it is mapped. texts: the narrative of the section at hand by its ID."""

    now: datetime | None = None
    date: str = ""
    encounter: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


class Times(Struct, frozen=True):
    """An effectiveTime: a moment, or an interval, as FHIR dates."""

    start: str = ""
    end: str = ""
    moment: bool = False

    @property
    def period(self) -> dict[str, str]:
        return {key: value for key, value in (("start", self.start), ("end", self.end)) if value}


def attribute(element: etree._Element | None, name: str) -> str:
    """An attribute's text, stripped; "" when absent."""
    return "" if element is None else clean(element.get(name))


def is_null(element: etree._Element | None) -> bool:
    return element is None or bool(element.get("nullFlavor"))


def is_negated(element: etree._Element) -> bool:
    return attribute(element, "negationInd").lower() in ("true", "1")


def moment(cda: Cda, element: etree._Element | None, where: str) -> str:
    """`20260302081500+0700` → `2026-03-02T08:15:00+07:00`; without a zone Vietnam's is meant."""
    value = attribute(element, "value")
    if not value or is_null(element):
        return ""
    found = read_ts(value)
    if found is None:
        cda.fault("bad-date", where)
        return ""
    return found


def read_ts(value: str) -> str | None:
    """A TS as a FHIR date of the same precision; hours without a date's day are refused."""
    match = _TS.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        parts = [
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
        ]
        datetime(*parts, tzinfo=VIETNAM)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    if not 1870 <= int(year) <= 2200 or (zone and int(zone[1:]) > 1400):
        return None
    date = "-".join(part for part in (year, month, day) if part)
    if hour is None:
        return date
    return f"{date}T{hour}:{minute}:{second or '00'}" + (f"{zone[:3]}:{zone[3:]}" if zone else ZONE_TEXT)


def times(cda: Cda, parent: etree._Element | None, where: str) -> Times:
    """The first effectiveTime of an act that has a value, a low or a high."""
    for element in children(parent, "effectiveTime"):
        if element.get("value"):
            return Times(start=moment(cda, element, f"{where}/effectiveTime"), moment=True)
        low = moment(cda, child(element, "low"), f"{where}/effectiveTime/low")
        high = moment(cda, child(element, "high"), f"{where}/effectiveTime/high")
        centre = moment(cda, child(element, "center"), f"{where}/effectiveTime/center")
        if low or high:
            return Times(start=low, end=high)
        if centre:
            return Times(start=centre, moment=True)
    return Times()


def system_of(oid: str) -> str:
    """The URI of a code system; one that is not in the table keeps its OID as a urn."""
    if oid in OIDS:
        return OIDS[oid]
    return f"urn:oid:{oid}" if _OID.fullmatch(oid) else ""


def coded(cda: Cda, element: etree._Element | None) -> dict[str, Any]:
    """A CD (code, translations, original text) as a CodeableConcept; {} when it says nothing."""
    if element is None:
        return {}
    codings = [found for one in (element, *children(element, "translation")) if (found := _coding(one))]
    text = narrative(cda, child(element, "originalText")) or attribute(element, "displayName")
    made: dict[str, Any] = {"coding": codings} if codings else {}
    return made | ({"text": text} if text else {})


def _coding(element: etree._Element) -> dict[str, str]:
    code = attribute(element, "code")
    if not code:
        return {}
    found = {
        "system": system_of(attribute(element, "codeSystem")),
        "code": code,
        "display": attribute(element, "displayName"),
    }
    return {key: value for key, value in found.items() if value}


def narrative(cda: Cda, element: etree._Element | None) -> str:
    """A text of an entry: its own words, or those of the narrative that it points at."""
    if element is None:
        return ""
    pointed = attribute(child(element, "reference"), "value")
    if pointed.startswith("#"):
        return cda.texts.get(pointed[1:], "")
    return plain_text(element)


def decimal(cda: Cda, value: str, where: str) -> str:
    """A decimal as JSON can hold it; "" and a fault when it is none."""
    if _DECIMAL.fullmatch(value) is None:
        cda.fault("bad-number", where)
        return ""
    digits = value.lstrip("+").rstrip(".")
    return (
        digits.replace("-.", "-0.") if digits.startswith("-") else ("0" if digits[0] == "." else "") + digits
    )


def amount(cda: Cda, element: etree._Element | None, where: str) -> dict[str, Any]:
    """A PQ as a Quantity; {} for a null one. Units of CDA are UCUM."""
    value = attribute(element, "value")
    if element is None or is_null(element) or not value:
        return {}
    number, unit = decimal(cda, value, f"{where}@value"), attribute(element, "unit")
    if not number:
        return {}
    unit = "" if unit == "1" else unit
    return quantity(number, unit, (systems.UCUM, unit) if unit else None)


def observed(cda: Cda, element: etree._Element | None, where: str) -> dict[str, Any]:
    """The value[x] of an observation by its xsi:type; {} without a value."""
    if element is None or is_null(element):
        return {}
    kind = attribute(element, _TYPE).rpartition(":")[2]
    if kind in ("IVL_PQ", "IVL_INT", "IVL_REAL"):
        return _interval(cda, element, where)
    name, value = _simple(cda, element, kind, where)
    return {name: value} if value else {}


def _simple(cda: Cda, element: etree._Element, kind: str, where: str) -> tuple[str, Any]:
    name: str = ""
    value: Any = None
    match kind:
        case "PQ" | "INT" | "REAL":
            name, value = "valueQuantity", amount(cda, element, where)
        case "CD" | "CE" | "CV" | "CO" | "CS":
            name, value = "valueCodeableConcept", coded(cda, element)
        case "BL":
            name, value = "valueString", _YES_NO.get(attribute(element, "value"))
        case "TS":
            name, value = "valueDateTime", moment(cda, element, where)
        case "ST" | "ED" | "SC":
            name, value = "valueString", narrative(cda, element)
        case "RTO" | "RTO_PQ_PQ":
            name, value = "valueString", _ratio(element)
        case _:
            cda.fault("bad-type", f"{where}@type")
    return name, value


def _interval(cda: Cda, element: etree._Element, where: str) -> dict[str, Any]:
    """`< 5` has only a high: a Quantity with a comparator. Two bounds are a range in words."""
    low, high = child(element, "low"), child(element, "high")
    bounds = [(amount(cda, low, f"{where}/low"), ">", low), (amount(cda, high, f"{where}/high"), "<", high)]
    told = [(made, sign, attribute(one, "inclusive")) for made, sign, one in bounds if made]
    if len(told) == 1:
        made, sign, inclusive = told[0]
        return {"valueQuantity": made | {"comparator": sign + ("" if inclusive == "false" else "=")}}
    texts = [
        " ".join(p for p in (attribute(one, "value"), attribute(one, "unit")) if p) for one in (low, high)
    ]
    return {"valueString": " – ".join(texts)} if len(told) == 2 else {}


def _ratio(element: etree._Element) -> str:
    sides = (child(element, "numerator"), child(element, "denominator"))
    return ":".join(attribute(side, "value") for side in sides).strip(":")


def plain_text(element: etree._Element | None) -> str:
    """The words of a narrative element, cut off where they are no words of an entry any more."""
    return "" if element is None else _lines(element, WORDS_MAX)[0]


def whole_text(element: etree._Element | None, where: str) -> str:
    """The narrative of a section, which is kept whole or refused: `too-large` over 200,000 characters."""
    text, is_whole = ("", True) if element is None else _lines(element, NARRATIVE_MAX)
    if not is_whole:
        raise reject("too-large", f"{where}/text")
    return text


def _lines(element: etree._Element, most: int) -> tuple[str, bool]:
    """Rows, items and paragraphs each on a line of its own, and whether `most` was enough for all.

    Without recursion; elements are counted like characters, so that empty ones end as well.
    """
    stack: list[tuple[etree._Element, bool]] = [(element, False)]
    parts: list[str] = []
    spent = 0
    while stack and spent <= most:
        node, done = stack.pop()
        name = local(node)
        if done:
            parts.append("\n" if name in _BREAKS else " | " if name in _CELLS else "")
            text = str(node.tail or "") if node is not element else ""
        else:
            parts.append("\n" if name in _BREAKS else "")
            text = str(node.text or "")
            stack.append((node, True))
            stack += [(one, False) for one in reversed(node)]
        spent += len(text) + 1
        parts.append(text)
    kept = (" ".join(line.split()) for line in "".join(parts)[: most + 1].split("\n"))
    return clean("\n".join(line for line in kept if line))[:most], not stack and spent <= most
