"""The official grammar of LIEU_DUNG and the prose that stands in its place (vietnam.md §6).

`<n> <unit>/lần * <k> lần/ngày * <d> ngày [<n·k> <unit>/ngày]`, `Sáng: 3 viên, Chiều: 2 viên [5 viên/ngày]`,
`12g * 1 thang * 5 ngày`, `[3 lọ/đợt]`. The number in brackets is a checksum. No clock time is made up.
"""

import re
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from ehr.dosage.account import DAY_HOURS, is_accounted
from ehr.dosage.clock import read_clock
from ehr.dosage.models import Dose, Form, Meal, Slot, SlotDose, Stage
from ehr.dosage.numbers import NUMBER, number, tidy
from ehr.dosage.plain import WORDS, any_of, plain
from ehr.dosage.rhythm import DAYS_A_WEEK, Rhythm, read_rhythm
from ehr.dosage.stages import staged

_SLOTS: Final[dict[str, Slot]] = {word: slot for slot, words in WORDS["slots"].items() for word in words}
_MEALS: Final[dict[str, Meal]] = {
    word: meal for meal in ("before", "after", "with") for word in WORDS[f"{meal}_meal"]
}


_N: Final = rf"({NUMBER})"
_NO_UNIT: Final = (
    r"(?:lần|ngày|sáng|trưa|chiều|tối|buổi|mỗi|vào|và|cách|trước|sau|khi|trong|nếu|lúc|x|chia|với|trừ|duy|uống"
    r"|dùng|tiêm|đêm|rồi|thì)\b"
)
_NO_AMOUNT: Final = r"(?:phút|giờ|tiếng|ngày|tuần|tháng|lần|bữa|buổi|độ|h|x)\b"
_UNIT: Final = rf"((?!{_NO_AMOUNT})[^\W\d_]{{1,12}}(?: (?!{_NO_UNIT})[^\W\d_]{{1,12}})?)"
_BRACKET: Final = re.compile(rf"\[ ?{_N} ?{_UNIT}? ?/ ?(ngày|đợt|thang|lần) ?\]")
_OFFICIAL: Final = re.compile(
    rf"{_N} ?{_UNIT} ?/ ?lần ?[*x×] ?(\d{{1,2}}) ?lần ?/ ?ngày ?[*x×] ?(\d{{1,3}}) ?ngày"
)
_HERBS: Final = re.compile(rf"{_N} ?(g|gam|gram|kg|mg) ?[*x×] ?\d{{1,2}} ?thang")
_PER: Final = (
    re.compile(rf"{_N} ?{_UNIT} ?/ ?(?:1 )?lần"),
    re.compile(rf"(?:mỗi lần|lần)(?: uống| dùng| tiêm| xịt| bôi| nhỏ| ngậm)? {_N} ?{_UNIT}"),
    re.compile(rf"{_N} ?{_UNIT} ?[*x×] ?\d{{1,2}} ?lần"),
    re.compile(rf"(?:uống|dùng|tiêm|xịt|nhỏ|ngậm|đặt|pha|hít|ngày)(?: ,)? {_N} ?{_UNIT}"),
    re.compile(rf"(?:^|, ?){_N} ?{_UNIT}"),
)
_TIMES: Final = (
    re.compile(r"(\d{1,2}) ?lần ?(?:/|mỗi|một|trong|1)? ?(?:1 |một )?ngày"),
    re.compile(r"ngày(?: uống| dùng| tiêm| xịt| bôi| nhỏ| ngậm)? (\d{1,2}) ?lần"),
    re.compile(r"[*x×] ?(\d{1,2}) ?lần(?! ?/? ?tuần)"),
    re.compile(r"[*x×] ?(\d{1,2}) ?/ ?ngày"),
)
_ONCE: Final = (
    re.compile(rf"{_N} ?{_UNIT} ?(?:/|mỗi) ?(?:1 )?ngày"),
    re.compile(rf"(?<![*x×\d] )(?:mỗi |hằng |hàng |1 )?ngày (?:uống |dùng |tiêm |xịt |bôi )?{_N} ?{_UNIT}"),
)
_LONG: Final = re.compile(
    r"(?:[*x×]|trong(?: vòng)?|liên tục|liền|đủ|kéo dài|thời gian|(?<=,)|(?<=, )) ?"
    r"(\d{1,2}) ?(tuần|tháng)(?: lễ)?\b"
    r"(?! ?\d)(?! (?:uống|dùng|tiêm|bôi))"
)
_DAYS: Final = (
    re.compile(r"(?:[*x×]|trong(?: vòng)?|liên tục|liền|đủ|kéo dài|thời gian) ?(\d{1,3}) ?ngày"),
    re.compile(r"(?:^|, ?|\b(?:uống|dùng|tiêm|bôi) )(\d{1,3}) ngày(?= ?[,.;]|$)"),
)
_SHARED_OUT: Final = re.compile(r"\bchia(?: đều)?(?: ra| làm| thành)? (\d{1,2}) ?lần")
_HOURS: Final = re.compile(r"(?:cách nhau|cách|mỗi|sau mỗi) (\d{1,2}) ?(?:giờ|h|tiếng)\b")
_SLOT_WORD: Final = rf"\b({any_of(_SLOTS)})\b"
_SLOT_AFTER: Final = re.compile(rf"{_SLOT_WORD} ?[:=-]? ?(?:uống |dùng |tiêm )?{_N} ?{_UNIT}")
_SLOT_BEFORE: Final = re.compile(
    rf"{_N} ?{_UNIT} ?(?:/ ?|vào |buổi |mỗi ){{0,2}}"
    rf"(?:(?:ngay )?(?:trước|sau) (?:khi )?(?:bữa )?(?:ăn )?(?:bữa )?)?{_SLOT_WORD}"
)
_SLOT: Final = re.compile(_SLOT_WORD)
_MEAL: Final = re.compile(rf"\b({any_of(_MEALS)})")
_AS_NEEDED: Final = re.compile(rf"\b(?:khi|nếu|lúc)(?: bị| có| thấy| còn)? ({any_of(WORDS['as_needed'])})\b")


@lru_cache(maxsize=4096)
def read_dose(dose: str, advice: str = "") -> Dose:
    """Read LIEU_DUNG; what it leaves open is looked for in CACH_DUNG (`advice`). Never raises."""
    first = _read_text(dose)
    return _complete(first, _read_text(advice)) if advice else first


def _read_text(text: str) -> Dose:
    written = plain(text)
    stages = staged(written.text)
    dose = _read(written.text, written.has_most) if stages is None else _changing(stages, written.has_most)
    return replace(dose, is_range=written.is_range, is_amount_range=written.is_amount_range)


def _changing(stages: list[tuple[int | None, str]], has_most: bool) -> Dose:
    """A dose of several stages, each read by itself."""
    read = [(days, _read(body, has_most)) for days, body in stages]
    made = tuple(Stage(days or dose.days, dose) for days, dose in read)
    lengths = [stage.days for stage in made]
    known = [days for days in lengths if days is not None]
    return Dose(
        form="prose",
        unit=next((dose.unit for _, dose in read if dose.unit), None),
        days=sum(known) if len(known) == len(lengths) else None,
        as_needed=any(dose.as_needed for _, dose in read),
        stages=made,
        is_irregular=any(
            dose.is_irregular or dose.weekdays or None not in (days, dose.days) for days, dose in read
        )
        or any(_is_apart(before, dose) for (_, before), (_, dose) in pairwise(read)),
    )


def _is_apart(before: Dose, dose: Dose) -> bool:
    """`Sáng 1 viên, rồi tối 1 viên` is one day, or two stages: nobody knows."""
    parts = {slot.slot for slot in before.slots}, {slot.slot for slot in dose.slots}
    return all(parts) and parts[0].isdisjoint(parts[1])


def _read(text: str, has_most: bool) -> Dose:
    bracket = _BRACKET.search(text)
    whole = text if bracket is None else text[: bracket.start()] + text[bracket.end() :]
    official, herbs = _OFFICIAL.search(whole), _HERBS.search(whole)
    rhythm = read_rhythm(_LONG.sub(" ", whole))
    clock, body = read_clock(rhythm.rest)
    slots = _slots(body)
    needed = _AS_NEEDED.search(body)
    per, unit = _per(herbs, body, slots)
    day_total, course_total = _totals(bracket)
    dose = Dose(
        form=_form(body, herbs is not None, needed is not None, slots, official is not None),
        per=per,
        unit=unit or _slot_unit(body),
        times=_whole((*_TIMES, _SHARED_OUT), body),
        days=_whole(_DAYS, body) or _weeks(whole),
        slots=slots,
        interval_hours=_whole((_HOURS,), body),
        meal=_meal(body),
        as_needed=needed is not None,
        as_needed_for=needed.group(1) if needed and needed.group(1) != "cần" else None,
        day_total=day_total,
        course_total=course_total,
        every_days=rhythm.every_days,
        weekdays=rhythm.weekdays,
        clock=clock,
        is_irregular=rhythm.is_irregular,
    )
    dose = _with_rhythm(dose, rhythm, None if has_most else _once(body))
    if dose.form == "unclear" and dose != Dose(form="unclear"):
        dose = replace(dose, form="prose")
    dose = replace(dose, sum_agrees=_sum_agrees(dose))
    return dose if is_accounted(text, dose) else replace(dose, is_irregular=True)


def _with_rhythm(dose: Dose, rhythm: Rhythm, once: Decimal | None) -> Dose:
    """How often on such a day, where no other words say it. `2 lần/ngày` beside `2 ngày 1 lần` is neither."""
    said = dose.times or len(dose.slots) or len(dose.clock)
    has_days = rhythm.every_days is not None or bool(rhythm.weekdays)
    if rhythm.is_once and said not in (0, 1):
        return replace(dose, is_irregular=True)
    if said or dose.interval_hours or dose.as_needed or dose.form == "yhct":
        is_both = has_days and (dose.interval_hours is not None or dose.form == "official")
        return replace(dose, is_irregular=True) if is_both else dose
    if has_days:
        return replace(dose, times=1) if rhythm.is_once or dose.per is not None else dose
    return dose if once is None else replace(dose, times=1, per=once)


def _once(text: str) -> Decimal | None:
    """`1 viên/ngày`, `ngày 1 viên`: one piece a day, or a part of one, is taken at once (ours)."""
    for pattern in _ONCE:
        found = pattern.search(text)
        if found and found.group(2) in WORDS["once_a_day_units"]:
            amount = number(found.group(1))
            return amount if amount is not None and amount <= 1 else None
    return None


def _weeks(text: str) -> int | None:
    """A course in weeks; a month is no number of days."""
    found = _LONG.search(text)
    return int(found.group(1)) * DAYS_A_WEEK or None if found and found.group(2) == "tuần" else None


def _form(text: str, herbs: bool, needed: bool, slots: tuple[SlotDose, ...], official: bool) -> Form:
    if herbs or "thang" in text.split():
        return "yhct"
    if needed:
        return "prn"
    if official:
        return "official"
    if any(slot.amount is not None for slot in slots):
        return "slots"
    return "unclear"


def _complete(first: Dose, advice: Dose) -> Dose:
    """What the dose text leaves open, from the advice; where both speak, the dose text stands."""
    if first.form == "unclear" and not first.is_irregular:
        return advice
    slots = first.slots
    if not slots and first.times in (None, len(advice.slots)):
        slots = tuple(SlotDose(slot.slot) for slot in advice.slots)
    return replace(
        first,
        form="prn" if advice.as_needed and first.form != "yhct" else first.form,
        times=first.times if first.times is not None else advice.times,
        days=first.days if first.days is not None else advice.days,
        slots=slots,
        interval_hours=first.interval_hours or advice.interval_hours,
        meal=first.meal or advice.meal,
        as_needed=first.as_needed or advice.as_needed,
        as_needed_for=first.as_needed_for or advice.as_needed_for,
        every_days=first.every_days or advice.every_days,
        weekdays=first.weekdays or advice.weekdays,
        clock=first.clock or (() if slots else advice.clock),
        stages=first.stages or advice.stages,
        is_range=first.is_range or advice.is_range,
        is_amount_range=first.is_amount_range or advice.is_amount_range,
        is_irregular=_is_irregular(first, advice),
    )


def _is_irregular(first: Dose, advice: Dose) -> bool:
    """Also where one text names days, stages or hours that do not go with how often the other says it, or
    where both say one thing in two ways."""
    pairs = ((first, advice), (advice, first))
    says_days = advice.every_days is not None or bool(advice.weekdays)
    if says_days and first.every_days is None and not first.weekdays and (first.slots or first.clock):
        return True
    is_twofold = any(_is_apart_in_days(one, other) or _is_apart_in_hours(one, other) for one, other in pairs)
    return first.is_irregular or advice.is_irregular or is_twofold or _is_two_things(first, advice)


def _is_apart_in_days(one: Dose, other: Dose) -> bool:
    """Days or stages of one text beside a frequency or other days of the other."""
    says_often = (
        other.times is not None or bool(other.slots or other.clock) or other.interval_hours is not None
    )
    says_days = other.every_days is not None or bool(other.weekdays)
    if one.stages:
        return one.stages != other.stages and (says_often or says_days or bool(other.stages))
    if one.weekdays and other.every_days is not None:
        return True
    # A part of the day may stand apart from its day: `cách ngày`, and `uống sáng`.
    is_daily = other.times is not None or other.interval_hours is not None
    return (one.every_days is not None or bool(one.weekdays)) and is_daily and not says_days


def _is_apart_in_hours(one: Dose, other: Dose) -> bool:
    named = other.times or len(other.slots) or len(other.clock)
    return one.interval_hours is not None and named > 0 and named * one.interval_hours != DAY_HOURS


def _is_two_things(first: Dose, advice: Dose) -> bool:
    """Whether two texts of one line say how much, how often, when or how long in two ways."""
    said = (
        (_amounts(first), _amounts(advice)),
        (first.times or len(first.slots) or len(first.clock), advice.times),
        (first.times, len(advice.slots) or len(advice.clock)),
        ({slot.slot for slot in first.slots}, {slot.slot for slot in advice.slots}),
        (first.clock or first.slots, advice.clock),
        (first.interval_hours, advice.interval_hours),
        (first.every_days, advice.every_days),
        (first.weekdays, advice.weekdays),
        (first.meal, advice.meal),
        (first.days, advice.days),
    )
    return any(one and other and one != other for one, other in said)


def _amounts(dose: Dose) -> set[Decimal]:
    amounts = {slot.amount for slot in dose.slots if slot.amount is not None}
    return amounts | ({dose.per} if dose.per is not None else set())


def _per(
    herbs: re.Match[str] | None, text: str, slots: tuple[SlotDose, ...]
) -> tuple[Decimal | None, str | None]:
    if herbs is not None:
        return number(herbs.group(1)), herbs.group(2)
    if any(slot.amount is not None for slot in slots):
        return None, None
    for pattern in _PER:
        if (found := pattern.search(text)) and found.group(2) not in ("lần", "ngày", "giờ", "x", "thang"):
            return _shared_out(number(found.group(1)), text), found.group(2)
    return None, None


def _shared_out(amount: Decimal | None, text: str) -> Decimal | None:
    """`4 viên chia 2 lần`: two each time."""
    found = _SHARED_OUT.search(text)
    if amount is None or found is None:
        return amount
    count = int(found.group(1))
    return tidy(amount / count) if count else None


def _slots(text: str) -> tuple[SlotDose, ...]:
    """The parts of the day in the order of the text, each once, with their amounts."""
    before = None if _SLOT_AFTER.search(text) else list(_SLOT_BEFORE.finditer(text))
    amounts: dict[Slot, Decimal | None] = {}
    if before:
        amounts = {_SLOTS[found.group(3)]: number(found.group(1)) for found in before}
    for found in _SLOT_AFTER.finditer(text):
        amounts.setdefault(_SLOTS[found.group(1)], number(found.group(2)))
    named = dict.fromkeys(_SLOTS[found.group(1)] for found in _SLOT.finditer(text))
    if (
        len({"evening", "night"} & named.keys() & amounts.keys()) == 1
        and {"evening", "night"} <= named.keys()
    ):
        # `Tối 1 viên trước ngủ` is one time.
        evening = amounts.pop("evening", None)
        amounts["night"] = evening if evening is not None else amounts.get("night")
        del named["evening"]
    return tuple(SlotDose(slot, amounts.get(slot)) for slot in named)


def _slot_unit(text: str) -> str | None:
    after, before = _SLOT_AFTER.search(text), _SLOT_BEFORE.search(text)
    return after.group(3) if after else before.group(2) if before else None


def _whole(patterns: tuple[re.Pattern[str], ...], text: str) -> int | None:
    for pattern in patterns:
        if found := pattern.search(text):
            return int(found.group(1)) or None
    return None


def _meal(text: str) -> Meal | None:
    """Before, after or with meals; a text that says two of them says none to a clock."""
    said = {_MEALS[found.group(1)] for found in _MEAL.finditer(text)}
    return said.pop() if len(said) == 1 else None


def _totals(bracket: re.Match[str] | None) -> tuple[Decimal | None, Decimal | None]:
    if bracket is None:
        return None, None
    total = number(bracket.group(1))
    return (total, None) if bracket.group(3) == "ngày" else (None, total)


def _sum_agrees(dose: Dose) -> bool | None:
    total = dose.day_total if dose.day_total is not None else dose.course_total
    daily = daily_amount(dose)
    if total is None or daily is None:
        return None
    if dose.day_total is None:
        if dose.days is None:
            return None
        daily *= dose.days
    return abs(daily - total) <= Decimal("0.01")


def daily_amount(dose: Dose) -> Decimal | None:
    """What the text comes to in a day, without the number in brackets."""
    amounts = [slot.amount for slot in dose.slots if slot.amount is not None]
    if amounts and len(amounts) == len(dose.slots):
        return sum(amounts, Decimal(0))
    times = dose.times or (len(dose.slots) or None)
    return None if dose.per is None or times is None else dose.per * times
