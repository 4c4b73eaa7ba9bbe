"""Whether the content of an HC1 certificate fits ehn-dcc-schema, in its own version (1.0.0 to 1.3.3).

The published JSON schemas, as rules: what changed between versions is a table here. Nothing of it refuses a
certificate unless the verifier is strict; the field does not keep to it (vaccination.md §4).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from msgspec import Struct

PARTS: Final = ("v", "t", "r")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(\.[0-9]+)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?\Z"
)
_VERSION: Final = re.compile(r"[0-9]+.[0-9]+.[0-9]+\Z")
_LATIN: Final = re.compile(r"[A-Z<]*\Z")
_COUNTRY: Final = re.compile(r"[A-Z]{1,10}")
_DOB_FULL: Final = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}\Z")
_DOB: Final = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}){0,2}\Z")
_DOB_OR_EMPTY: Final = re.compile(r"((19|20)[0-9]{2}(-[0-9]{2}){0,2})?\Z")


class Rules(Struct, frozen=True):
    """What a version of the schema asks. text_max: characters of a name, issuer or identifier."""

    birth_date: re.Pattern[str]
    text_max: int
    dose_max: int | None
    is_one_part: bool
    needs_centre: bool
    takes_given_name_alone: bool


_FIRST: Final = Rules(_DOB_FULL, 50, 9, False, True, False)
_PARTIAL_BIRTH: Final = Rules(_DOB, 50, 9, False, True, False)
_THIRD: Final = Rules(_DOB_OR_EMPTY, 80, None, True, False, False)
_LAST: Final = Rules(_DOB_OR_EMPTY, 80, None, True, False, True)
_BY_VERSION: Final[dict[str, Rules]] = {
    **dict.fromkeys(("1.0.0", "1.0.1"), _FIRST),
    **dict.fromkeys(("1.1.0", "1.2.0", "1.2.1"), _PARTIAL_BIRTH),
    **dict.fromkeys(("1.3.0", "1.3.1"), _THIRD),
    **dict.fromkeys(("1.3.2", "1.3.3"), _LAST),
}
# Of a version that is not known: the newest.
_NEWEST: Final = _LAST

_Check = Callable[[object, Rules], bool]


def faults(content: object) -> list[str]:
    """Where the content leaves the schema, as paths of field names (`v.dt`); none of them repeats a value."""
    if not isinstance(content, Mapping):
        return ["content"]
    version = content.get("ver")
    rules = _BY_VERSION.get(version, _NEWEST) if isinstance(version, str) else _NEWEST
    return list(_faults(content, rules))


def unknown_values(content: Mapping[Any, Any]) -> list[str]:
    """Fields with a code outside the value sets: unknown to us, which is no fault (vaccination.md §4)."""
    known = _value_sets()
    return [
        f"{part}.{field}"
        for part, entry in entries(content)
        for field, codes in known.items()
        if isinstance(code := entry.get(field), str) and code not in codes
    ]


def entries(content: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Each entry with its part: `v`, `t` or `r`."""
    for part in PARTS:
        listed = content.get(part)
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, Mapping):
                yield part, entry


def _faults(content: Mapping[Any, Any], rules: Rules) -> Iterator[str]:
    if not (isinstance(content.get("ver"), str) and _VERSION.match(content["ver"])):
        yield "ver"
    born = content.get("dob")
    if not (isinstance(born, str) and rules.birth_date.match(born)) or (
        rules.birth_date is _DOB_FULL and not _is_date(born, rules)
    ):
        yield "dob"
    yield from _name_faults(content.get("nam"), rules)
    yield from _part_faults(content, rules)


def _name_faults(name: object, rules: Rules) -> Iterator[str]:
    if not isinstance(name, Mapping):
        yield "nam"
        return
    if "fnt" not in name and not (rules.takes_given_name_alone and "gnt" in name):
        yield "nam.fnt"
    for field in ("fn", "gn", "fnt", "gnt"):
        check = _is_latin if field.endswith("t") else _is_text
        if field in name and not check(name[field], rules):
            yield f"nam.{field}"


def _part_faults(content: Mapping[Any, Any], rules: Rules) -> Iterator[str]:
    there = [part for part in PARTS if part in content]
    # Before 1.3.0 the schema leaves this to the text of the specification, which wants the same.
    if len(there) != 1:
        yield "parts"
    for part in there:
        listed = content[part]
        if not isinstance(listed, list) or len(listed) != 1:
            yield part
            continue
        (entry,) = listed
        if not isinstance(entry, Mapping):
            yield part
            continue
        yield from _entry_faults(part, entry, rules)


def _entry_faults(part: str, entry: Mapping[Any, Any], rules: Rules) -> Iterator[str]:
    for field, check in _FIELDS[part].items():
        if field not in entry:
            if field not in _OPTIONAL[part] or (field == "tc" and rules.needs_centre):
                yield f"{part}.{field}"
        elif not check(entry[field], rules):
            yield f"{part}.{field}"


def _is_text(value: object, rules: Rules) -> bool:
    return isinstance(value, str) and len(value) <= rules.text_max


def _is_any_text(value: object, _rules: Rules) -> bool:
    return isinstance(value, str)


def _is_latin(value: object, rules: Rules) -> bool:
    return isinstance(value, str) and len(value) <= rules.text_max and _LATIN.match(value) is not None


def _is_country(value: object, _rules: Rules) -> bool:
    return isinstance(value, str) and _COUNTRY.search(value) is not None


def _is_dose(value: object, rules: Rules) -> bool:
    """3.0 is an integer to a schema, as it is in the field."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return False
    return value >= 1 and (rules.dose_max is None or value <= rules.dose_max)


def _is_day(value: object, rules: Rules) -> bool:
    """A date; the field writes an instant too."""
    return _is_date(value, rules) or _is_date_time(value, rules)


def _is_date(value: object, _rules: Rules) -> bool:
    if not isinstance(value, str) or not _DATE.match(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_date_time(value: object, rules: Rules) -> bool:
    found = _DATE_TIME.match(value) if isinstance(value, str) else None
    if found is None or not _is_date(found[1], rules):
        return False
    return int(found[2]) < 24 and int(found[3]) < 60 and int(found[4]) <= 60


_COMMON: Final[dict[str, _Check]] = {"tg": _is_any_text, "co": _is_country, "is": _is_text, "ci": _is_text}
_FIELDS: Final[dict[str, dict[str, _Check]]] = {
    "v": {
        **_COMMON,
        **dict.fromkeys(("vp", "mp", "ma"), _is_any_text),
        **dict.fromkeys(("dn", "sd"), _is_dose),
        "dt": _is_day,
    },
    "t": {
        **_COMMON,
        **dict.fromkeys(("tt", "tr", "ma"), _is_any_text),
        **dict.fromkeys(("nm", "tc"), _is_text),
        "sc": _is_date_time,
    },
    "r": {**_COMMON, **dict.fromkeys(("fr", "df", "du"), _is_day)},
}
_OPTIONAL: Final[dict[str, tuple[str, ...]]] = {"v": (), "t": ("nm", "ma", "tc"), "r": ()}


@cache
def _value_sets() -> dict[str, frozenset[str]]:
    read = json.loads(files("vaccination.verify").joinpath("value_sets.json").read_bytes())
    return {field: frozenset(codes) for field, codes in read.items() if isinstance(codes, list)}
