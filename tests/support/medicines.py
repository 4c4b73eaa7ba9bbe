"""Medicines and allergies for tests, and tables that say of themselves that they are stand-ins."""

from typing import Any

STAND_IN = "stand-in for tests (no source)"
PAIRS = f"""ingredient_a,ingredient_b,severity,words_vi,words_en,source,licence,version
Alphazin,Betazin,major,Câu giữ chỗ cho kiểm thử,Placeholder of a test,{STAND_IN},none,stand-in 1
Gammazin,Alphazin,minor,Câu giữ chỗ khác,Another placeholder,{STAND_IN},none,stand-in 1
"""
NAMES = f"""name,ingredient,source,licence,version
Alphadol,Alphazin,{STAND_IN},none,stand-in 1
VD-00001-26,Betazin,{STAND_IN},none,stand-in 1
Nhóm Zin,Alphazin,{STAND_IN},none,stand-in 1
Nhóm Zin,Betazin,{STAND_IN},none,stand-in 1
"""


def medicine(ident: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/x"},
        "authoredOn": "2026-11-20",
        "groupIdentifier": {"value": f"rx-{ident}"},
        **more,
    }


def statement(ident: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": ident,
        "status": "active",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/x"},
        "effectiveDateTime": "2026-11-19",
        **more,
    }


def allergy(ident: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"text": name},
        "patient": {"reference": "Patient/x"},
        **more,
    }
