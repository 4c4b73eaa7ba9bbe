"""Whether every word of a dose text was understood: what is left over makes the text irregular.

The readers beside this file look for what they know and pass over the rest, and the rest may turn it round: a
negation, a condition, a second amount, a limit, other days. Here a text is taken apart from its beginning to
its end into elements; where one word belongs to none of them, or where the elements do not come to the dose
that was read, the person is asked. Harmless advice was taken out before (`harmless` of words.json, ours).
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from ehr.dosage.clock import ONE, ROW
from ehr.dosage.models import Dose
from ehr.dosage.numbers import NUMBER, number
from ehr.dosage.plain import LEAST, MOST, RANGE, WORDS, any_of
from ehr.dosage.rhythm import DAYS_A_WEEK, LISTED, RHYTHMS, named_days

_UNIT: Final = rf"(?:{any_of(WORDS['units'])})(?!\w)"
_VERB: Final = rf"(?:{any_of(WORDS['routes'])})(?!\w)"
_DO: Final = rf"(?:{_VERB} )?"
_SLOT: Final = rf"(?:{any_of([word for words in WORDS['slots'].values() for word in words])})(?!\w)"
_SLOT_OF: Final = {word: slot for slot, words in WORDS["slots"].items() for word in words}
_MEAL_OF: Final = {word: meal for meal in ("before", "after", "with") for word in WORDS[f"{meal}_meal"]}
_A_DAY: Final = r"(?:ngày|(?:mỗi|hằng|hàng|1|trong) ngày|trong 1 ngày)"
_END: Final = r"(?= ?(?:[,.;)\[]|-(?!\d)|$))"
_SPELL: Final = r"(?:lần|ngày|24 ?(?:h|giờ))"
_HALF_AN_HOUR: Final = r"(?:30 ?(?:phút|p|')|nửa giờ)"
_DEGREES: Final = r"(?: (?:trên|từ|>|>=|≥) ?3[789](?:[.,]\d)?(?: ?(?:độ c|độ|°c|oc|°))?(?: trở lên)?)?"

DAY_HOURS: Final = 24
_ROW_OF_DAYS: Final = 3
_EVERY: Final = re.compile(r"(?:sau )?mỗi")
_ONCE: Final = re.compile(r"\b1 lần")
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")

_ELEMENTS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("", r"[\s,.;:()]+|[-–](?!\d)"),
        # `1-0-1` says no part of a day.
        ("", r"^[0-9](?:-[0-9]){2,3}$"),
        ("bracket", rf"\[ ?{NUMBER} ?(?:{_UNIT})? ?/ ?(?:ngày|đợt|thang|lần) ?\]"),
        ("limit", rf"(?:ngày )?{MOST} ?{NUMBER} ?(?:{_UNIT}|lần)(?: ?(?:/|mỗi|trong) ?{_SPELL})?"),
        ("limit", rf"(?:cách nhau|cách) {LEAST} ?\d{{1,2}} ?(?:giờ|h|tiếng)(?!\w)"),
        ("span", rf"(?:cách nhau |cách |mỗi |sau mỗi )?{RANGE} (?:giờ|h|tiếng)(?!\w)"),
        ("span", rf"(?:ngày |[*x×] ?)?{_DO}{RANGE} lần(?: ?(?:/|mỗi|trong|1)? ?ngày)?"),
        ("herbs", rf"{NUMBER} ?(?:g|gam|gram|kg|mg) ?[*x×] ?\d{{1,2}} ?thang"),
        ("herbs", rf"(?:{_A_DAY} {_DO})?(?:1|một) thang(?: ?/ ?ngày)?"),
        ("times", r"(?:[*x×] ?)?(?P<times>\d{1,2}) ?lần ?(?:/|mỗi|một|trong|1)? ?(?:1 )?ngày"),
        ("times", rf"{_A_DAY},? {_DO}(?P<times2>\d{{1,2}}) ?lần(?! ?/ ?(?:tuần|tháng))(?!\w)"),
        ("times", r"[*x×] ?(?P<times3>\d{1,2}) ?lần(?! ?/? ?(?:tuần|tháng))(?! ?/)(?!\w)"),
        ("times", r"[*x×] ?(?P<times4>\d{1,2}) ?/ ?ngày"),
        ("shared", r"chia(?: đều)?(?: ra| làm| thành)? (?P<times5>\d{1,2}) ?lần(?: ?/ ?ngày)?"),
        ("shared", r"chia(?= (?:buổi )?(?:sáng|trưa|chiều|tối))"),
        ("interval", r"(?:cách nhau|cách|mỗi|sau mỗi) (?P<hours>\d{1,2}) ?(?:giờ|h|tiếng)(?!\w)"),
        (
            "course",
            r"(?:[*x×]|trong(?: vòng)?|liên tục|liền|đủ|kéo dài|thời gian)(?: trong)? ?"
            r"(?P<days>\d{1,3}) ?(?P<length>ngày|tuần)(?: lễ)?(?! ?/| ?\d)(?!\w)",
        ),
        ("course", rf"(?P<days2>\d{{1,3}}) (?P<length2>ngày|tuần){_END}"),
        ("day-amount", rf"{_A_DAY},? {_DO}(?P<amount>{NUMBER}) ?{_UNIT}(?! ?/ ?lần| ?[*x×] ?\d+ ?(?:lần|/))"),
        ("day-amount", rf"(?P<amount2>{NUMBER}) ?{_UNIT} ?(?:/|mỗi|1) ?(?:1 )?ngày"),
        ("amount", rf"(?:{_A_DAY},? )?(?:(?:mỗi|1) )?lần,? {_DO}(?P<amount3>{NUMBER}) ?{_UNIT}"),
        (
            "amount",
            rf"(?:{_A_DAY},? {_DO})?(?P<amount4>{NUMBER}) ?{_UNIT}"
            rf"(?: ?(?:/|mỗi) ?(?:1 )?lần(?!\w)| ?/ ?(?={_SLOT}))?",
        ),
        ("amount-range", rf"{RANGE} {_UNIT}(?: ?(?:/|mỗi) ?(?:1 )?lần)?"),
        ("weekdays", LISTED.pattern),
        *(("rhythm", rf"(?:[*x×] ?)?(?:{pattern.pattern})") for pattern in RHYTHMS),
        ("either-meal", r"trong hoặc (?:ngay )?sau (?:các )?bữa(?: ăn)?"),
        (
            "meal",
            rf"(?:{_HALF_AN_HOUR} )?(?:ngay )?(?P<meal>{any_of(_MEAL_OF)})(?: ăn)?(?: no)?"
            rf"(?: (?P<meal_slot>sáng|trưa|chiều|tối)(?!\w))?(?: chính)?(?: {_HALF_AN_HOUR})?(?!\w)",
        ),
        ("clock", ROW.pattern),
        ("bare", rf"(?P<bare>{_SLOT}) ?:? ?[1-9](?![.,]\d){_END}"),
        ("slot", rf"(?P<slot>{_SLOT})"),
        (
            "needed",
            rf"(?:chỉ )?{_DO}(?:khi|nếu|lúc)(?: bị| có| thấy| còn)? (?:{any_of(WORDS['as_needed'])})"
            rf"(?: nhiều| cao| nặng)?{_DEGREES}(?!\w)",
        ),
        ("", rf"ngày(?=,? (?:{_VERB}|{_SLOT}|buổi))"),
        ("", rf"mỗi lần(?! ?\w)|{_VERB}|(?:{any_of(WORDS['joins'])})(?!\w)"),
    )
)


class Element(Struct, frozen=True):
    """kind: as in the table above. value: its number, part of the day or meal. text: as it stands."""

    kind: str
    value: Decimal | int | str | None
    text: str


def is_accounted(text: str, dose: Dose) -> bool:
    """Whether `text` (plain.py, of one stage) consists of what was read of it in `dose` and nothing else."""
    found = _elements(text)
    return found is not None and all(rule(found, dose) for rule in _RULES)


def _elements(text: str) -> list[Element] | None:
    """The text from its beginning to its end; None where something in it is no element."""
    made: list[Element] = []
    at = 0
    while at < len(text):
        found = _next(text, at)
        if found is None:
            return None
        kind, match = found
        made += _made(kind, match) if kind else []
        at = match.end()
    return made


def _next(text: str, at: int) -> tuple[str, re.Match[str]] | None:
    for kind, pattern in _ELEMENTS:
        if (match := pattern.match(text, at)) and match.end() > at and _ends_a_word(text, match.end()):
            return kind, match
    return None


def _ends_a_word(text: str, end: int) -> bool:
    return end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())


def _made(kind: str, match: re.Match[str]) -> list[Element]:
    said = {name.rstrip("2345"): value for name, value in match.groupdict().items() if value is not None}
    text = match.group()
    if "meal" in said:
        meal = Element(kind, _MEAL_OF[said["meal"]], text)
        return [meal, Element("slot", _SLOT_OF[said["meal_slot"]], text)] if "meal_slot" in said else [meal]
    if "amount" in said:
        # `1.000` is a thousand to one writer and one to another.
        value = None if _THOUSANDS.match(said["amount"]) else number(said["amount"])
        return [Element(kind, value, text)]
    if "bare" in said:
        return [Element(kind, None, text), Element("slot", _SLOT_OF[said["bare"]], text)]
    if "slot" in said:
        return [Element(kind, _SLOT_OF[said["slot"]], text)]
    if "days" in said:
        return [Element(kind, int(said["days"]) * (DAYS_A_WEEK if said["length"] == "tuần" else 1), text)]
    counted = said.get("times", said.get("hours"))
    return [Element(kind, None if counted is None else int(counted), text)]


def _of(found: Sequence[Element], *kinds: str) -> list[Element]:
    return [one for one in found if one.kind in kinds]


def _values(found: Sequence[Element], *kinds: str) -> set[Decimal | int | str | None]:
    return {one.value for one in _of(found, *kinds)}


def _days_agree(found: Sequence[Element], dose: Dose) -> bool:
    """One length at most, and the one that was read; no shorter than the time between two doses."""
    lengths = [one.value for one in _of(found, "course")]
    if len(lengths) > 1 or dose.days != (lengths[0] if lengths else None):
        return False
    return dose.days is None or dose.every_days is None or dose.days >= dose.every_days


def _times_agree(found: Sequence[Element], dose: Dose) -> bool:
    said = _values(found, "times", "shared") - {None}
    if _of(found, "span") and (said or dose.times):
        return dose.is_range or dose.as_needed
    return dose.times == next(iter(said)) if len(said) == 1 else not said and dose.times in (None, 1)


def _hours_agree(found: Sequence[Element], dose: Dose) -> bool:
    said = _values(found, "interval")
    if len(said) > 1 or dose.interval_hours != next(iter(said), None):
        return False
    named = len(dose.slots) + len(dose.clock)
    if any(_EVERY.match(one.text) for one in _of(found, "interval")):
        # `3 lần/ngày, cách nhau 6 giờ` leaves the night out; `mỗi 6 giờ` does not.
        named = named or dose.times or 0
    return not said or not named or named * (dose.interval_hours or 0) == DAY_HOURS


def _weekdays_agree(found: Sequence[Element], dose: Dose) -> bool:
    """One list, and beside it one of days left out; of one amount. `T2-T6` are two days or five."""
    lists = [one.text.strip() for one in _of(found, "weekdays")]
    left_out = [text for text in lists if text.startswith(("trừ", "nghỉ"))]
    if len(lists) - len(left_out) > 1 or len(left_out) > 1 or bool(lists) != bool(dose.weekdays):
        return False
    # `T2-T6` are two days or five; `2-4-6` are three.
    if any("-" in text and (len(named_days(text)) < _ROW_OF_DAYS or "," in text) for text in lists):
        return False
    if not _joins_clearly(found, lists):
        return False
    # Days left out beside days named must be others.
    named = [named_days(text) for text in lists if text not in left_out]
    if left_out and named and named[0] != set(dose.weekdays):
        return False
    return not lists or len(_values(found, "amount", "day-amount")) <= 1


def _joins_clearly(found: Sequence[Element], lists: Sequence[str]) -> bool:
    """`1 viên x 2 lần/ngày, … vào thứ 7 hàng tuần` is Saturday twice, or every day and Saturday too. What is
    taken several times a day, or said to be daily, stands after its days, or on one side of them."""
    named = [one for one in _of(found, "weekdays") if one.text.strip() in lists]
    kept = [one for one in named if not one.text.strip().startswith(("trừ", "nghỉ"))]
    if not kept:
        return True
    at = list(found).index(kept[0])
    before, after = found[:at], found[at + 1 :]
    if _of(before, "times", "shared", "day-amount", "interval"):
        return False
    hours = sum(len(ONE.findall(one.text)) for one in _of(before, "clock"))
    parts, later = len(_of(before, "slot")), len(_of(after, "slot"))
    return parts <= 1 and hours <= 1 and not (parts and later)


def _rhythm_agrees(found: Sequence[Element], dose: Dose) -> bool:
    said, is_rhythmic = _of(found, "rhythm"), dose.every_days is not None or bool(dose.weekdays)
    if dose.every_days is not None and dose.weekdays:
        return False
    if len(dose.weekdays) > 1 and any(_ONCE.search(one.text) for one in said):
        return False
    if len(said) > 1 or (said and not is_rhythmic) or (dose.every_days is not None and not said):
        return False
    # "A day" and "every second day" in one text: which of them is the dose?
    return dose.every_days is None or not _of(found, "times", "interval", "day-amount")


def _slots_agree(found: Sequence[Element], dose: Dose) -> bool:
    named = _slots_of(found, dose)
    return len(named) == len(set(named)) and set(named) == {slot.slot for slot in dose.slots}


def _slots_of(found: Sequence[Element], dose: Dose) -> list[str]:
    """The parts of the day in the order of the text; `tối … trước ngủ` are one."""
    named = [str(one.value) for one in _of(found, "slot")]
    is_one = named.count("evening") == 1 and "evening" not in {slot.slot for slot in dose.slots}
    return [slot for slot in named if slot != "evening"] if is_one and "night" in named else named


def _amounts_agree(found: Sequence[Element], dose: Dose) -> bool:
    """One amount, or one beside each part of the day; none of nothing."""
    amounts = [one.value for one in _of(found, "amount", "day-amount")]
    if dose.form == "yhct":
        return len(amounts) == 0
    if None in amounts or (amounts and _of(found, "amount-range", "bare")):
        return False
    read = [slot.amount for slot in dose.slots if slot.amount is not None]
    if len(set(amounts)) <= 1:
        parts = max(len(dose.slots), len(dose.clock), dose.times or 0)
        is_shared = bool(_of(found, "shared"))
        if _of(found, "day-amount") and parts > 1 and not is_shared:
            return False
        return set(read) <= set(amounts) and (is_shared or dose.per is None or dose.per in amounts)
    return _is_side_by_side(found, dose)


def _is_side_by_side(found: Sequence[Element], dose: Dose) -> bool:
    """`Sáng 1 viên, tối 2 viên` or `1 viên sáng, 2 viên tối`, as it was read."""
    row = _of(found, "amount", "slot")
    names, amounts = _slots_of(found, dose), [one.value for one in _of(found, "amount")]
    if len(names) != len(amounts) or len(row) != 2 * len(names) or _of(found, "day-amount"):
        return False
    kinds = {(first.kind, second.kind) for first, second in zip(row[::2], row[1::2], strict=True)}
    return len(kinds) == 1 and dict(zip(names, amounts, strict=True)) == {
        slot.slot: slot.amount for slot in dose.slots
    }


def _meals_agree(found: Sequence[Element], dose: Dose) -> bool:
    said = _values(found, "meal")
    if _of(found, "either-meal"):
        return not said and dose.meal is None
    return len(said) <= 1 and dose.meal == next(iter(said), None)


def _clock_agrees(found: Sequence[Element], dose: Dose) -> bool:
    rows = _of(found, "clock")
    return len(rows) <= 1 and sum(len(ONE.findall(row.text)) for row in rows) == len(dose.clock)


def _need_agrees(found: Sequence[Element], dose: Dose) -> bool:
    """A limit belongs to what is taken on need; a condition beside several doses is of one of them."""
    if bool(_of(found, "needed")) != dose.as_needed:
        return False
    if not dose.as_needed:
        return not _of(found, "limit")
    return len(dose.slots) <= 1 and len(_of(found, "amount", "day-amount")) <= 1


_RULES: Final[tuple[Callable[[Sequence[Element], Dose], bool], ...]] = (
    _days_agree,
    _times_agree,
    _hours_agree,
    _weekdays_agree,
    _rhythm_agrees,
    _slots_agree,
    _amounts_agree,
    _meals_agree,
    _clock_agrees,
    _need_agrees,
)
