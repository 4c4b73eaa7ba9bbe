"""One visit with something in every section of the book, each part with the mark of its visit."""

import base64
import hashlib
from typing import Any


def study_uid(mark: str) -> str:
    """A DICOM number that only the study of this mark has; it stands in the address of the viewer."""
    return f"1.2.840.{int(hashlib.sha256(mark.encode()).hexdigest()[:12], 16)}"


def episode(name: str, day: str, mark: str, *, code: str = "SHARED") -> list[dict[str, Any]]:
    """A visit, its diagnosis, results, medicine, vaccine, procedure, allergy, letter, report and pictures."""
    visit = {"encounter": {"reference": f"Encounter/{name}"}}
    said = {"coding": [{"system": "urn:test", "code": code, "display": f"{mark} lời"}], "text": f"{mark} lời"}
    letter = {
        "contentType": "text/plain",
        "title": f"{mark}.txt",
        "data": base64.b64encode(f"{mark} thư".encode()).decode(),
    }
    bodies = [*_clinical(name, day, said, visit), *_papers(mark, day, said, letter, visit)]
    return [body if body["id"] == name else body | {"id": f"{name}-{body['id']}"} for body in bodies]


def _clinical(name: str, day: str, said: dict[str, Any], visit: dict[str, Any]) -> list[dict[str, Any]]:
    """The visit and what was found and done in it."""
    active = {"coding": [{"code": "active"}]}
    quantity = {"value": 5.1, "unit": "mmol/L"}
    return [
        {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [said],
            "period": {"start": day, "end": day},
        },
        {"resourceType": "Condition", "id": "c", "code": said, "clinicalStatus": active, "onsetDateTime": day}
        | visit,
        {"resourceType": "AllergyIntolerance", "id": "a", "code": said, "clinicalStatus": active} | visit,
        observation("o", said, day, "laboratory", quantity) | visit,
        observation("v", said, day, "vital-signs", quantity) | visit,
        {
            "resourceType": "MedicationRequest",
            "id": "m",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": said,
            "authoredOn": day,
        }
        | visit,
        {
            "resourceType": "Immunization",
            "id": "i",
            "status": "completed",
            "vaccineCode": said,
            "occurrenceDateTime": day,
        }
        | visit,
        {
            "resourceType": "Procedure",
            "id": "p",
            "status": "completed",
            "code": said,
            "performedDateTime": day,
        }
        | visit,
    ]


def _papers(
    mark: str, day: str, said: dict[str, Any], letter: dict[str, Any], visit: dict[str, Any]
) -> list[dict[str, Any]]:
    """A letter, a report and pictures."""
    return [
        {
            "resourceType": "DocumentReference",
            "id": "d",
            "status": "current",
            "description": f"{mark} thư",
            "date": f"{day}T00:00:00Z",
            "content": [{"attachment": letter}],
            "context": {"encounter": [visit["encounter"]]},
        },
        {
            "resourceType": "DiagnosticReport",
            "id": "r",
            "status": "final",
            "category": [{"coding": [{"code": "RAD"}]}],
            "code": said,
            "effectiveDateTime": day,
            "conclusion": f"{mark} kết luận",
            "presentedForm": [letter],
        }
        | visit,
        {
            "resourceType": "ImagingStudy",
            "id": "s",
            "status": "available",
            "started": day,
            "description": f"{mark} phim",
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study_uid(mark)}"}],
            "modality": [{"code": "CT"}],
            "series": [{"uid": f"{study_uid(mark)}.1", "modality": {"code": "CT"}}],
        }
        | visit,
    ]


def observation(
    ident: str, code: dict[str, Any], day: str, category: str, value: dict[str, Any]
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "code": code,
        "category": [{"coding": [{"code": category}]}],
        "valueQuantity": value,
        "effectiveDateTime": day,
    }
