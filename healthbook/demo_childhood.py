"""What a station measured of a child beside the doses: weight, length, then height, and around the head.

The numbers are invented, near the middle of WHO's children with one slow year.
"""

from datetime import date, datetime, time
from typing import Any, Final

from kernel.clock import VIETNAM, add_months

# Months of age, kilograms, centimetres, centimetres around the head.
MEASURED: Final[tuple[tuple[int, float, float, float | None], ...]] = (
    (0, 3.1, 49.0, 33.8),
    (1, 4.0, 53.0, 36.2),
    (2, 4.9, 56.5, 38.0),
    (3, 5.6, 59.0, 39.4),
    (4, 6.2, 61.5, 40.5),
    (6, 7.0, 65.0, 42.0),
    (9, 7.5, 69.0, 43.5),
    (12, 7.8, 72.5, 44.6),
    (18, 8.5, 78.0, 45.9),
    (24, 10.0, 84.0, 46.9),
    (36, 12.5, 93.0, None),
    (48, 14.6, 100.5, None),
)
_LYING_BEFORE: Final = 24
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"


def measurements(patient: dict[str, Any], born: date, today: date) -> list[dict[str, Any]]:
    """Observations of every day that has come."""
    made = []
    for months, weight, length, head in MEASURED:
        day = add_months(born, months)
        position = ("8306-3", "Chiều dài nằm") if months < _LYING_BEFORE else ("8308-9", "Chiều cao đứng")
        told = (("29463-7", "Cân nặng", weight, "kg"), (*position, length, "cm"))
        around = (("9843-4", "Vòng đầu", head, "cm"),) if head is not None else ()
        if day < today:
            made += [_observation(patient, day, *one) for one in (*told, *around)]
    return made


def _observation(
    patient: dict[str, Any], day: date, code: str, title: str, value: float, unit: str
) -> dict[str, Any]:
    return {
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": title},
        "subject": patient,
        "effectiveDateTime": datetime.combine(day, time(8, 30), VIETNAM).isoformat(),
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }
