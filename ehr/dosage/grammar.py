"""The official grammar of LIEU_DUNG and the prose that stands in its place (vietnam.md §6).

`<n> <unit>/lần * <k> lần/ngày * <d> ngày [<n·k> <unit>/ngày]`, `Sáng: 3 viên, Chiều: 2 viên [5 viên/ngày]`,
`12g * 1 thang * 5 ngày`, `[3 lọ/đợt]`. The number in brackets is a checksum. No clock time is made up.
"""

import html
import json
import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from ehr.dosage.models import Dose, Form, Meal, Slot, SlotDose

WORDS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))
TEXT_CHARACTERS_MAX: Final = 1_100

_SLOTS: Final[dict[str, Slot]] = {word: slot for slot, words in WORDS["slots"].items() for word in words}
_MEALS: Final[dict[str, Meal]] = {
    word: meal for meal in ("before", "after", "with") for word in WORDS[f"{meal}_meal"]
}


def _any_of(words: Any) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_N: Final = r"(\d{1,5}(?:[.,]\d{1,4})?(?: ?/ ?\d{1,2}(?![\d/]))?|\d{1,2} \d ?/ ?\d|nửa)"
_NO_UNIT: Final = "lần|ngày|sáng|trưa|chiều|tối|buổi|mỗi|vào|và|cách|trước|sau|khi|trong|nếu|lúc"
_UNIT: Final = rf"([^\W\d_]{{1,12}}(?: (?!{_NO_UNIT})[^\W\d_]{{1,12}})?)"
_MIXED: Final = re.compile(r"(\d{1,2}) (\d ?/ ?\d)")
_BRACKET: Final = re.compile(rf"\[ ?{_N} ?{_UNIT}? ?/ ?(ngày|đợt|thang|lần) ?\]")
_OFFICIAL: Final = re.compile(
    rf"{_N} ?{_UNIT} ?/ ?lần ?[*x×] ?(\d{{1,2}}) ?lần ?/ ?ngày ?[*x×] ?(\d{{1,3}}) ?ngày"
)
_HERBS: Final = re.compile(rf"{_N} ?(g|gam|gram|kg|mg) ?[*x×] ?\d{{1,2}} ?thang")
_PER: Final = (
    re.compile(rf"{_N} ?{_UNIT} ?/ ?(?:1 )?lần"),
    re.compile(rf"(?:mỗi lần|lần)(?: uống| dùng| tiêm| xịt| bôi| nhỏ| ngậm)? {_N} ?{_UNIT}"),
    re.compile(rf"{_N} ?{_UNIT} ?[*x×] ?\d{{1,2}} ?lần"),
    re.compile(rf"(?:uống|dùng|tiêm|xịt|nhỏ|ngậm|đặt|pha|hít|ngày) {_N} ?{_UNIT}"),
    re.compile(rf"^{_N} ?{_UNIT}"),
)
_TIMES: Final = (
    re.compile(r"(\d{1,2}) ?lần ?(?:/|mỗi|một|trong|1)? ?(?:1 |một )?ngày"),
    re.compile(r"ngày(?: uống| dùng| tiêm| xịt| bôi| nhỏ| ngậm)? (\d{1,2}) ?lần"),
    re.compile(r"[*x×] ?(\d{1,2}) ?lần"),
)
_DAYS: Final = re.compile(r"(?:[*x×]|trong(?: vòng)?|liền|đủ|thời gian) ?(\d{1,3}) ?ngày")
_HOURS: Final = re.compile(r"(?:cách nhau|cách|mỗi|sau mỗi) (\d{1,2}) ?(?:giờ|h|tiếng)\b")
_SLOT_WORD: Final = rf"\b({_any_of(_SLOTS)})\b"
_SLOT_AFTER: Final = re.compile(rf"{_SLOT_WORD} ?[:=-]? ?(?:uống |dùng |tiêm )?{_N} ?{_UNIT}")
_SLOT_BEFORE: Final = re.compile(rf"{_N} ?{_UNIT} ?(?:/ ?|vào |buổi |mỗi ){{0,2}}{_SLOT_WORD}")
_SLOT: Final = re.compile(_SLOT_WORD)
_NO_SLOT: Final = re.compile(_any_of(WORDS["not_a_slot"]))
_MEAL: Final = re.compile(rf"\b({_any_of(_MEALS)})")
_AS_NEEDED: Final = re.compile(rf"\b(?:khi|nếu|lúc)(?: bị| có| thấy| còn)? ({_any_of(WORDS['as_needed'])})\b")


@lru_cache(maxsize=4096)
def read_dose(dose: str, advice: str = "") -> Dose:
    """Read LIEU_DUNG; what it leaves open is looked for in CACH_DUNG (`advice`). Never raises."""
    first = _read(_plain(dose))
    if not advice:
        return first
    return _complete(first, _read(_plain(advice)))


def _plain(text: str) -> str:
    """Lower case, NFC, single blanks, entities resolved; more than LIEU_DUNG can hold is cut."""
    text = unicodedata.normalize("NFC", html.unescape(text[:TEXT_CHARACTERS_MAX])).lower()
    return " ".join(text.replace("µ", "μ").split()).strip(" .;,")


def _read(text: str) -> Dose:
    bracket = _BRACKET.search(text)
    body = _NO_SLOT.sub(" ", text if bracket is None else text[: bracket.start()] + text[bracket.end() :])
    official, herbs = _OFFICIAL.search(body), _HERBS.search(body)
    slots = _slots(body)
    needed = _AS_NEEDED.search(body)
    per, unit = _per(herbs, body, slots)
    day_total, course_total = _totals(bracket)
    dose = Dose(
        form=_form(body, herbs is not None, needed is not None, slots, official is not None),
        per=per,
        unit=unit or _slot_unit(body),
        times=_whole(_TIMES, body),
        days=_whole((_DAYS,), body),
        slots=slots,
        interval_hours=_whole((_HOURS,), body),
        meal=_meal(body),
        as_needed=needed is not None,
        as_needed_for=needed.group(1) if needed and needed.group(1) != "cần" else None,
        day_total=day_total,
        course_total=course_total,
    )
    if dose.form == "unclear" and dose != Dose(form="unclear"):
        dose = msgspec.structs.replace(dose, form="prose")
    return msgspec.structs.replace(dose, sum_agrees=_sum_agrees(dose))


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
    if first.form == "unclear":
        return advice
    slots = first.slots
    if not slots and first.times in (None, len(advice.slots)):
        slots = tuple(SlotDose(slot.slot) for slot in advice.slots)
    return msgspec.structs.replace(
        first,
        form="prn" if advice.as_needed and first.form != "yhct" else first.form,
        times=first.times if first.times is not None else advice.times,
        days=first.days if first.days is not None else advice.days,
        slots=slots,
        interval_hours=first.interval_hours or advice.interval_hours,
        meal=first.meal or advice.meal,
        as_needed=first.as_needed or advice.as_needed,
        as_needed_for=first.as_needed_for or advice.as_needed_for,
    )


def _number(text: str) -> Decimal | None:
    """`2`, `02`, `0,5`, `1/2`, `1 1/2` and `nửa` (a half); None where it cannot be an amount."""
    if text == "nửa":
        return Decimal("0.5")
    mixed = _MIXED.fullmatch(text)
    whole, rest = mixed.groups() if mixed else ("0", text)
    top, slash, bottom = rest.replace(" ", "").replace(",", ".").partition("/")
    value = Decimal(top)
    if slash:
        if Decimal(bottom) == 0:
            return None
        value = (value / Decimal(bottom)).quantize(Decimal("0.0001"))
    value += Decimal(whole)
    if value <= 0:
        return None
    value = value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _per(
    herbs: re.Match[str] | None, text: str, slots: tuple[SlotDose, ...]
) -> tuple[Decimal | None, str | None]:
    if herbs is not None:
        return _number(herbs.group(1)), herbs.group(2)
    if any(slot.amount is not None for slot in slots):
        return None, None
    for pattern in _PER:
        if (found := pattern.search(text)) and found.group(2) not in ("lần", "ngày", "giờ", "x", "thang"):
            return _number(found.group(1)), found.group(2)
    return None, None


def _slots(text: str) -> tuple[SlotDose, ...]:
    """The parts of the day in the order of the text, each once, with their amounts."""
    before = None if _SLOT_AFTER.search(text) else list(_SLOT_BEFORE.finditer(text))
    amounts: dict[Slot, Decimal | None] = {}
    if before:
        amounts = {_SLOTS[found.group(3)]: _number(found.group(1)) for found in before}
    for found in _SLOT_AFTER.finditer(text):
        amounts.setdefault(_SLOTS[found.group(1)], _number(found.group(2)))
    named = dict.fromkeys(_SLOTS[found.group(1)] for found in _SLOT.finditer(text))
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
    total = _number(bracket.group(1))
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
