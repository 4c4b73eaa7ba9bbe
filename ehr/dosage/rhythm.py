"""On which days: every so many, or days of the week. What of a rhythm is not understood makes a text
irregular: it is never read as a daily one.

Read as: `cách ngày`, `2 ngày 1 lần`, `1 lần/tuần`, `thứ 2, 4, 6`, `từ thứ 2 đến thứ 6`, `trừ chủ nhật`.
`Cách 2 ngày` is said of every second and of every third day and is not read (words ours and unconfirmed).
"""

import re
from typing import Final

from msgspec import Struct

from ehr.dosage.plain import WORDS, any_of

DAYS_A_WEEK: Final = 7
_DO: Final = r"(?:uống |dùng |tiêm |bôi |dán |đặt |xịt |thay )?"
_OTHER_DAY: Final = re.compile(r"\b(?:(?:mỗi |uống |dùng )?cách (?:1 )?ngày|ngày cách ngày|cách nhật)\b")
_NO_COURSE: Final = r"(?<!trong )(?<!đủ )(?<!liền )(?<![*x×/\d.,] )(?<![*x×/\d.,])"
# "Five days, once": further than three days it may be the course.
_DAYS: Final = (
    re.compile(rf"{_NO_COURSE}\b(?:mỗi |cứ )?([23]) ngày {_DO}1 lần(?! ?/)"),
    re.compile(r"\b1 lần ?(?:/|mỗi|trong) ?([23]) ngày\b"),
    re.compile(r"\b(?:mỗi |cứ )?([23]) ngày ?/ ?(?:1 )?lần\b"),
)
_WEEKS: Final = (
    re.compile(rf"\b(?:mỗi |cứ )?([1-4]?) ?tuần {_DO}1 lần(?! ?/)"),
    re.compile(r"\b1 lần ?(?:/|mỗi|trong|một)? ?([1-4]?) ?tuần\b"),
    re.compile(rf"\b(?:hằng|hàng|mỗi)()(?: 1)? tuần(?! ?\d)(?= {_DO}| ?,|$)"),
)
_TIMES_A_WEEK: Final = re.compile(
    rf"\b(?:(\d) lần ?(?:/|mỗi|trong|một|1)? ?tuần|(?:mỗi )?tuần {_DO}(\d) lần)\b"
)
_DAY_NAMES: Final = {"hai": 1, "ba": 2, "tư": 3, "năm": 4, "sáu": 5, "bảy": 6}
_NAME: Final = r"(?:hai|ba|tư|năm|sáu|bảy|[2-7])"
_NAMED: Final = rf"(?:thứ {_NAME}|t[2-7]|chủ nhật|cn)"
# Of `thứ 2, 4, 6` the later ones are digits alone, unless they count something.
_COUNTED: Final = rf"(?:{any_of([*WORDS['counted'], *WORDS['units'], 'h'])})\b"
_MORE: Final = rf"(?:{_NAMED}|{_NAME}(?!\d| ?/ ?\d|[.,]\d+ ?{_COUNTED}| ?{_COUNTED}))(?!\w)"
LISTED: Final = re.compile(
    r"(?<!ngày )(?<!tuần )(?<!lần )(?<!liều )(?<!mũi )(?<!\w)((?:trừ |nghỉ |từ )?)"
    r"(?:vào )?(?:(?:các|những) ngày |các )?"
    rf"({_NAMED}(?!\w)(?: ?(?:,? ?và|,|-|&|/|;|đến|tới) ?(?:ngày )?{_MORE})*)(?:(?: hàng| hằng| mỗi)? tuần)?"
)
_ONE_DAY: Final = re.compile(rf"(đến|tới|-)? ?(?:ngày )?(?:thứ )?(chủ nhật|cn|t[2-7]|{_NAME})(?!\w)")
_IRREGULAR: Final = re.compile("|".join(WORDS["irregular"]))
_CHOICE: Final = re.compile(
    r"\b(?:sáng|trưa|chiều|tối) (?:hoặc|hay)\b|\bhoặc (?:buổi )?(?:sáng|trưa|chiều|tối|trước)"
)


RHYTHMS: Final = (_OTHER_DAY, *_DAYS, *_WEEKS, _TIMES_A_WEEK)


class Rhythm(Struct, frozen=True, kw_only=True):
    """every_days: None where nothing says it; is_once: it says once on such a day. rest: the text without
    what was understood. is_irregular: the rest speaks of other days still."""

    every_days: int | None = None
    weekdays: tuple[int, ...] = ()
    is_once: bool = False
    rest: str = ""
    is_irregular: bool = False


def read_rhythm(text: str) -> Rhythm:
    """The days of a text in one spelling (plain.py)."""
    weekdays, rest, agrees = _weekdays(text)
    every, is_once, rest = _every(rest, bool(weekdays))
    is_irregular = not agrees or _IRREGULAR.search(rest) is not None or _CHOICE.search(rest) is not None
    return Rhythm(
        every_days=every,
        weekdays=weekdays,
        is_once=is_once,
        rest=rest.strip(" ,;"),
        is_irregular=is_irregular,
    )


def _every(text: str, has_weekdays: bool) -> tuple[int | None, bool, str]:
    """Every how many days, whether once on such a day, and the text without it."""
    if found := _OTHER_DAY.search(text):
        return 2, False, _without(text, found)
    for pattern in _DAYS:
        if found := pattern.search(text):
            return int(found.group(1)), True, _without(text, found)
    for pattern in _WEEKS:
        if found := pattern.search(text):
            weeks = int(found.group(1) or 1)
            if not has_weekdays:
                return weeks * DAYS_A_WEEK, True, _without(text, found)
            # Every second Monday is not kept: which week is the first is not known.
            return None, weeks == 1, _without(text, found) if weeks == 1 else text
    return None, False, text


def _without(text: str, found: re.Match[str]) -> str:
    """An amount beside it stays apart from what follows."""
    return f"{text[: found.start()]} , {text[found.end() :]}"


def _weekdays(text: str) -> tuple[tuple[int, ...], str, bool]:
    """The named days, the text without them, and whether `3 lần/tuần` names as many."""
    days: set[int] = set()
    while found := LISTED.search(text):
        named = named_days(found.group(2))
        except_them = found.group(1).strip() in ("trừ", "nghỉ")
        days |= set(range(1, DAYS_A_WEEK + 1)) - named if except_them else named
        text = _without(text, found)
    often = _TIMES_A_WEEK.search(text)
    count = int(often.group(1) or often.group(2)) if often else None
    if often is None or count == 1:
        return tuple(sorted(days)), text, True
    return tuple(sorted(days)), _without(text, often), count == len(days)


def named_days(text: str) -> set[int]:
    """The days of a list; `từ thứ 6 đến thứ 2` goes over the end of the week."""
    days: list[int] = []
    for found in _ONE_DAY.finditer(text):
        day = _day(found.group(2))
        while days and found.group(1) in ("đến", "tới") and days[-1] % DAYS_A_WEEK + 1 != day:
            days.append(days[-1] % DAYS_A_WEEK + 1)
        days.append(day)
    return set(days)


def _day(word: str) -> int:
    """Monday is `thứ 2`."""
    if word in ("chủ nhật", "cn"):
        return DAYS_A_WEEK
    word = word.removeprefix("t") if word[1:].isdigit() else word
    return _DAY_NAMES[word] if word in _DAY_NAMES else int(word) - 1
