"""From rows of the record to measurements: which codes, which units, taken how."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, TypeAlias

import msgspec

from ehr.growth.models import Position, Taken
from ehr.growth.policy import WEEKS_MAX, WEEKS_MIN
from ehr.growth.queries import MeasuredRow
from ehr.models import Item, Part

_What: TypeAlias = tuple[Literal["weight", "length", "head"], Position | None]
# LOINC. Body height says nothing of the position; 8306-3 is lying, 8308-9 standing.
_CODES: Final[dict[str, _What]] = {
    "29463-7": ("weight", None),
    "3141-9": ("weight", None),
    "8339-4": ("weight", None),
    "8302-2": ("length", None),
    "3137-7": ("length", None),
    "8306-3": ("length", "lying"),
    "8308-9": ("length", "standing"),
    "89269-5": ("length", "lying"),
    "9843-4": ("head", None),
    "8287-5": ("head", None),
}
# LOINC: gestational age, as estimated, from the last period, at birth.
_GESTATION: Final = frozenset({"18185-9", "11884-4", "11885-1", "76516-4"})
# QĐ 831 part B: the block of a birth, its sizes and whether it was early, which names no week. The person's
# own statement is one row with these as its parts (ehr/statements).
_OWN_BIRTH: Final = "TU-KHAI-TINHTRANG_LUCSINH"
_OWN_SIZES: Final[dict[str, _What]] = {
    "TINHTRANG_LUCSINH.CANNANG": ("weight", None),
    "TINHTRANG_LUCSINH.CHIEUDAI": ("length", "lying"),
}
_EARLY: Final = "TINHTRANG_LUCSINH.DETHIEUTHANG"
_YES: Final = "Có"
CODES: Final = [*_CODES, *sorted(_GESTATION), _OWN_BIRTH, _EARLY]
# In kilograms or centimetres.
_UNITS: Final = (
    {"kg": Decimal(1), "g": Decimal("0.001")},
    {
        "cm": Decimal(1),
        "m": Decimal(100),
        "mm": Decimal("0.1"),
    },
)
_WEEKS: Final = {"wk": 7, "tuần": 7, "weeks": 7, "week": 7, "d": 1, "ngày": 1}
_AT_BIRTH: Final = frozenset({"8339-4", "89269-5"})
# A later gestational age is that of the person's own pregnancy.
_ABOUT_BIRTH: Final = timedelta(days=60)

_item = msgspec.json.Decoder(Item).decode


def taken(rows: Iterable[MeasuredRow], born: date) -> list[Taken]:
    """The measurements, oldest first. Without a day, a number or a known unit there is nothing to compare."""
    found = [one for row in rows for one in _measured(_item(row.item), born)]
    return sorted(found, key=lambda one: (one.day, one.id))


def born_early(rows: Iterable[MeasuredRow]) -> bool:
    """Whether somebody wrote that the birth came early, without saying in which week."""
    for row in rows:
        item = _item(row.item)
        told = [(part.code, part.value) for part in item.parts] if item.code == _OWN_BIRTH else []
        if (_EARLY, _YES) in [*told, (item.code, item.value)]:
            return True
    return False


def gestational_days(rows: Iterable[MeasuredRow], born: date) -> int | None:
    """How long the pregnancy lasted that the person was born of; the newest record of it."""
    for row in rows:
        item = _item(row.item)
        days = _gestation(item, born) if item.code in _GESTATION else None
        if days is not None:
            return days
    return None


def _measured(item: Item, born: date) -> list[Taken]:
    if item.code != _OWN_BIRTH:
        day = born if _day(item) is None and item.code in _AT_BIRTH else _day(item)
        found = [_taken(item, item, _CODES.get(item.code or ""), day, born)]
    else:
        # Said on some later day, about the day of the birth.
        found = [_taken(item, part, _OWN_SIZES.get(part.code or ""), born, born) for part in item.parts]
    return [one for one in found if one is not None]


def _taken(item: Item, told: Item | Part, what: _What | None, day: date | None, born: date) -> Taken | None:
    number = _number(told)
    if what is None or day is None or number is None or day < born:
        return None
    kind, position = what
    factor = _UNITS[0 if kind == "weight" else 1].get((told.unit or "").strip())
    if factor is None:
        return None
    return Taken(
        id=item.id,
        kind=kind,
        day=day,
        value=number * factor,
        position=position,
        facility_name=item.facility_name,
        self_declared=item.self_declared,
    )


def _gestation(item: Item, born: date) -> int | None:
    day, number = _day(item), _number(item)
    if number is None or (day is not None and abs(day - born) > _ABOUT_BIRTH):
        return None
    factor = _WEEKS.get((item.unit or "wk").strip())
    days = None if factor is None else int(number * factor)
    return days if days is not None and WEEKS_MIN * 7 <= days <= WEEKS_MAX * 7 else None


def _day(item: Item) -> date | None:
    """The day as its source wrote it; a month alone is no day."""
    return date.fromisoformat(item.date[:10]) if item.date and len(item.date) >= 10 else None


def _number(told: Item | Part) -> Decimal | None:
    try:
        number = Decimal(told.value or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 < number < 1_000_000 else None
