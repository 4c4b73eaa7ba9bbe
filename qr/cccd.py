"""The code of an identity card (CCCD and the card of 2024): fields between bars, unsigned (vietnam.md §2).

number | old number or empty | name | birth ddMMyyyy | Nam or Nữ | address | issued ddMMyyyy | relatives …
The second field is left out by some cards. Scanner software hands the same on with labels or as JSON; its
names of the fields, below, are those of published programs and not of a standard.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from kernel.problems import ProblemType, Refused
from kernel.text import fold
from qr.card_texts import (
    ADDRESS_MAX,
    CardText,
    Review,
    birth_date_of,
    day_of,
    is_personal_number,
    number_reviews,
    person_name,
    plain_field,
    sex_of,
)
from qr.problems import CARD_DATE, CARD_INCOMPLETE, CARD_NUMBER, QR_UNREADABLE
from qr.scanner import TEXT_MAX, cleaned, fields_of

# A number of the old card, or an earlier one of the new.
_OLD_NUMBER: Final = re.compile(r"[0-9]{9}|[0-9]{12}")
_LINES: Final = re.compile(r"[|;\n\t]")
_FIELDS: Final = 7
_NOTHING: Final = ("", "-")
# By the label as it is folded, without blanks and signs.
_LABELS: Final[dict[str, str]] = {
    name: field
    for field, names in {
        "number": "cccd socccd cancuoc socancuoc sodinhdanh id idnumber",
        "old": "cmnd socmnd oldid",
        "name": "hoten hovaten name fullname",
        "birth": "ngaysinh namsinh dob dateofbirth birthday",
        "sex": "gioitinh sex gender",
        "address": "diachi noithuongtru noicutru address",
        "issued": "ngaycap issuedate",
    }.items()
    for name in names.split()
}


def read_cccd(text: str) -> CardText | Refused:
    """The holder. Refused: card-incomplete (fewer than six fields), card-number-invalid (not twelve digits),
    card-date-impossible, each with the field in `where`; qr-unreadable."""
    text = cleaned(text)
    if len(text) > TEXT_MAX:
        return Refused(problem=QR_UNREADABLE, where="card")
    labelled = _labelled(text)
    if labelled is not None:
        return _holder(labelled, extras=0)
    fields = fields_of(text)
    if len(fields) < _FIELDS - 1:
        return Refused(problem=CARD_INCOMPLETE, where="card")
    # A card without the second field has the sex, and no date, in the fourth place.
    if not any(sign.isdigit() for sign in fields[1] + fields[3]) and fields[1] not in _NOTHING:
        fields.insert(1, "")
    names = ("number", "old", "name", "birth", "sex", "address", "issued")
    return _holder(dict(zip(names, fields, strict=False)), extras=max(0, len(fields) - _FIELDS))


def is_labelled(text: str) -> bool:
    """True for a cleaned text that names a card's number, name and birth."""
    return _labelled(text) is not None


def _holder(fields: dict[str, str], extras: int) -> CardText | Refused:
    number = fields["number"].replace(" ", "")
    if not is_personal_number(number):
        return _refused(CARD_NUMBER, "number")
    birth, issued_on = birth_date_of(fields["birth"]), day_of(fields.get("issued", ""))
    if birth is None:
        return _refused(CARD_DATE, "birth_date")
    if issued_on is None and fields.get("issued", "") not in _NOTHING:
        return _refused(CARD_DATE, "issued_on")
    old = fields.get("old", "").replace(" ", "")
    is_old = _OLD_NUMBER.fullmatch(old) is not None
    name, sex = person_name(fields["name"]), sex_of(fields.get("sex", ""))
    doubts: dict[Review, bool] = {
        "name-unreadable": name is None,
        "sex-unknown": sex is None,
        "old-number-unreadable": not is_old and old not in _NOTHING,
        "issued-before-birth": issued_on is not None and issued_on.isoformat() < birth,
    }
    return CardText(
        national_id=number,
        old_id=old if is_old else None,
        name=name,
        birth_date=birth,
        sex=sex,
        address=plain_field(fields.get("address", ""), ADDRESS_MAX),
        issued_on=issued_on,
        review=(*(doubt for doubt, holds in doubts.items() if holds), *number_reviews(number, birth, sex)),
        extras=extras,
    )


def _labelled(text: str) -> dict[str, str] | None:
    """By field, what stands behind a label or a JSON name; None without number, name and birth."""
    pairs = _json_pairs(text) if text.startswith("{") else _label_pairs(text)
    found: dict[str, str] = {}
    for label, value in pairs:
        field = _LABELS.get("".join(sign for sign in fold(label) if sign.isalnum()))
        if field is not None:
            found.setdefault(field, value.strip())
    return found if {"number", "name", "birth"} <= found.keys() else None


def _json_pairs(text: str) -> Sequence[tuple[str, str]]:
    try:
        found = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []
    return [(label, value) for label, value in found.items() if isinstance(value, str)]


def _label_pairs(text: str) -> Sequence[tuple[str, str]]:
    parts = (part.partition(":") for part in _LINES.split(text))
    return [(label, value) for label, colon, value in parts if colon]


def _refused(problem: ProblemType, where: str) -> Refused:
    return Refused(problem=problem, where=where)
