"""What a doctor typed or scanned, and ticked, as the service takes it: pure functions."""

import re
from collections.abc import Mapping
from typing import Any, Final

from consent.policy import DEFAULT_TYPES, DURATIONS
from consent.share_codes.policy import QR_PREFIX
from kernel.access import RecordType
from qr.scanner import cleaned, fields_of

# Boxes of the form, each with the kinds of entries that it asks for; those behind the gap are asked for by
# name alone (consent/policy.py DEFAULT_TYPES).
BOXES: Final[dict[str, tuple[RecordType, ...]]] = {
    "allergies": ("AllergyIntolerance",),
    "problems": ("Condition",),
    "medicines": ("MedicationRequest", "MedicationStatement"),
    "results": ("Observation.laboratory",),
    "reports": ("DiagnosticReport", "ImagingStudy"),
    "encounters": ("Encounter", "CarePlan"),
    "vaccinations": ("Immunization",),
    "vital-signs": ("Observation.vital-signs",),
    "pregnancy": ("Observation.pregnancy",),
    "procedures": ("Procedure", "Device"),
    "documents": ("DocumentReference",),
    "wearable": ("Observation.wearable",),
    "family": ("FamilyMemberHistory",),
    "forms": ("QuestionnaireResponse",),
}
USUAL: Final = frozenset(box for box, types in BOXES.items() if set(types) <= DEFAULT_TYPES)
SPANS: Final = DURATIONS

_CITIZEN_CODE: Final = re.compile(r"SSK[0-9]+:")
_SHARE_CODE: Final = re.compile(r"[0-9A-Za-z]{4}[- ]?[0-9A-Za-z]{4}")
_ELSE: Final = re.compile(r"[\s.-]+")


def is_share_code(text: str) -> bool:
    """Whether a code that its person gave out was typed or scanned, and no number of a card."""
    said = cleaned(text)
    return said.startswith(QR_PREFIX) or (_SHARE_CODE.fullmatch(said) is not None and not said.isdigit())


def subject_of(text: str) -> dict[str, str]:
    """Who is meant: the person's own code, the number of an identity card (its printed code tells more, of
    which only the number is taken), or of an insurance card. Form alone decides, never who exists."""
    said = cleaned(text)
    if _CITIZEN_CODE.match(said):
        return {"kind": "citizen-qr", "value": said}
    number = _ELSE.sub("", fields_of(said)[0]).upper()
    kind = "national-id" if len(number) == 12 and number.isdigit() else "insurance"
    return {"kind": kind, "value": number or "-"}


def request_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The body of a request. Without the boxes of the details it asks for what the role usually sees."""
    body: dict[str, Any] = {"subject": subject_of(form.get("subject", ""))}
    if form.get("details"):
        ticked = [kind for box, kinds in BOXES.items() if box in form for kind in kinds]
        body["types"] = ticked or None
        body["since"] = form.get("since")
    if form.get("duration", "").isdigit():
        body["duration_seconds"] = int(form["duration"])
    return body


def ticked(form: Mapping[str, str]) -> frozenset[str]:
    """The boxes that are ticked in the form as it is shown: the usual ones before anybody chose."""
    return frozenset(box for box in BOXES if box in form) if form.get("details") else USUAL


def grouped(digits: str) -> str:
    """`482 913`: six or eight digits as people read them out."""
    size = 4 if len(digits) == 8 else 3
    return " ".join(digits[start : start + size] for start in range(0, len(digits), size))
