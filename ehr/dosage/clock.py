"""Clock times that a dose text names itself: `lúc 8 giờ và 20 giờ`, `8h sáng`, `6h - 14h - 22h`."""

import re
from datetime import time
from typing import Final

_PART: Final = "sáng|trưa|chiều|tối|đêm"
ONE: Final = re.compile(rf"(\d{{1,2}}) ?(?:h|giờ|:) ?([0-5]\d)?(?: ?phút)?(?: ({_PART}))?(?!\w)")
_AT: Final = rf"\d{{1,2}} ?(?:h|giờ|:) ?(?:[0-5]\d)?(?: ?phút)?(?: (?:{_PART}))?(?!\w)"
# "Every 8 hours", "1 hour before" are no clock times.
_NOT_AFTER: Final = "".join(
    f"(?<!{word} )" for word in ("cách", "nhau", "mỗi", "sau", "trước", "trong", "ăn", "ngủ")
)
ROW: Final = re.compile(
    rf"{_NOT_AFTER}(?<![\w/.,])(?:(lúc|vào) )?"
    rf"({_AT}(?: ?(?:,|và|;|-|&) ?(?:lúc )?{_AT})*)(?! ?(?:trước|sau))"
)
NOON: Final = 12
PAIR: Final = 2
_SPAN_HOURS: Final = 3
_DAY_HOURS: Final = 24
# From this hour on "tối" and "đêm" are before midnight.
_DUSK: Final = 5


def read_clock(text: str) -> tuple[tuple[time, ...], str]:
    """The times a text names, in order of the day, and the text without them."""
    for row in ROW.finditer(text):
        parts = list(ONE.finditer(row.group(2)))
        is_named = row.group(1) or len(parts) > 1 or all(part.group(3) for part in parts)
        hours = [_hour(int(part.group(1)), part.group(3)) for part in parts]
        if is_named and all(hour < _DAY_HOURS for hour in hours):
            if _is_span(row.group(2), hours):
                return (), text
            found = {time(hour, int(part.group(2) or 0)) for hour, part in zip(hours, parts, strict=True)}
            return tuple(sorted(found)), f"{text[: row.start()]} , {text[row.end() :]}"
    return (), text


def _is_span(row: str, hours: list[int]) -> bool:
    """`7h-8h` is some time between; `8h-20h` are two times."""
    return len(hours) == PAIR and "-" in row and abs(hours[1] - hours[0]) <= _SPAN_HOURS


def _hour(hour: int, part: str | None) -> int:
    """Three in the afternoon is 15."""
    if part == "đêm" and hour == NOON:
        return 0
    is_late = (
        part == "chiều" or (part in ("tối", "đêm") and hour >= _DUSK) or (part == "trưa" and hour < _DUSK)
    )
    return hour + NOON if is_late and hour < NOON else hour
