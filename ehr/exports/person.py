"""The person as a FHIR Patient made by us, from what identity knows."""

from typing import Any
from uuid import UUID

from ehr.exports.references import urn_of
from identity.models import OwnIdentifier, PersonCard

# Identifier systems of VN Core (ehr-core.md §6).
_SID = "http://fhir.ehealth.gov.vn/core/sid/"
_SYSTEMS = {
    "national-id": f"{_SID}national_id",
    "insurance-card": f"{_SID}insurance_number",
    "old-id": f"{_SID}citizen_id",
    "passport": f"{_SID}passport_number",
}
_ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}


def patient_urn(patient_id: UUID) -> str:
    return urn_of(str(patient_id))


def patient_entry(
    patient_id: UUID, card: PersonCard | None, identifiers: list[OwnIdentifier]
) -> dict[str, Any]:
    """The Bundle entry. identifiers: the person's numbers, for the person alone."""
    known = [
        {"system": _SYSTEMS[one.kind], "value": one.value}
        for one in identifiers
        if one.kind in _SYSTEMS and one.state != "self-declared"
    ]
    name = card.name if card else None
    birth_date = card.birth_date if card else None
    patient = {
        "resourceType": "Patient",
        "id": str(patient_id),
        **({"identifier": known} if known else {}),
        "name": [{"text": name} if name else {"_text": _ABSENT}],
        "gender": card.sex if card else "unknown",
        **({"birthDate": birth_date} if birth_date else {"_birthDate": _ABSENT}),
    }
    return {"fullUrl": patient_urn(patient_id), "resource": patient}
