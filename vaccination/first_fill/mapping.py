"""A row of a dose file as a unit: one Immunization, and the appointment that the vaccinator made
(docs/mapping.md)."""

import hashlib
import re
from datetime import datetime
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, identified
from ehr.intake.map_person import number_of
from ehr.intake.models import BadInputError, IdentifierKind, PersonFacts, Reason, Unit
from ehr.intake.phr831_fields import read_day
from ehr.intake.survey import is_fhir_date
from ehr.intake.xml_fields import ZONE_TEXT, is_ahead
from ehr.rows.models import Row
from ehr.rows.person import SEXES, fhir_day
from kernel.text import fold
from vaccination.book.antigens import ANTIGEN_SYSTEM, ANTIGENS, ATC, CVX, antigens_of
from vaccination.first_fill.fields import Fields
from vaccination.first_fill.models import SYSTEMS

_NUMBER: Final = re.compile(r"(?:mui(?: thu)? *)?0?([1-9][0-9]?)")
_DIVIDED: Final = re.compile(r"[;,+\n]")
_ANTIGENS_MAX: Final = 12
_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::[0-9]{2})?(?:\.[0-9]{1,9})?"
)
_PACKED: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_NOT_GIVEN: Final = "0"
# Fields that have no place of their own in an Immunization, as in the form of QĐ 831.
_NOTES: Final = {
    "category": "Danh mục",
    "pregnancy_month": "Tháng thai",
    "mother_tetanus_doses": "Số mũi uốn ván mẹ đã tiêm",
    "reaction": "Phản ứng sau tiêm",
    "vaccinator": "Người tiêm",
    "note": "",
}
_ANTIGEN_NAMES: Final = {
    fold(name): key for key, one in ANTIGENS.items() for name in (key, one.name_vi, one.name_en)
}


def unit_of(row: Row, system: str, now: datetime) -> Unit:
    """The unit of a row. Raises BadInputError with every field that stands against it."""
    faults: list[Reason] = []
    person = _person(row, faults)
    given = _date(row, "given_on", faults)
    if given and is_ahead(given, now):
        faults.append(Reason("future-date", "given_on"))
    if given and person.birth_date and _is_before(given, person.birth_date):
        faults.append(Reason("before-birth", "given_on"))
    if row.text("state") == _NOT_GIVEN:
        faults.append(Reason("not-given", "state"))
    elif row.text("state") not in ("", "1"):
        faults.append(Reason("bad-code", "state"))
    draft = UnitDraft(_key(row, person, given))
    resource = _immunization(row, system, given, draft.patient, faults)
    following = _date(row, "next_on", faults)[:10]
    if faults:
        raise BadInputError(faults)
    draft.add(draft.name("Immunization"), resource, "row")
    if following:
        draft.add(draft.name("Appointment"), _appointment(row, following, draft.patient), "next_on")
    return draft.unit("row", "dose", person, row.text("facility_code") or None)


def shortcomings(row: Row, fields: Fields, cells: dict[str, str]) -> list[Reason]:
    """What the sender should complete or look at, though the row is taken in. A field that the file has no
    column of is told once for the file."""
    told = [Reason("missing-field", name) for name in fields.told if name in cells and not row.text(name)]
    if row.text("given_on") and len(_day(row.text("given_on")) or "") < len("2021-06-01"):
        told.append(Reason("imprecise-date", "given_on"))
    if any(_antigen(part) is None for part in _antigens(row)):
        told.append(Reason("unknown-antigen", "antigen"))
    return told


def same_dose(row: Row, unit: Unit) -> str | None:
    """What two rows of one dose share under whatever number: whose, the day, and what it is against or, where
    that is unknown, its vaccine. None without a day."""
    given = (_day(row.text("given_on")) or "")[: len("2021-06-01")]
    if len(given) < len("2021-06-01"):
        return None
    keys = {key for part in _antigens(row) for key in _antigen(part) or ()}
    against = sorted(keys or antigens_of(None, [], row.text("vaccine")))
    vaccine = fold(row.text("vaccine_code") or row.text("vaccine"))
    return "\n".join((*unit.person.identifiers[0], given, *(against or [vaccine])))


def _person(row: Row, faults: list[Reason]) -> PersonFacts:
    numbers: list[tuple[IdentifierKind, str]] = []
    if own := row.text("national_id"):
        found = number_of(own, row.text("nationality"))
        if found is None:
            faults.append(Reason("bad-identifier", "national_id"))
        else:
            numbers.append(found)
    if card := row.text("insurance_card").upper():
        if is_identifier("insurance-card", card):
            numbers.append(("insurance-number" if card.isdigit() else "insurance-card", card))
        else:
            faults.append(Reason("bad-identifier", "insurance_card"))
    if not (own or card):
        faults.append(Reason("no-number", "national_id"))
    sex = SEXES.get(fold(row.text("sex")))
    if sex is None:
        faults.append(Reason("bad-code", "sex"))
    born = _date(row, "birth_date", faults)[:10]
    return PersonFacts(
        identifiers=tuple(numbers),
        name=row.text("full_name"),
        birth_date=born or None,
        sex=sex,
        phone=row.text("phone") or None,
    )


def _key(row: Row, person: PersonFacts, given: str) -> str:
    """By what a row is met again: the system's number of the dose, else whose, what, when and which."""
    if row.text("dose_id"):
        return f"dose:{row.text('dose_id')}"
    number = person.identifiers[0] if person.identifiers else ("", "")
    said = [
        *number,
        fold(row.text("vaccine_code") or row.text("vaccine")),
        given,
        fold(row.text("dose_number")),
    ]
    return f"dose:{hashlib.sha256(chr(10).join(said).encode()).hexdigest()}"


def _immunization(
    row: Row, system: str, given: str, patient: dict[str, str], faults: list[Reason]
) -> dict[str, Any]:
    vaccine = concept(
        row.text("vaccine"),
        (systems.VACCINE, row.text("vaccine_code")),
        (CVX, row.text("cvx_code")),
        (ATC, row.text("atc_code").upper()),
    )
    place = {**identified(systems.PROVIDER_CODE, row.text("facility_code")), "display": row.text("facility")}
    place = {key: value for key, value in place.items() if value}
    own = row.text("dose_id")
    return {
        "identifier": [{"system": systems.DOSE + system, "value": own}] if own else [],
        "status": "completed",
        "vaccineCode": vaccine,
        "patient": patient,
        "occurrenceDateTime": given,
        # Somebody else gave the dose and wrote it down first; the system passes it on.
        "primarySource": False,
        "reportOrigin": {"text": SYSTEMS[system]},
        "manufacturer": {"display": row.text("manufacturer")} if row.text("manufacturer") else {},
        "lotNumber": row.text("lot_number"),
        "expirationDate": _date(row, "expires_on", faults)[:10],
        "site": concept(row.text("site")),
        "route": concept(row.text("route")),
        "location": place,
        "performer": [{"actor": place}] if place else [],
        "note": _notes(row),
        "protocolApplied": _protocol(row, faults),
    }


def _notes(row: Row) -> list[dict[str, str]]:
    return [
        {"text": f"{label}: {row.text(name)}" if label else row.text(name)}
        for name, label in _NOTES.items()
        if row.text(name)
    ]


def _protocol(row: Row, faults: list[Reason]) -> list[dict[str, Any]]:
    made: dict[str, Any] = {}
    if diseases := [_disease(part) for part in _antigens(row)]:
        made["targetDisease"] = diseases
    if text := row.text("dose_number"):
        found = _NUMBER.fullmatch(fold(text))
        made |= {"doseNumberPositiveInt": int(found[1])} if found else {"doseNumberString": text}
    if series := row.text("series_doses"):
        found = _NUMBER.fullmatch(fold(series))
        if found is None:
            faults.append(Reason("bad-number", "series_doses"))
        else:
            made["seriesDosesPositiveInt"] = int(found[1])
    return [made] if made else []


def _antigens(row: Row) -> list[str]:
    parts = (part.strip() for part in _DIVIDED.split(row.text("antigen")))
    return [part for part in parts if part][:_ANTIGENS_MAX]


def _antigen(text: str) -> tuple[str, ...] | None:
    """Keys of antigens.json that a name stands for; None for a name that is not known."""
    if key := _ANTIGEN_NAMES.get(fold(text)):
        return (key,)
    return antigens_of(None, [], text) or None


def _disease(text: str) -> dict[str, Any]:
    return concept(text, *((ANTIGEN_SYSTEM, key) for key in _antigen(text) or ()))


def _appointment(row: Row, day: str, patient: dict[str, str]) -> dict[str, Any]:
    return {
        "status": "booked",
        "description": f"Hẹn tiêm chủng: {row.text('vaccine')}",
        "requestedPeriod": [{"start": day, "end": day}],
        "participant": [{"actor": patient, "status": "accepted"}],
    }


def _date(row: Row, name: str, faults: list[Reason]) -> str:
    """A FHIR date or instant; "" when empty or wrong."""
    text = row.text(name)
    found = _day(text) if text else ""
    if found is None:
        faults.append(Reason("bad-date", name))
    return found or ""


def _day(text: str) -> str | None:
    """`dd/MM/yyyy`, also with HH:mm, `yyyy-MM-dd`, also with a time of Vietnam, `yyyyMMdd`, month or year."""
    if packed := _PACKED.fullmatch(text):
        text = "-".join(packed.groups())
    if stamp := _STAMP.fullmatch(text):
        text = f"{stamp[1]}T{stamp[2]}:00{ZONE_TEXT}"
    found = fhir_day(text) or read_day(text) or (text if is_fhir_date(text) else None)
    # A clock at midnight says that only the day is known.
    return found.removesuffix(f"T00:00:00{ZONE_TEXT}") if found else None


def _is_before(given: str, born: str) -> bool:
    """Whether a date lies before another, at the precision that both have."""
    length = min(len(given), len(born), len("2021-06-01"))
    return given[:length] < born[:length]
