"""Whether answers fit their form, question by question, and how they are kept. Pure.

Order: place in the form, then whether the question stood open (enableWhen), then whether it had to be
answered, then each value by type and limits. A question that was not open has no answer, as FHIR says.
"""

from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from visits.declarations.fhir import (
    STRING_MAX,
    TEXT_MAX,
    Answer,
    AnsweredItem,
    Coding,
    EnableWhen,
    Item,
    Questionnaire,
    QuestionnaireResponse,
    Value,
)
from visits.declarations.forms import field_of, is_day, limits_of, option_of, wanted_of

_KINDS: Final = ("boolean", "integer", "decimal", "date", "string", "coding")
Reason = Literal["unknown", "twice", "not-asked", "missing", "type", "limit", "not-an-option"]


class Fault(Struct, frozen=True):
    """The first thing that does not fit: at which linkId, and why."""

    link_id: str
    reason: Reason


class Said(Struct, frozen=True):
    """Words of an answer: which question they answer, and what is said."""

    link_id: str
    text: str


def fault_of(form: Questionnaire, response: QuestionnaireResponse) -> Fault | None:
    """None: every answer was asked for, and everything that had to be answered is."""
    return _Reading().fault_in(form.item, response.item, is_open=True)


def kept(form: Questionnaire, response: QuestionnaireResponse) -> list[AnsweredItem]:
    """Answers that fit, in the form's order and with the form's own words for questions and codes: no text of
    whoever sent them stands where a reader looks for the form's."""
    return _kept(form.item, response.item)


def words_in(response: QuestionnaireResponse) -> list[Said]:
    """Every free text that was sent, a coding's display among them: what the gate has to hear."""
    found: list[Said] = []
    _collect(response.item, found)
    return found


class _Reading:
    """Reads answers beside their form from the top, so that a condition finds what was answered before."""

    def __init__(self) -> None:
        self._values: dict[str, list[Value]] = {}

    def fault_in(self, asked: list[Item], given: list[AnsweredItem], *, is_open: bool) -> Fault | None:
        known = {one.link_id for one in asked}
        by_id: dict[str, AnsweredItem] = {}
        for one in given:
            if one.link_id not in known:
                return Fault(one.link_id, "unknown")
            if one.link_id in by_id:
                return Fault(one.link_id, "twice")
            by_id[one.link_id] = one
        for item in asked:
            fault = self._fault_at(item, by_id.get(item.link_id), is_open and self._opens(item))
            if fault is not None:
                return fault
        return None

    def _fault_at(self, item: Item, given: AnsweredItem | None, is_open: bool) -> Fault | None:
        if given is not None and (not is_open or item.type == "display"):
            return Fault(item.link_id, "not-asked")
        answers, inside = (given.answer, given.item) if given is not None else ([], [])
        if item.type == "group":
            if answers:
                return Fault(item.link_id, "type")
            return self.fault_in(item.item, inside, is_open=is_open)
        if inside:
            return Fault(inside[0].link_id, "unknown")
        if answers:
            return self._fault_of_values(item, answers)
        return Fault(item.link_id, "missing") if item.required and is_open else None

    def _fault_of_values(self, item: Item, answers: list[Answer]) -> Fault | None:
        if len(answers) > 1 and not item.repeats:
            return Fault(item.link_id, "twice")
        values = [_value_of(item, one) for one in answers]
        if None in values:
            return Fault(item.link_id, "type")
        whole = [value for value in values if value is not None]
        for value in whole:
            if isinstance(value, Coding):
                if option_of(item, value) is None:
                    return Fault(item.link_id, "not-an-option")
            elif not _is_within(item, value):
                return Fault(item.link_id, "limit")
        if len(set(map(_plain, whole))) != len(whole):
            return Fault(item.link_id, "twice")
        self._values[item.link_id] = whole
        return None

    def _opens(self, item: Item) -> bool:
        met = [self._is_met(one) for one in item.enable_when]
        return not met or (any(met) if item.enable_behavior == "any" else all(met))

    def _is_met(self, condition: EnableWhen) -> bool:
        values = self._values.get(condition.question, [])
        wanted = wanted_of(condition)
        assert wanted is not None, "the form was checked when it was proposed"
        _, value = wanted
        if condition.operator == "exists":
            return bool(values) is value
        return any(_compares(condition.operator, _plain(one), _plain(value)) for one in values)


def _value_of(item: Item, answer: Answer) -> Value | None:
    """The value in the field of the item's type; None where it is not there, or not alone."""
    given = {kind: found for kind in _KINDS if (found := getattr(answer, f"value_{kind}")) is not None}
    value: Value | None = given.get(field_of(item)) if len(given) == 1 else None
    return value if item.type != "date" or is_day(str(value)) else None


def _is_within(item: Item, value: bool | int | float | str) -> bool:
    if item.type in ("string", "text"):
        longest = item.max_length or (STRING_MAX if item.type == "string" else TEXT_MAX)
        return len(str(value)) <= longest and bool(str(value).strip()) and _is_printable(item, str(value))
    limits = limits_of(item)
    # Both are of the item's type: the form was checked, and the value is.
    low = limits.low is None or value >= limits.low  # type: ignore[operator]
    return low and (limits.high is None or value <= limits.high)  # type: ignore[operator]


def _is_printable(item: Item, text: str) -> bool:
    """One line for a string; a text may have several. No other control characters (security.md S35)."""
    lines = text.replace("\r\n", "\n").split("\n") if item.type == "text" else [text]
    return all(line.isprintable() for line in lines)


def _plain(value: Value) -> bool | int | float | str | tuple[str, str | None]:
    return (value.code, value.system) if isinstance(value, Coding) else value


def _compares(operator: str, one: Any, other: Any) -> bool:
    """Both are values of the question's type (forms.py)."""
    if operator in ("=", "!="):
        return bool(one == other) is (operator == "=")
    return bool({">": gt, "<": lt, ">=": ge, "<=": le}[operator](one, other))


def _kept(asked: list[Item], given: list[AnsweredItem]) -> list[AnsweredItem]:
    by_id = {one.link_id: one for one in given}
    found = []
    for item in asked:
        one = by_id.get(item.link_id)
        if one is not None and (one.answer or one.item):
            answers = [_in_own_words(item, answer) for answer in one.answer]
            inside = _kept(item.item, one.item)
            found.append(AnsweredItem(link_id=item.link_id, text=item.text, answer=answers, item=inside))
    return [one for one in found if one.answer or one.item]


def _in_own_words(item: Item, answer: Answer) -> Answer:
    if answer.value_coding is None:
        return answer
    return replace(answer, value_coding=option_of(item, answer.value_coding))


def _collect(items: list[AnsweredItem], found: list[Said]) -> None:
    for one in items:
        found += [Said(one.link_id, one.text)] if one.text else []
        for answer in one.answer:
            coding = answer.value_coding
            said = answer.value_string, *((coding.display, coding.system, coding.code) if coding else ())
            found += [Said(one.link_id, text) for text in said if text]
        _collect(one.item, found)
