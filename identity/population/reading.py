"""The lines of a list: CSV with `,` or `;`, a JSON array, or JSON lines, one by one, however long the file.

Speed matters here (bench/population.py): what repeats over a country's lines is looked up, not read again.
"""

import csv
import re
import unicodedata
from collections.abc import Generator, Iterator
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import IO, Any, Final

import msgspec

from identity.identifiers import normal_identifier, normal_phone
from identity.models import IdentifierKind, Sex
from identity.population.groups import groups, listed_group
from identity.population.models import LINES_MAX, Line, Listing, ListKind, Reason, Unread
from kernel.pieces import LINE_BYTES_MAX, BrokenJsonError, Repeated, json_values, lines
from kernel.text import fold
from qr.card_texts import (
    ADDRESS_MAX,
    NAME_MAX,
    birth_date_of,
    day_of,
    number_reviews,
    person_name,
    plain_field,
)

_MARK: Final = "\ufeff"
_NO_UTF8: Final = re.compile(r"[\ud800-\udfff\x00]")
_HEADING: Final = re.compile(r"[^0-9a-z]+")
# A name as nearly all are; whatever else is there is looked at sign by sign (qr/card_texts.py).
_NAME: Final = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
_SPELLINGS: Final[dict[Sex, tuple[str, ...]]] = {
    "male": ("1", "male", "nam", "m"),
    "female": ("2", "female", "nu", "f"),
    "unknown": ("3", "unknown"),
}
_SEXES: Final = {text: sex for sex, texts in _SPELLINGS.items() for text in texts}
_ROLES: Final = {"head": "head", "member": "member", "chu ho": "head", "thanh vien": "member"}
_COMMUNE: Final = re.compile(r"[0-9A-Za-z]{1,10}")
_FACILITY: Final = re.compile(r"[0-9]{2}[0-9A-Z]{3}|[0-9]{13}")
_NUMBERS: Final[tuple[tuple[str, IdentifierKind], ...]] = (
    ("insurance_card", "insurance-card"),
    ("insurance_number", "insurance-number"),
    ("national_id", "national-id"),
)
_DAYS: Final = ("valid_from", "valid_until", "five_years")
_TEXTS: Final = {"household": 40, "relation": 40, "area": 10}
_NOTED_MAX: Final = 100
_WHO: Final = frozenset({name for name, _ in _NUMBERS} | {"full_name", "birth_date", "sex"})
_HOUSEHOLD: Final = frozenset({"household", "household_role", "relation"})
# What each list is there to say; another column is told and not read.
_READ: Final[dict[ListKind, frozenset[str]]] = {
    "residents": _WHO | _HOUSEHOLD | {"phone", "address", "commune", "groups"},
    "cards": _WHO | {*_DAYS, "initial_facility", "area"},
    "households": _WHO | _HOUSEHOLD,
}
_NEEDED: Final[dict[ListKind, tuple[str, ...]]] = {
    "residents": (),
    "cards": (),
    "households": ("household",),
}


class BadFileError(Exception):
    """The file as a whole cannot be read; its text is the reason's code and place."""


class _Shipped(msgspec.Struct, frozen=True):
    fields: dict[str, list[str]]


@cache
def _spellings(of: ListKind) -> dict[str, str]:
    raw = files(__package__).joinpath("columns.json").read_bytes()
    fields = msgspec.json.decode(raw, type=_Shipped).fields
    read = {name: texts for name, texts in fields.items() if name in _READ[of]}
    return {_plain(text): name for name, texts in read.items() for text in (name, *texts)}


def _plain(heading: str) -> str:
    return _HEADING.sub("", fold(heading))


class ListReader:
    """Reads a list. other: headings that are none of this list's, so that a report can say so."""

    def __init__(self, of: ListKind, today: date, lines_max: int = LINES_MAX) -> None:
        self.of, self.today, self.lines_max = of, today, lines_max
        self._names = _spellings(of)
        self._other: dict[str, None] = {}

    @property
    def other(self) -> list[str]:
        return list(self._other)

    def read(self, stream: IO[bytes]) -> Generator[Line | Unread, None, None]:
        """The lines of a file, its headings' line being line 1. Raises BadFileError before the first line."""
        head = stream.read(512).removeprefix(_MARK.encode()).lstrip()
        stream.seek(0)
        if not head:
            raise BadFileError("no-lines (file)")
        if head.startswith((b"[", b"{")):
            yield from self._of_json(stream, is_list=head.startswith(b"["))
        else:
            yield from self._of_csv(stream)

    def _of_csv(self, stream: IO[bytes]) -> Iterator[Line | Unread]:
        texts = lines(stream)
        heading = (next(texts, None) or "").removeprefix(_MARK).rstrip("\r\n")
        divider = ";" if heading.count(";") > heading.count(",") else ","
        names = self._named(_cells(heading, divider))
        width = len(names)
        for number, text in enumerate(texts, start=2):
            if number > self.lines_max:
                yield Unread(number, "refused", (Reason("too-many-lines", "line"),))
                return
            cells = None if text is None else _cells(text.rstrip("\r\n"), divider)
            if text is not None and _NO_UTF8.search(text):
                yield Unread(number, "refused", (Reason("bad-encoding", "line"),))
            elif cells is None:
                yield Unread(number, "refused", (Reason("bad-csv", "line"),))
            elif any(cells):
                if len(cells) != width and (len(cells) < width or any(cells[width:])):
                    yield Unread(number, "refused", (Reason("wrong-cell-count", "line"),))
                else:
                    yield self._line(number, dict(zip(names, cells, strict=False)))

    def _named(self, headings: list[str] | None) -> list[str]:
        """Our names of the columns; a name of nobody's for the others. Raises BadFileError."""
        if headings is None or _NO_UTF8.search("".join(headings)):
            raise BadFileError("bad-heading (line 1)")
        while headings and not headings[-1].strip():
            headings = headings[:-1]
        names = [self._names.get(_plain(heading), f"?{place}") for place, heading in enumerate(headings)]
        known = [name for name in names if not name.startswith("?")]
        if len(set(known)) != len(known):
            raise BadFileError("duplicate-column (line 1)")
        missing = [one for one in ("full_name", "birth_date", "sex", *_NEEDED[self.of]) if one not in known]
        if not any(name in known for name, _ in _NUMBERS):
            missing.append("national_id")
        if missing:
            raise BadFileError(f"missing-column ({', '.join(missing)})")
        for heading, name in zip(headings, names, strict=True):
            if name.startswith("?"):
                self._note(heading)
        return names

    def _note(self, heading: str) -> None:
        if len(self._other) < _NOTED_MAX:
            self._other[heading.strip()[:60]] = None

    def _of_json(self, stream: IO[bytes], *, is_list: bool) -> Iterator[Line | Unread]:
        number = 0
        try:
            for number, (value, length) in enumerate(json_values(stream, is_list=is_list), start=1):
                if number > self.lines_max:
                    yield Unread(number, "refused", (Reason("too-many-lines", "line"),))
                    return
                yield self._of_value(number, value, length)
        except BrokenJsonError:
            yield Unread(number + 1, "refused", (Reason("bad-json", "file"),))

    def _of_value(self, number: int, value: Any, length: int) -> Line | Unread:
        if length > LINE_BYTES_MAX:
            return Unread(number, "refused", (Reason("too-long", "line"),))
        if not isinstance(value, dict) or isinstance(value, Repeated):
            return Unread(number, "refused", (Reason("bad-type", "line"),))
        cells: dict[str, str] = {}
        for key, cell in value.items():
            name = self._names.get(_plain(key))
            if name is None:
                self._note(key)
            elif name in cells or not isinstance(cell, str | None):
                return Unread(number, "refused", (Reason("bad-type", name),))
            else:
                cells[name] = cell or ""
        if any(_NO_UTF8.search(cell) for cell in cells.values()):
            return Unread(number, "refused", (Reason("bad-encoding", "line"),))
        return self._line(number, cells)

    def _line(self, number: int, cells: dict[str, str]) -> Line | Unread:
        """The line of these cells, or what is wrong with it."""
        faults: list[Reason] = []
        numbers = _numbers(cells, faults)
        name, sex = _name(cells.get("full_name", "")), _sex(cells.get("sex", "").strip())
        born = _birth(cells.get("birth_date", "").strip())
        if name is None:
            faults.append(_missing_or_bad("full_name", cells))
        if sex is None:
            faults.append(_missing_or_bad("sex", cells))
        if born is None or _is_ahead(born, self.today):
            faults.append(
                Reason("future-date", "birth_date") if born else _missing_or_bad("birth_date", cells)
            )
        listing = self._listing(cells, numbers, faults)
        if faults or name is None or sex is None or born is None or listing is None:
            return Unread(number, "refused", tuple(faults))
        for kind, value in numbers:
            # A person may carry such a number all the same (vietnam.md §2): somebody looks, nothing is made.
            if kind == "national-id" and (found := number_reviews(value, born, _told(sex))):
                return Unread(number, "disagreeing", tuple(Reason(code, "national_id") for code in found))
        facts = msgspec.json.encode(listing).decode()
        item = listing.valid_from or "" if self.of == "cards" else ""
        rest = listing.address, listing.commune, listing.phone, facts, item, _notes(cells, listing)
        return Line(number, numbers, name, born, sex, *rest)

    def _listing(
        self, cells: dict[str, str], numbers: tuple[tuple[IdentifierKind, str], ...], faults: list[Reason]
    ) -> Listing | None:
        """What the list says besides; None with a fault in `faults`."""
        get = cells.get
        texts = {name: _text(name, longest, cells, faults) for name, longest in _TEXTS.items()}
        days = {name: _day(name, cells, faults) for name in _DAYS} if self.of == "cards" else {}
        if self.of == "cards":
            start, end = days["valid_from"], days["valid_until"]
            if start and end and end < start:
                faults.append(Reason("validity-reversed", "valid_until"))
        faults += [Reason("missing", name) for name in _NEEDED[self.of] if not texts[name]]
        if faults:
            return None
        commune, place = get("commune", "").strip(), get("initial_facility", "").strip().upper()
        card = next((value for kind, value in numbers if kind == "insurance-card"), None)
        return Listing(
            household=texts["household"],
            role=_ROLES.get(fold(get("household_role", ""))),
            relation=texts["relation"],
            address=plain_field(get("address", ""), ADDRESS_MAX) if get("address") else None,
            commune=commune if _COMMUNE.fullmatch(commune) else None,
            phone=normal_phone(get("phone", "")) if get("phone") else None,
            groups=_groups(get("groups", ""), card),
            valid_from=days.get("valid_from"),
            valid_until=days.get("valid_until"),
            five_years=days.get("five_years"),
            benefit=card[2] if card and self.of == "cards" else None,
            facility_code=place if self.of == "cards" and _FACILITY.fullmatch(place) else None,
            area=texts["area"],
        )


def _cells(text: str, divider: str) -> list[str] | None:
    """The cells of one line; None where a quote is not closed in it."""
    if '"' not in text:
        return text.split(divider)
    try:
        (row,) = csv.reader([text], delimiter=divider, strict=True)
    except (csv.Error, ValueError):
        return None
    return row


def _numbers(cells: dict[str, str], faults: list[Reason]) -> tuple[tuple[IdentifierKind, str], ...]:
    """The valid numbers, each once, in a fixed order. A card of 15 signs ends in its holder's own number
    (vietnam.md §2); ten digits in the column of the card are that number."""
    found: dict[tuple[IdentifierKind, str], None] = {}
    for name, kind in _NUMBERS:
        text = cells.get(name)
        if not text or not text.strip():
            continue
        if (value := normal_identifier(kind, text)) is not None:
            found[kind, value] = None
            if kind == "insurance-card":
                found["insurance-number", value[5:]] = None
        elif kind == "insurance-card" and (value := normal_identifier("insurance-number", text)):
            found["insurance-number", value] = None
        else:
            faults.append(Reason("bad-number", name))
    if not found and not faults:
        faults.append(Reason("no-number", "line"))
    if len([1 for kind, _ in found if kind == "insurance-number"]) > 1:
        faults.append(Reason("card-and-number-differ", "insurance_number"))
    return tuple(found) if len(found) < 2 else tuple(sorted(found))


@lru_cache(maxsize=65_536)
def _birth(text: str) -> str | None:
    return birth_date_of(text) or birth_date_of(_dashed(text))


@lru_cache(maxsize=256)
def _sex(text: str) -> Sex | None:
    return _SEXES.get(fold(text)) if len(text) <= 20 else None


@lru_cache(maxsize=4096)
def _is_ahead(born: str, today: date) -> bool:
    return born > today.isoformat()[: len(born)]


def _told(sex: Sex) -> Any:
    return None if sex == "unknown" else sex


def _name(text: str) -> str | None:
    line = unicodedata.normalize("NFC", text).strip()
    if len(line) <= NAME_MAX and _NAME.fullmatch(line):
        return line
    return person_name(text)


def _missing_or_bad(name: str, cells: dict[str, str]) -> Reason:
    return Reason("bad-value" if cells.get(name, "").strip() else "missing", name)


def _text(name: str, longest: int, cells: dict[str, str], faults: list[Reason]) -> str | None:
    text = cells.get(name)
    if not text:
        return None
    line = plain_field(text, longest)
    if line is None and text.strip() not in ("", "-"):
        faults.append(Reason("too-long", name))
    return line


def _day(name: str, cells: dict[str, str], faults: list[Reason]) -> str | None:
    text = cells.get(name, "").strip()
    if not text or text == "-":
        return None
    found = _day_of(text)
    if found is None:
        faults.append(Reason("bad-value", name))
    return found


@lru_cache(maxsize=65_536)
def _day_of(text: str) -> str | None:
    # XML1 writes yyyyMMdd.
    spelled = (
        f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if text.isdigit() and len(text) == 8 and text[:2] in ("19", "20", "21")
        else text
    )
    found = day_of(spelled) or day_of(text)
    return found.isoformat() if found else None


def _dashed(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == len("yyyyMMdd") else ""


@lru_cache(maxsize=4096)
def _groups_of(text: str) -> tuple[str, ...]:
    found = {key for part in re.split(r"[;,|]", text) if part.strip() and (key := listed_group(part))}
    return tuple(sorted(found))


def _groups(text: str, card: str | None) -> tuple[str, ...]:
    named = _groups_of(text) if text and len(text) <= 200 else ()
    by_card = groups().card_letters.get(card[:2]) if card else None
    return named if by_card is None or by_card in named else tuple(sorted((*named, by_card)))


def _notes(cells: dict[str, str], listing: Listing) -> tuple[Reason, ...]:
    """What is left out of a line that is taken: its sender should look at it."""
    found = []
    if listing.phone is None and cells.get("phone", "").strip():
        found.append(Reason("bad-value", "phone"))
    if listing.commune is None and cells.get("commune", "").strip():
        found.append(Reason("bad-value", "commune"))
    if listing.role is None and cells.get("household_role", "").strip():
        found.append(Reason("bad-value", "household_role"))
    if (text := cells.get("groups", "").strip()) and not _groups_of(text[:200]):
        found.append(Reason("unknown-group", "groups"))
    return tuple(found)
