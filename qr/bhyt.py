"""The code of a health insurance card (BHYT): fields between bars, `$` at the end, unsigned (vietnam.md §2).

number (10 or 15) | name | birth | sex 1 2 | address or - | facility `01 - 028` | from | to | issued
and on newer cards | management code | parent's name | area | five years | check | benefit | issued at
Names and places are UTF-8 in hexadecimal; `-` is nothing. The parent of a child is dropped.
"""

import re
from datetime import date
from typing import Final

from kernel.problems import Refused
from qr.card_texts import (
    ADDRESS_MAX,
    CardText,
    Review,
    Sex,
    birth_date_of,
    day_of,
    person_name,
    plain_field,
)
from qr.problems import CARD_DATE, CARD_INCOMPLETE, CARD_NUMBER, QR_UNREADABLE
from qr.scanner import TEXT_MAX, cleaned, fields_of

# Group letters, benefit, province, number of social insurance; a child's temporary card has the same form.
_CARD: Final = re.compile(r"[A-Z]{2}[0-9]{13}")
_NUMBER: Final = re.compile(r"[0-9]{10}")
_FACILITY: Final = re.compile(r"[0-9]{2}[0-9A-Z]{3}")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SEXES: Final[dict[str, Sex]] = {"1": "male", "2": "female"}
END: Final = "$"
_OLD_FIELDS: Final = 9
_FIELDS: Final = 16
_DATES: Final = (("valid_from", 6), ("valid_to", 7), ("issued_on", 8))


def read_bhyt(text: str) -> CardText | Refused:
    """The holder. Refused: card-incomplete (fewer than nine fields), card-number-invalid (neither 10 digits
    nor 15 signs), card-date-impossible, each with the field in `where`; qr-unreadable. A name whose
    hexadecimal is broken is none."""
    text = cleaned(text)
    if len(text) > TEXT_MAX:
        return Refused(problem=QR_UNREADABLE, where="card")
    is_whole = text.endswith(END)
    fields = fields_of(text.removesuffix(END))
    if is_whole and len(fields) > 1 and not fields[-1]:
        fields.pop()
    if len(fields) < _OLD_FIELDS:
        return Refused(problem=CARD_INCOMPLETE, where="card")
    number = fields[0].upper()
    if not (_CARD.fullmatch(number) or _NUMBER.fullmatch(number)):
        return Refused(problem=CARD_NUMBER, where="number")
    birth = birth_date_of(fields[2])
    if birth is None:
        return Refused(problem=CARD_DATE, where="birth_date")
    dates = {name: day_of(fields[at]) for name, at in _DATES}
    wrong = next((name for name, at in _DATES if dates[name] is None and fields[at] not in ("", "-")), None)
    if wrong is not None:
        return Refused(problem=CARD_DATE, where=wrong)
    return _holder(number, birth, fields, dates, is_whole)


def _holder(
    number: str, birth: str, fields: list[str], dates: dict[str, date | None], is_whole: bool
) -> CardText:
    name, sex, facility = person_name(_from_hex(fields[1])), _SEXES.get(fields[3]), _facility(fields[5])
    valid_from, valid_to, issued_on = dates["valid_from"], dates["valid_to"], dates["issued_on"]
    doubts: dict[Review, bool] = {
        "name-unreadable": name is None,
        "sex-unknown": sex is None,
        "issued-before-birth": issued_on is not None and issued_on.isoformat() < birth,
        "facility-unreadable": facility is None and fields[5] not in ("", "-"),
        "validity-reversed": valid_from is not None and valid_to is not None and valid_to < valid_from,
        "cut-off": not is_whole,
    }
    return CardText(
        insurance_number=number[-10:],
        insurance_card=number if len(number) > 10 else None,
        name=name,
        birth_date=birth,
        sex=sex,
        address=plain_field(_from_hex(fields[4]), ADDRESS_MAX),
        issued_on=issued_on,
        facility_code=facility,
        valid_from=valid_from,
        valid_to=valid_to,
        review=tuple(doubt for doubt, holds in doubts.items() if holds),
        extras=max(0, len(fields) - _FIELDS),
    )


def _facility(text: str) -> str | None:
    code = re.sub(r"[\s\-]", "", text).upper()
    return code if _FACILITY.fullmatch(code) else None


def _from_hex(text: str) -> str:
    """The text in a field of hexadecimal; empty for a dash and for what is broken."""
    if not _HEX.fullmatch(text):
        return ""
    try:
        return bytes.fromhex(text).decode()
    except UnicodeDecodeError:
        return ""
