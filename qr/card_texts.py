"""What the code on a card says of its holder, and how its texts are cleaned and its fields read.

The codes of identity and insurance cards are not signed: what they say fills in a form and proves nothing
(vietnam.md §2). The raw text and the card's relatives are never kept, and no text of a card is ever logged:
these structures print without their content.
"""

import re
import unicodedata
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from kernel.text import fold

Sex = Literal["male", "female"]
# Why a person looks at a card before believing it.
Review = Literal[
    "name-unreadable",
    "sex-unknown",
    "number-and-birth-differ",
    "number-and-sex-differ",
    "old-number-unreadable",
    "issued-before-birth",
    "facility-unreadable",
    "validity-reversed",
    "cut-off",
    "number-alone",
]

NAME_MAX: Final = 200
ADDRESS_MAX: Final = 500
# Nobody alive was born earlier, and the personal number knows no earlier century.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199

_SEXES: Final[dict[str, Sex]] = {"nam": "male", "nu": "female", "male": "male", "female": "female"}
_DAY: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})|([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})")
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEAR: Final = re.compile(r"[0-9]{4}")
_IN_NAMES: Final = " '’ʼ-.,"
_DIGITS_12: Final = re.compile(r"[0-9]{12}")


class CardText(Struct, frozen=True, kw_only=True):
    """A holder as a card's code names them. Every field may be missing; `review` says what to look at.

    birth_date: FHIR partial, a year alone where the card knows no day. extras: how many fields stood behind
    those that are read: relatives on newer cards, who are dropped.
    """

    national_id: str | None = None
    old_id: str | None = None
    insurance_number: str | None = None
    insurance_card: str | None = None
    name: str | None = None
    birth_date: str | None = None
    sex: Sex | None = None
    address: str | None = None
    issued_on: date | None = None
    facility_code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    review: tuple[Review, ...] = ()
    extras: int = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def plain_field(text: str, longest: int) -> str | None:
    """A field in NFC on one line; None where it is empty, a lone dash or too long."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return line if line and line != "-" and len(line) <= longest else None


def person_name(text: str) -> str | None:
    """A name of Latin letters; None for what a scanner or an input method has damaged."""
    line = plain_field(text, NAME_MAX)
    if line is None or not any(sign.isalpha() for sign in line):
        return None
    return line if all(_is_of_names(sign) for sign in line) else None


def sex_of(text: str) -> Sex | None:
    """Nam or Nữ, in either spelling of its marks."""
    return _SEXES.get(fold(text))


def birth_date_of(text: str) -> str | None:
    """ddMMyyyy, dd/MM/yyyy, yyyy-MM-dd, a year alone or with zeros for what is unknown, as a FHIR partial
    date; None for a day that does not exist."""
    if _YEAR.fullmatch(text):
        return text if FIRST_YEAR <= int(text) <= LAST_YEAR else None
    parts = _parts(text)
    if parts is None:
        return None
    year, month, day = parts
    if not FIRST_YEAR <= year <= LAST_YEAR or (month == 0 and day != 0):
        return None
    if month == 0:
        return f"{year:04}"
    try:
        found = date(year, month, day or 1)
    except ValueError:
        return None
    return found.isoformat() if day else f"{year:04}-{month:02}"


def day_of(text: str) -> date | None:
    """A whole day that exists, in any of the same forms."""
    parts = _parts(text)
    if parts is None or not FIRST_YEAR <= parts[0] <= LAST_YEAR:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def number_reviews(number: str, birth_date: str | None, sex: Sex | None) -> list[Review]:
    """What the century, sex and year in a personal number say against the rest of the card (TT 59/2021)."""
    found: list[Review] = []
    century = 1900 + 100 * (int(number[3]) // 2)
    if birth_date is not None and int(birth_date[:4]) != century + int(number[4:6]):
        found.append("number-and-birth-differ")
    if sex is not None and sex != ("female" if int(number[3]) % 2 else "male"):
        found.append("number-and-sex-differ")
    return found


def is_personal_number(text: str) -> bool:
    """Twelve digits: there is no check digit to know more by."""
    return _DIGITS_12.fullmatch(text) is not None


def _parts(text: str) -> tuple[int, int, int] | None:
    if found := _ISO_DAY.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _DAY.fullmatch(text):
        day, month, year = (part for part in found.groups() if part is not None)
        return int(year), int(month), int(day)
    return None


def _is_of_names(sign: str) -> bool:
    if sign in _IN_NAMES or unicodedata.category(sign) == "Mn":
        return True
    return sign.isalpha() and unicodedata.name(sign, "").startswith("LATIN ")
