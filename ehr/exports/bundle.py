"""The whole record as a FHIR R4 Bundle: every row that the Access lets out, and no word of any other."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.exports import queries
from ehr.exports.person import patient_entry, patient_urn
from ehr.exports.problems import EXPORT_TOO_LARGE
from ehr.exports.queries import ROWS_MAX, KeptRow
from ehr.exports.references import Leaving, held_inside, names_of, referred_ids, urn_of
from ehr.reads.models import Built
from ehr.reads.scope import scope_of
from identity.models import OwnIdentifier, PersonCard
from identity.people import own_identifiers, person_card
from kernel.access import Access, Label
from kernel.problems import refuse
from store.database import Tx
from store.keys import KeyRing

# Kept beside what refers to them (docs/decisions/0005): alone they would tell of somebody's hidden visit.
SUPPORTING: Final = frozenset(
    [
        *("BodyStructure", "Device", "Endpoint", "HealthcareService", "Location", "Medication"),
        *("Organization", "Practitioner", "PractitionerRole", "Specimen", "Substance"),
    ]
)


_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_RESTRICTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


class Gathered(Struct, frozen=True):
    """What a Bundle is made of, read in one transaction."""

    patient_id: UUID
    card: PersonCard | None
    identifiers: list[OwnIdentifier]
    rows: list[KeptRow]
    holds: frozenset[str] | None


async def gather(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Gathered:
    """Read everything the Access lets out. Raises `export-too-large`."""
    rows = await queries.KEPT_ROWS.all(tx, *scope_of(access, now))
    if len(rows) > ROWS_MAX:
        refuse(EXPORT_TOO_LARGE)
    card = await person_card(tx, keys, access.patient_id)
    numbers = await own_identifiers(tx, keys, access.patient_id) if access.is_own else []
    return Gathered(access.patient_id, card, numbers, rows, held_inside(access))


def build(gathered: Gathered, now: datetime) -> Built:
    """The Bundle as JSON. No database; takes a second for tens of thousands of rows."""
    rows = _belonging([row for row in gathered.rows if row.rtype != "Patient"])
    leaving = Leaving(rows, patient_urn(gathered.patient_id), holds=gathered.holds)
    entries = [patient_entry(gathered.patient_id, gathered.card, gathered.identifiers)]
    entries += [{"fullUrl": urn_of(row.id), "resource": _marked(leaving.document(row), row)} for row in rows]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "entry": [entry for entry in entries if _says_something(entry["resource"])],
    }
    return Built(msgspec.json.encode(bundle), [(row.rtype, row.id) for row in rows])


def _marked(resource: dict[str, Any], row: KeptRow) -> dict[str, Any]:
    """With its sensitivity (HL7 v3-ActCode): a copy outside the book can be held back where it should be."""
    labels = Label(row.labels)
    marks = [
        _RESTRICTED if one is Label.RESTRICTED else {"system": _ACT_CODE, "code": one.name} for one in labels
    ]
    if marks:
        said = resource["meta"].get("security", [])
        resource["meta"]["security"] = [*said, *(mark for mark in marks if mark not in said)]
    return resource


def _belonging(rows: list[KeptRow]) -> list[KeptRow]:
    """Rows that stand for themselves, and the supporting ones that those lead to."""
    waiting = {row.id: row for row in rows if _is_supporting(row)}
    kept = [row for row in rows if row.id not in waiting]
    speaking = [row for row in kept if row.rtype != "Provenance"]
    names = names_of(rows)
    standing = {row.id for row in speaking}
    here = {name for name, ident in names.items() if ident in standing}
    kept = speaking + [row for row in kept if row.rtype == "Provenance" and referred_ids(row) & here]
    frontier = kept
    while frontier and waiting:
        named = {names[name] for row in frontier for name in referred_ids(row) & names.keys()}
        frontier = [waiting.pop(ident) for ident in sorted(named & waiting.keys())]
        kept += frontier
    return kept


def _is_supporting(row: KeptRow) -> bool:
    return row.rtype in SUPPORTING and row.section is None


def _says_something(resource: dict[str, Any]) -> bool:
    """A Provenance of which no target leaves says nothing, and so does a list without entries."""
    needed = {"Provenance": "target", "Composition": "section"}.get(resource["resourceType"])
    return needed is None or needed in resource
