"""What a doctor typed or scanned, and ticked, as the service takes it: pure functions."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from api.pages.doctor.granted import kinds_of
from api.pages.scope_words import PURPOSES, duration, said
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
    typed = cleaned(text)
    return typed.startswith(QR_PREFIX) or (_SHARE_CODE.fullmatch(typed) is not None and not typed.isdigit())


def subject_of(text: str) -> dict[str, str]:
    """Who is meant: the person's own code, the number of an identity card (its printed code tells more, of
    which only the number is taken), or of an insurance card. Form alone decides, never who exists."""
    typed = cleaned(text)
    if _CITIZEN_CODE.match(typed):
        return {"kind": "citizen-qr", "value": typed}
    number = _ELSE.sub("", fields_of(typed)[0]).upper()
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


class Wished(Struct, frozen=True):
    """What was asked for, in words."""

    purpose: str
    kinds: list[str]
    since: str | None
    until: str | None
    duration: str


def wished(asked: dict[str, Any] | None, *, english: bool) -> Wished | None:
    """asked: of the service; None where the request is no longer kept."""
    if asked is None:
        return None
    return Wished(
        said(PURPOSES, asked["purpose"], english=english),
        kinds_of(asked["types"], english=english),
        asked["since"],
        asked["until"],
        duration(asked["duration_seconds"], english=english),
    )


class Narrowed(Struct, frozen=True):
    """Where an answer gives less than was asked. without: the kinds that are left out. is_dated: not of the
    same days. is_shorter: for less time."""

    without: list[str]
    is_dated: bool
    is_shorter: bool


def narrowed(asked: dict[str, Any] | None, given: dict[str, Any] | None, *, english: bool) -> Narrowed | None:
    """None where everything was given, and where it is not known what was asked."""
    if asked is None or given is None:
        return None
    without = set(asked["types"]) - set(given["types"])
    starts, ends = (datetime.fromisoformat(given[name]) for name in ("starts_at", "ends_at"))
    is_shorter = (ends - starts).total_seconds() < asked["duration_seconds"]
    is_dated = (asked["since"], asked["until"]) != (given["since"], given["until"])
    if not (without or is_dated or is_shorter):
        return None
    return Narrowed(kinds_of(without, english=english), is_dated, is_shorter)


def grouped(digits: str) -> str:
    """`482 913`: six or eight digits as people read them out."""
    size = 4 if len(digits) == 8 else 3
    return " ".join(digits[start : start + size] for start in range(0, len(digits), size))
