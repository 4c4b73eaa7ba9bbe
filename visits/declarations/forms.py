"""Whether a form can be asked: every question once, every condition decidable, every limit of its own type.

Pure. What is found is said by linkId, never by value.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from msgspec import Struct

from visits.declarations.fhir import (
    AnswerOption,
    Coding,
    EnableWhen,
    Extension,
    Item,
    ItemType,
    Questionnaire,
    Value,
)

ITEMS_MAX: Final = 200
DEPTH_MAX: Final = 4
_ASKS_NOTHING: Final = frozenset({"group", "display"})
_ORDERED: Final = frozenset({"integer", "decimal", "date"})
_FIELDS: Final[dict[ItemType, str]] = {
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "string": "string",
    "text": "string",
    "choice": "coding",
}
_STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
_LIMITS: Final = (_STRUCTURE + "minValue", _STRUCTURE + "maxValue")
_KINDS: Final = ("boolean", "integer", "decimal", "date", "string", "coding")


class Limits(Struct, frozen=True):
    """None: no limit. Dates as FHIR writes them, which sort as they are."""

    low: int | float | str | None
    high: int | float | str | None


def walk(items: list[Item]) -> Iterator[Item]:
    """Every item, in the order in which a form shows them."""
    for one in items:
        yield one
        yield from walk(one.item)


def texts_of(form: Questionnaire) -> list[str]:
    """Everything of a form that says something: what people read, and the names of its codes."""
    said = [form.title, form.description]
    for one in walk(form.item):
        codings = [option.value_coding for option in one.answer_option]
        said += [one.text, *(text for c in codings for text in (c.display, c.code, c.system))]
    return [text for text in said if text]


def form_fault(form: Questionnaire) -> str | None:
    """The linkId of the first item that cannot be asked as it stands; None: the form holds together.
    `item` where the form as a whole is too long or too deep, or asks nothing."""
    items = list(walk(form.item))
    if len(items) > ITEMS_MAX or _depth(form.item) > DEPTH_MAX:
        return "item"
    if all(one.type in _ASKS_NOTHING for one in items):
        return "item"
    seen: dict[str, Item] = {}
    for one in items:
        if one.link_id in seen or not _holds(one) or not _is_decidable(one, seen):
            return one.link_id
        seen[one.link_id] = one
    return None


def limits_of(item: Item) -> Limits:
    """What FHIR's minValue and maxValue say of an answer."""
    found = {one.url: _limit(one, item.type) for one in item.extension}
    return Limits(*(found.get(url) for url in _LIMITS))


def field_of(item: Item) -> str:
    """The kind of value that answers an item: boolean, integer, decimal, date, string or coding."""
    return _FIELDS[item.type]


def is_day(text: str) -> bool:
    """Whether there is such a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def wanted_of(condition: EnableWhen) -> tuple[str, Value] | None:
    """The one value that a condition compares with, and its kind; None without one or with several."""
    given = [(kind, value) for kind in _KINDS if (value := getattr(condition, f"answer_{kind}")) is not None]
    return given[0] if len(given) == 1 else None


def option_of(item: Item, coding: Coding) -> Coding | None:
    """The form's own coding for a code, with the form's words."""
    wanted = coding.code, coding.system
    options = (one.value_coding for one in item.answer_option)
    return next((one for one in options if (one.code, one.system) == wanted), None)


def _depth(items: list[Item]) -> int:
    return 1 + max((_depth(one.item) for one in items), default=0) if items else 0


def _holds(item: Item) -> bool:
    """Whether an item has what its type needs, and nothing that its type has no use for."""
    if item.type in _ASKS_NOTHING:
        has_answers = item.required or item.repeats or item.max_length or item.answer_option or item.extension
        return not has_answers and (item.type == "group") == bool(item.item)
    if item.item or (item.max_length is not None and _FIELDS[item.type] != "string"):
        return False
    if (item.type == "choice") != bool(item.answer_option) or not _are_options(item.answer_option):
        return False
    return not item.extension or (item.type in _ORDERED and _are_limits(item))


def _are_options(options: list[AnswerOption]) -> bool:
    """Every code once and with words: an answer shows the form's own."""
    codes = [(one.value_coding.code, one.value_coding.system) for one in options]
    return len(set(codes)) == len(codes) and all(one.value_coding.display for one in options)


def _are_limits(item: Item) -> bool:
    urls = [one.url for one in item.extension]
    is_known = len(set(urls)) == len(urls) and set(urls) <= set(_LIMITS)
    if not is_known or any(_limit(one, item.type) is None for one in item.extension):
        return False
    limits = limits_of(item)
    return limits.low is None or limits.high is None or limits.low <= limits.high  # type: ignore[operator]


def _limit(one: Extension, kind: ItemType) -> int | float | str | None:
    """The value of the item's own type, where it is the only one."""
    values = {"integer": one.value_integer, "decimal": one.value_decimal, "date": one.value_date}
    given = {name: value for name, value in values.items() if value is not None}
    value = given.get(kind) if len(given) == 1 else None
    return None if isinstance(value, str) and not is_day(value) else value


def _is_decidable(item: Item, before: dict[str, Item]) -> bool:
    """Whether every condition asks about an earlier question, by a value that one can have. So no two
    conditions wait for each other."""
    if (len(item.enable_when) > 1) != (item.enable_behavior is not None):
        return False
    return all(_is_askable(one, before.get(one.question)) for one in item.enable_when)


def _is_askable(condition: EnableWhen, question: Item | None) -> bool:
    wanted = wanted_of(condition)
    if question is None or wanted is None or question.type in _ASKS_NOTHING:
        return False
    kind, value = wanted
    if condition.operator == "exists":
        return kind == "boolean"
    is_same = condition.operator in ("=", "!=")
    if kind != field_of(question) or (not is_same and question.type not in _ORDERED):
        return False
    if isinstance(value, Coding):
        return option_of(question, value) is not None
    return kind != "date" or is_day(str(value))
