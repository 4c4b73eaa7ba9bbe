"""What a core sent, as a unit like any other: same strict reading, same gate, same labels."""

import json
import re

import msgspec
from msgspec import Raw, Struct

from ehr.intake.bundle_person import person_of
from ehr.intake.fhir_bundle import Parsed, read_bundle
from ehr.intake.ids import resource_id
from ehr.intake.labels import department_label
from ehr.intake.models import BadInputError, PersonFacts
from ehr.intake.survey import survey
from ehr.intake.units import Prepared, prepare
from ehr.models import NewResource
from ehr.ports import CoreError, CoreResource
from kernel.access import Label

# Taken in by one transaction.
CHUNK = 2000
_TRIES = 4
_ENTRY = re.compile(r"entry\[(\d+)\]")


class _Reference(Struct):
    reference: str = ""


class _Medicated(Struct, rename="camel"):
    medication_reference: _Reference | None = None


class _About(Struct):
    patient: _Reference | None = None
    subject: _Reference | None = None
    beneficiary: _Reference | None = None


_about = msgspec.json.Decoder(_About)
_medicated = msgspec.json.Decoder(_Medicated)


class Taken(Struct, frozen=True):
    """Rows to write, by the references they were made of; what was refused, and what the gate stopped."""

    prepared: Prepared
    written: dict[str, NewResource]
    refused: frozenset[str]


def person_in(patient: CoreResource) -> PersonFacts:
    """Who a Patient of the core says it is. Raises CoreError `broken` for one that is no FHIR R4."""
    try:
        doc = json.loads(patient.raw)
        if survey(doc, "Patient").reasons:
            raise CoreError("broken")
        return person_of(doc, "Patient")
    except (BadInputError, ValueError, RecursionError):
        raise CoreError("broken") from None


def is_retired(patient: CoreResource) -> bool:
    """A Patient that the core no longer uses, or replaced by another."""
    doc = json.loads(patient.raw)
    links = doc.get("link") if isinstance(doc.get("link"), list) else []
    replaced = any(isinstance(one, dict) and one.get("type") == "replaced-by" for one in links)
    return doc.get("active") is False or replaced


def patient_of(resource: CoreResource) -> str | None:
    """`Patient/id` that a resource is about, or that it is."""
    if resource.rtype == "Patient":
        return resource.reference
    try:
        about = _about.decode(resource.raw)
    except msgspec.MsgspecError:
        return None
    named = [one.reference for one in (about.patient, about.subject, about.beneficiary) if one is not None]
    parts = (named[0] if named else "").split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 and parts[-2] == "Patient" else None


def medication_of(resource: CoreResource) -> str | None:
    """The id of the Medication that a resource refers to, when it names one."""
    if b'"medicationReference"' not in resource.raw:
        return None
    try:
        reference = _medicated.decode(resource.raw).medication_reference
    except msgspec.MsgspecError:
        return None
    parts = (reference.reference if reference else "").split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == "Medication" else None


def take(
    patient: CoreResource,
    resources: list[CoreResource],
    source_id: str,
    name: str,
    departments: dict[str, Label],
) -> Taken:
    """Read, gate and extract. One resource that cannot be taken leaves the others; the Patient must be good.

    departments: our ids of kept visits of sensitive departments; what happened there stays restricted.
    """
    entries = [patient, *resources]
    refused: set[str] = set()
    for _ in range(_TRIES):
        try:
            parsed, prepared = _prepare(entries, source_id, name)
        except BadInputError as error:
            bad = {int(found[1]) for one in error.reasons if (found := _ENTRY.match(one.where))}
            if not bad or 0 in bad:
                raise CoreError("broken") from None
            refused |= {entries[index].reference for index in bad}
            entries = [one for index, one in enumerate(entries) if index not in bad]
            continue
        _restrict(prepared.resources, departments | _departments(entries, source_id))
        rows = {(row.rtype, row.id): row for row in prepared.resources}
        written = {
            item.key: rows[item.rtype, resource_id(source_id, item.key)]
            for item in parsed.unit.items
            if (item.rtype, resource_id(source_id, item.key)) in rows
        }
        return Taken(prepared, written, frozenset(refused))
    raise CoreError("broken")


def _prepare(entries: list[CoreResource], source_id: str, name: str) -> tuple[Parsed, Prepared]:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": Raw(one.raw)} for one in entries],
    }
    parsed = read_bundle(msgspec.json.encode(bundle), "core")
    return parsed, prepare(parsed.unit, parsed.surveys, source_id, name)


def _departments(entries: list[CoreResource], source_id: str) -> dict[str, Label]:
    visits = [one for one in entries if one.rtype == "Encounter"]
    return sensitive_visits({resource_id(source_id, one.reference): one.raw for one in visits})


def sensitive_visits(docs: dict[str, bytes]) -> dict[str, Label]:
    """Labels of the visits in departments that tell by themselves."""
    found = {ident: department_label(json.loads(doc)) for ident, doc in docs.items()}
    return {ident: label for ident, label in found.items() if label}


def _restrict(rows: list[NewResource], departments: dict[str, Label]) -> None:
    """As ehr/intake/units.py does inside one unit: here a visit and what happened in it can come apart."""
    for row in rows:
        if not row.labels and row.encounter_id in departments:
            row.labels = int(Label.RESTRICTED)
