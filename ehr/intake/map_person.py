"""Whom a package is about: identifiers, the Patient as this facility reports it, insurance cards."""

import re
from datetime import timedelta
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.episode import Episode, concept
from ehr.intake.models import IdentifierKind, PersonFacts, Sex
from ehr.intake.xml_fields import Row, is_ahead, is_later, read_birth, read_moment
from ehr.intake.xml_tables import OLD_FILE

_SEXES: Final[dict[str, Sex]] = {"1": "male", "2": "female", "3": "unknown"}
_DIED: Final = frozenset({"5", "8"})
# `000` is Vietnam, but `56` and `00000` say that nothing is known (vietnam.md §4).
_UNKNOWN: Final = {"MA_DANTOC": "56", "MA_NGHE_NGHIEP": "00000"}
_VIETNAM: Final = "000"
_COUNTRY: Final = re.compile(r"[A-Z0-9]{2,3}")
_PASSPORT: Final = re.compile(r"[A-Z0-9]{6,12}")
_NEWBORN_DAYS: Final = 28


def read_person(row: Row, episode: Episode) -> PersonFacts:
    """Who the episode is about. A newborn of at most 28 days carries a real time of birth."""
    born, timed = read_born(row, "NGAY_SINH", episode)
    admitted = episode.start[:10]
    newborn = timed and bool(admitted) and not is_later(admitted, born, timedelta(days=_NEWBORN_DAYS))
    return PersonFacts(
        identifiers=tuple(_identifiers(row)),
        name=row.required("HO_TEN") or None,
        birth_date=born or None,
        sex=read_sex(row, "GIOI_TINH"),
        phone=row.text("DIEN_THOAI") or None,
        address=row.text("DIA_CHI") or None,
        commune=row.text("MAXA_CU_TRU") or None,
        newborn=newborn,
        mother_number=_mother(episode) if newborn else None,
        death_reported=row.text("KET_QUA_DTRI") in _DIED,
    )


def read_born(row: Row, name: str, episode: Episode) -> tuple[str, bool]:
    """A date of birth as (FHIR partial date, carries a real time); ("", False) with a fault."""
    text = row.required(name)
    if len(text) == 4 and OLD_FILE in row.fields:
        text += "0000"
    birth = read_birth(text) if text else None
    if text and birth is None:
        row.fault("bad-date", name)
    born, timed = birth or ("", False)
    if born and is_ahead(born, episode.now):
        row.fault("future-date", name)
    return born, timed


def read_sex(row: Row, name: str) -> Sex | None:
    return _SEXES.get(row.coded(name, "[123]", required=True))


def read_number(row: Row, name: str) -> list[tuple[IdentifierKind, str]]:
    """SO_CCCD may hold a personal number, an old CMND or a passport (vietnam.md §4); its shape tells which.

    An e-ID account is named by the personal number of twelve digits, of foreigners too. Only who is no
    Vietnamese has a passport of digits alone: nine of them are a CMND else. The issuing country stands
    before a passport's number, where MA_QUOCTICH tells it.
    """
    number = row.text(name)
    if not number:
        return []
    found = number_of(number, row.text("MA_QUOCTICH"))
    if found is None:
        row.fault("bad-identifier", name)
        return []
    return [found]


def number_of(text: str, country: str) -> tuple[IdentifierKind, str] | None:
    """What a number is by its shape; None where it is none. country: who issued it (Vietnam: `000`)."""
    number, country = text.replace(" ", "").upper(), country.upper()
    if is_identifier("national-id", number):
        return "national-id", number
    foreign = country not in ("", _VIETNAM)
    if is_identifier("old-id", number) and not foreign:
        return "old-id", number
    if _PASSPORT.fullmatch(number) is None or (number.isdigit() and not foreign):
        return None
    issued_by = "VNM" if country == _VIETNAM else country if _COUNTRY.fullmatch(country) else ""
    return "passport", f"{issued_by}|{number}" if issued_by else number


def read_cards(row: Row, name: str) -> list[tuple[IdentifierKind, str]]:
    """Insurance cards, several divided by `;`; ten digits are the insured's own number."""
    found: list[tuple[IdentifierKind, str]] = []
    for card in row.parts(name):
        if is_identifier("insurance-card", card):
            found.append(("insurance-number" if card.isdigit() else "insurance-card", card.upper()))
        else:
            row.fault("bad-identifier", name)
    return found


def _identifiers(row: Row) -> list[tuple[IdentifierKind, str]]:
    found = [*read_number(row, "SO_CCCD"), *read_cards(row, "MA_THE_BHYT")]
    if row.text("MA_BN"):
        found.append(("facility-patient-id", row.text("MA_BN")))
    return found


def _mother(episode: Episode) -> str | None:
    numbers = (row.text("MA_ME") for row in episode.tables.of("XML7"))
    return next((number for number in numbers if is_identifier("national-id", number)), None)


def map_patient(row: Row, person: PersonFacts, episode: Episode) -> None:
    """The Patient as reported; only what names nobody is kept beside the record (nameless.py)."""
    by_kind = {kind: system for system, kind in systems.IDENTIFIER_KINDS.items()}
    identifiers = [
        {"system": by_kind[kind], "value": value} for kind, value in person.identifiers if kind in by_kind
    ]
    episode.add(
        episode.name("Patient"),
        {
            "extension": _extensions(row),
            "identifier": identifiers,
            "name": [{"text": person.name}] if person.name else [],
            "telecom": [{"system": "phone", "value": person.phone}] if person.phone else [],
            "gender": person.sex,
            "birthDate": person.birth_date,
            "address": [{"text": person.address}] if person.address else [],
        },
        row,
        whole_row=False,
    )


def _extensions(row: Row) -> list[dict[str, Any]]:
    return [
        {"url": url, "valueCodeableConcept": concept("", (system, row.text(name)))}
        for name, (url, system) in systems.PERSON_EXTENSIONS.items()
        if row.text(name) not in ("", _UNKNOWN.get(name))
    ]


def map_coverage(row: Row, person: PersonFacts, episode: Episode) -> None:
    """A Coverage for each card of XML1, with its dates in the same order (`a;b`)."""
    cards = [value for kind, value in person.identifiers if kind.startswith("insurance")]
    starts, ends = row.parts("GT_THE_TU"), row.parts("GT_THE_DEN")
    places = row.parts("MA_DKBD")
    free = row.parts("NGAY_MIEN_CCT")
    for index, card in enumerate(cards):
        period = {
            "start": _day(row, "GT_THE_TU", starts, index),
            "end": _day(row, "GT_THE_DEN", ends, index),
        }
        exempt = _day(row, "NGAY_MIEN_CCT", free, index)
        episode.add(
            episode.name("Coverage", card),
            {
                "status": "active",
                "subscriberId": card,
                "beneficiary": episode.patient,
                "period": {key: value for key, value in period.items() if value},
                "payor": [{"display": "Bảo hiểm xã hội Việt Nam"}],
                "class": _classes(row, card, places[index] if index < len(places) else ""),
                "costToBeneficiary": [_exemption(exempt)] if exempt else [],
            },
            row,
            whole_row=False,
        )


def _day(row: Row, name: str, parts: list[str], index: int) -> str:
    """The member of a list of dates that belongs to a card; dates only, with a fault when wrong."""
    if index >= len(parts):
        return ""
    moment = read_moment(parts[index])
    if moment is None:
        row.fault("bad-date", name)
        return ""
    return moment[:10]


def _classes(row: Row, card: str, place: str) -> list[dict[str, Any]]:
    since = row.moment("NAM_NAM_LIEN_TUC")
    # The number itself is left out of what is kept; its third sign is the benefit level (vietnam.md §2).
    level = "" if card.isdigit() else card[2]
    named = (
        ("initial-facility", place),
        ("area", row.text("MA_KHUVUC")),
        ("five-years", since),
        ("benefit", level),
    )
    return [
        {"type": concept("", (systems.COVERAGE_CLASS, code)), "value": value}
        for code, value in named
        if value
    ]


def _exemption(since: str) -> dict[str, Any]:
    kind = concept("Miễn cùng chi trả", (systems.COVERAGE_CLASS, "no-copayment"))
    return {
        "type": concept("Cùng chi trả", (systems.COVERAGE_CLASS, "copayment")),
        "valueQuantity": {"value": 0, "unit": "%"},
        "exception": [{"type": kind, "period": {"start": since}}],
    }
