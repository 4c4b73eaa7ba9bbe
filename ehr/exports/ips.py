"""The International Patient Summary as a FHIR document (hl7.fhir.uv.ips 2.0.0; design: ehr-core.md §3).

Made of the summary that the reader's Access lets out; the builder cannot fetch more than that Access does.
A required section without entries says `unavailable`, whether nothing was ever asked, nothing was sent or the
person's consent leaves it out: only an explicit "none known" entry says that there is none.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec
from msgspec import Struct

from documents.plain import plain
from ehr.exports import queries
from ehr.exports.bundle import SUPPORTING
from ehr.exports.lines import day_text, detail_text, title_text
from ehr.exports.person import patient_entry, patient_urn
from ehr.exports.queries import KeptRow
from ehr.exports.references import Leaving, held_inside, names_of, referred_ids, urn_of
from ehr.models import Item
from ehr.reads.models import Built, Summary, SummarySection
from ehr.reads.scope import scope_of
from identity.models import OwnIdentifier, PersonCard
from identity.people import own_identifiers, person_card
from kernel.access import Access
from kernel.ids import uuid7
from store.database import Tx
from store.keys import KeyRing

_PROFILES: Final = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
_LOINC: Final = "http://loinc.org"
_EMPTY: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
SERVICE_NAME: Final = "Sổ sức khỏe điện tử"
# LOINC names of the section codes, as IPS 2.0.0 gives them.
_NAMES: Final = {
    "48765-2": "Allergies and adverse reactions Document",
    "11450-4": "Problem list - Reported",
    "10160-0": "History of Medication use Narrative",
    "11369-6": "History of Immunization note",
    "30954-2": "Relevant diagnostic tests/laboratory data note",
    "47519-4": "History of Procedures Document",
    "46264-8": "History of medical device use",
    "104605-1": "Alert",
    "11348-0": "History of Past illness note",
    "10162-6": "History of pregnancies Narrative",
    "18776-5": "Plan of care note",
    "29762-2": "Social history note",
    "8716-3": "Vital signs note",
}
_REQUIRED: Final = frozenset({"allergies", "problems", "medications"})
# Two hops lead from a prescription over a role to a doctor and a facility.
_HOPS: Final = 2


class Gathered(Struct, frozen=True):
    """What the document is made of, read in one transaction. rows: those of the items; beside: supporting."""

    patient_id: UUID
    card: PersonCard | None
    identifiers: list[OwnIdentifier]
    summary: Summary
    rows: list[KeptRow]
    beside: list[KeptRow]
    holds: frozenset[str] | None


async def gather(tx: Tx, keys: KeyRing, access: Access, built: Built, now: datetime) -> Gathered:
    """The kept documents behind a summary. built: what ehr/reads/summary.py made for the same Access."""
    summary = msgspec.json.decode(built.body, type=Summary)
    scope = scope_of(access, now)
    # The document is made to be handed over: what the person hides stays at home, and what was refuted.
    ids = [i.id for section in summary.sections for i in section.items if section.loinc and _leaves(i)]
    found = await queries.KEPT_BY_ID.all(tx, *scope, ids)
    # The section of plans lists no day to come back.
    rows = [row for row in found if row.rtype != "Appointment"]
    beside: dict[str, KeptRow] = {}
    frontier = rows
    for _ in range(_HOPS):
        named = set().union(*(referred_ids(row) for row in frontier)) - beside.keys()
        found = await queries.KEPT_BY_ID.all(tx, *scope, sorted(named)) if named else []
        frontier = [row for row in found if row.rtype in SUPPORTING and row.id not in beside]
        beside |= {row.id: row for row in frontier}
    listed = {row.id for row in rows}
    card = await person_card(tx, keys, access.patient_id)
    numbers = await own_identifiers(tx, keys, access.patient_id) if access.is_own else []
    others = [row for row in beside.values() if row.id not in listed]
    return Gathered(access.patient_id, card, numbers, summary, rows, others, held_inside(access))


def _leaves(item: Item) -> bool:
    return not item.hidden and (item.verdict is None or item.verdict.outcome != "refuted")


def build(gathered: Gathered, now: datetime) -> Built:
    """The document Bundle as JSON. No database."""
    person = patient_urn(gathered.patient_id)
    leaving = Leaving([*gathered.rows, *gathered.beside], person, holds=gathered.holds)
    by_id = {row.id: row for row in gathered.rows}
    sections: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    shown: list[tuple[str, str]] = []
    for section in gathered.summary.sections:
        listed = [(item, by_id[item.id]) for item in section.items if item.id in by_id]
        if section.loinc is None or (not listed and section.key not in _REQUIRED):
            continue
        made = [_entry(item, row, leaving, person) for item, row in listed]
        sections.append(
            _section(section, [(i, e["fullUrl"]) for (i, _), e in zip(listed, made, strict=True)])
        )
        entries += made
        shown += [(row.rtype, row.id) for _, row in listed]
        entries += _devices_worn(listed, leaving)
    beside = _reached(entries, gathered)
    shown += [(row.rtype, row.id) for row in beside]
    entries += [{"fullUrl": urn_of(row.id), "resource": leaving.document(row)} for row in beside]
    author = str(uuid7(now))
    service = {"resourceType": "Organization", "id": author, "name": SERVICE_NAME}
    composition = _composition(gathered, sections, f"urn:uuid:{author}", now)
    first = {"fullUrl": f"urn:uuid:{author}", "resource": service}
    patient = patient_entry(gathered.patient_id, gathered.card, gathered.identifiers)
    return Built(_document([composition, patient, first, *_once(entries)], now), shown)


def _document(entries: list[dict[str, Any]], now: datetime) -> bytes:
    return msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "meta": {"profile": [f"{_PROFILES}Bundle-uv-ips"]},
            "language": "vi",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid7(now)}"},
            "type": "document",
            "timestamp": _instant(now),
            "entry": entries,
        }
    )


def _composition(
    gathered: Gathered, sections: list[dict[str, Any]], author: str, now: datetime
) -> dict[str, Any]:
    ident = str(uuid7(now))
    notice = gathered.summary.notice
    return {
        "fullUrl": f"urn:uuid:{ident}",
        "resource": {
            "resourceType": "Composition",
            "id": ident,
            "meta": {"profile": [f"{_PROFILES}Composition-uv-ips"]},
            "language": "vi",
            **({"text": _narrative([notice.vi, notice.en])} if notice else {}),
            "status": "final",
            "type": {
                "coding": [{"system": _LOINC, "code": "60591-5", "display": "Patient summary Document"}]
            },
            "subject": {"reference": patient_urn(gathered.patient_id)},
            "date": _instant(now),
            "author": [{"reference": author}],
            "title": "Tóm tắt sức khỏe (International Patient Summary)",
            "custodian": {"reference": author},
            "section": sections,
        },
    }


def _section(section: SummarySection, listed: list[tuple[Item, str]]) -> dict[str, Any]:
    code = section.loinc or ""
    made: dict[str, Any] = {
        "title": section.title_vi,
        "code": {"coding": [{"system": _LOINC, "code": code, "display": _NAMES[code]}]},
    }
    if not listed:
        told = {"coding": [{"system": _EMPTY, "code": "unavailable", "display": "Unavailable"}]}
        return {**made, "text": _narrative(["Chưa có thông tin."]), "emptyReason": told}
    text = _narrative([_line(item) for item, _ in listed])
    return {**made, "text": text, "entry": [{"reference": urn} for _, urn in listed]}


def _line(item: Item) -> str:
    parts = (title_text(item), detail_text(item), day_text(item.date), item.facility_name or "")
    return " · ".join(part for part in parts if part)


def _narrative(lines: list[str]) -> dict[str, str]:
    """XHTML of plain lines, each escaped: one list item per entry and nothing else."""
    items = "".join(f"<li>{escape(plain(line))}</li>" for line in lines)
    return {
        "status": "generated",
        "div": f'<div xmlns="{_XHTML}" lang="vi" xml:lang="vi"><ul>{items}</ul></div>',
    }


def _entry(item: Item, row: KeptRow, leaving: Leaving, person: str) -> dict[str, Any]:
    """The resource of an item as the profiles want it, without inventing anything."""
    document = leaving.document(row)
    if row.rtype == "Device":
        return _worn(item, row, person)
    if row.rtype in ("MedicationRequest", "MedicationStatement") and not (
        {"medicationCodeableConcept", "medicationReference"} & document.keys()
    ):
        document["medicationCodeableConcept"] = {"text": item.title}
    if row.rtype == "MedicationStatement" and not (
        {"effectiveDateTime", "effectivePeriod"} & document.keys()
    ):
        document["_effectiveDateTime"] = _UNKNOWN
    if row.rtype == "DeviceUseStatement":
        document.setdefault("device", {"display": item.title})
    return {"fullUrl": urn_of(row.id), "resource": document}


_UNKNOWN: Final = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}


def _worn(item: Item, row: KeptRow, person: str) -> dict[str, Any]:
    """The section of devices lists statements of use: one is made for a device that came alone."""
    urn = urn_of(f"use of {row.id}")
    use = {
        "resourceType": "DeviceUseStatement",
        "id": urn.removeprefix("urn:uuid:"),
        "status": "active",
        "subject": {"reference": person},
        "_timingDateTime": _UNKNOWN,
        "device": {"reference": urn_of(row.id), "display": item.title},
    }
    return {"fullUrl": urn, "resource": use}


def _devices_worn(listed: list[tuple[Item, KeptRow]], leaving: Leaving) -> list[dict[str, Any]]:
    return [
        {"fullUrl": urn_of(row.id), "resource": leaving.document(row)}
        for _, row in listed
        if row.rtype == "Device"
    ]


def _reached(entries: list[dict[str, Any]], gathered: Gathered) -> list[KeptRow]:
    """The supporting rows that something in the document refers to, over as many hops as were read."""
    waiting = {row.id: row for row in gathered.beside}
    names = names_of(gathered.beside)
    kept: list[KeptRow] = []
    here = {entry["fullUrl"] for entry in entries}
    frontier = [row for row in gathered.rows if urn_of(row.id) in here]
    while frontier and waiting:
        named = {names[name] for row in frontier for name in referred_ids(row) & names.keys()}
        frontier = [waiting.pop(ident) for ident in sorted(named & waiting.keys())]
        kept += frontier
    return kept


def _once(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({entry["fullUrl"]: entry for entry in entries}.values())


def _instant(now: datetime) -> str:
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")
