"""The person of a Bundle, as its Patient resource tells it (VN Core identifier systems)."""

import re
from typing import Any, Literal, cast

from ehr.intake.models import BadInputError, IdentifierKind, PersonFacts, Reason, Sex, reject
from ehr.intake.survey import is_fhir_date
from ehr.intake.systems import IDENTIFIER_KINDS

_SEXES: dict[str, Sex] = {"male": "male", "female": "female", "other": "unknown", "unknown": "unknown"}
IDENTIFIERS_MAX = 20


def person_of(patient: dict[str, Any], where: str) -> PersonFacts:
    """PersonFacts of a Patient. The name is name.text; without it family and given are joined.

    Raises BadInputError for an identifier, a birth date or a gender of the wrong form.
    """
    gender = patient.get("gender")
    birth_date = patient.get("birthDate")
    if gender is not None and gender not in _SEXES:
        raise reject("bad-code", f"{where}.gender")
    if birth_date is not None and not (len(birth_date) <= 10 and is_fhir_date(birth_date)):
        raise reject("bad-date", f"{where}.birthDate")
    return PersonFacts(
        identifiers=tuple(_identifiers(patient.get("identifier", []), f"{where}.identifier")),
        name=_name(patient.get("name", []), f"{where}.name"),
        birth_date=birth_date,
        sex=_SEXES[gender] if gender is not None else None,
        phone=_first(patient.get("telecom"), "value", system="phone"),
        address=_first(patient.get("address"), "text"),
        death_reported=patient.get("deceasedBoolean") is True or "deceasedDateTime" in patient,
    )


def _identifiers(listed: Any, where: str) -> list[tuple[IdentifierKind, str]]:
    if not isinstance(listed, list) or len(listed) > IDENTIFIERS_MAX:
        raise reject("bad-type", where)
    found: list[tuple[IdentifierKind, str]] = []
    for index, identifier in enumerate(listed):
        if not isinstance(identifier, dict):
            raise reject("bad-type", f"{where}[{index}]")
        kind = IDENTIFIER_KINDS.get(str(identifier.get("system", "")))
        if kind is None or identifier.get("use") == "old":
            continue
        value = identifier.get("value")
        if not isinstance(value, str) or not is_identifier(kind, value.strip()):
            raise BadInputError([Reason("bad-identifier", f"{where}[{index}].value")])
        # A BHYT card carries 15 characters, the new printed number only the 10 digits of BHXH.
        short = kind == "insurance-card" and value.strip().isdigit()
        found.append(("insurance-number" if short else kind, value.strip()))
    return found


_FORMS: dict[str, re.Pattern[str]] = {
    "national-id": re.compile(r"[0-9]{12}"),
    "old-id": re.compile(r"[0-9]{9}"),
    "insurance-card": re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}", re.IGNORECASE),
    "insurance-number": re.compile(r"[0-9]{10}"),
    # The issuing country may stand before it, as identity keeps it.
    "passport": re.compile(r"(?:[A-Za-z0-9]{2,3}\|)?[A-Za-z0-9]{5,20}"),
    "facility-patient-id": re.compile(r"\S.{0,98}\S|\S"),
}


def is_identifier(kind: IdentifierKind, value: str) -> bool:
    """Whether `value` has the form of its kind (vietnam.md §2)."""
    return _FORMS[kind].fullmatch(value) is not None


def _name(listed: Any, where: str) -> str | None:
    if not isinstance(listed, list):
        raise reject("bad-type", where)
    names = [name for name in listed if isinstance(name, dict)]
    for name in names:
        if isinstance(name.get("text"), str) and name["text"].strip():
            return cast(str, name["text"]).strip()
    for name in names:
        given = name.get("given", [])
        parts = [name.get("family"), *(given if isinstance(given, list) else [])]
        words = [part for part in parts if isinstance(part, str)]
        if words:
            return " ".join(words)
    return None


def _first(listed: Any, element: Literal["value", "text"], system: str | None = None) -> str | None:
    if not isinstance(listed, list):
        return None
    for entry in listed:
        if isinstance(entry, dict) and (system is None or entry.get("system") == system):
            value = entry.get(element)
            if isinstance(value, str):
                return value.strip() or None
    return None
