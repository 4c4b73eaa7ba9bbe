"""One walk over a FHIR resource: what the gate, the labels and the checks need of it."""

import math
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct, field

from ehr.intake import hidden
from ehr.intake.json_text import DEPTH_MAX
from ehr.intake.models import Reason
from ehr.intake.splits import SHORT_PARTS

_DATE_KEYS = frozenset(
    [
        "birthDate",
        "date",
        "issued",
        "authoredOn",
        "started",
        "start",
        "end",
        "created",
        "sent",
        "received",
        "recorded",
        "timestamp",
        "lastUpdated",
    ]
)
_SHAPES: dict[str, tuple[type, ...]] = {
    "reference": (str,),
    "display": (str,),
    "system": (str,),
    "unit": (str,),
    "resourceType": (str,),
    "id": (str,),
    "status": (str,),
    "intent": (str,),
    "gender": (str,),
    "birthDate": (str,),
    "div": (str,),
    "text": (str, dict),
    "code": (str, dict, list),
    "coding": (list,),
    "identifier": (list, dict),
    "contained": (list,),
    "extension": (list,),
    "modifierExtension": (list,),
    "component": (list,),
    "referenceRange": (list,),
    "dosageInstruction": (list,),
    "result": (list,),
    "subject": (dict, list),
    "patient": (dict,),
    "encounter": (dict, list),
    "valueQuantity": (dict,),
    "valueCodeableConcept": (dict,),
    "medicationCodeableConcept": (dict,),
    "medicationReference": (dict,),
    "vaccineCode": (dict,),
    "valueString": (str,),
    "valueBoolean": (bool,),
    "valueInteger": (int,),
    "presentedForm": (list,),
    "content": (list, dict, str),
}
_TEXT_KINDS = ("text/", "application/json", "application/fhir+json", "application/xml", "application/xhtml")


_PART_MAX = 8
_LONG_DATA = 256
# Where people write; a unit "h" beside a route "IV" is no name in two halves.
_FREE = frozenset({"text", "display", "title", "description", "valueString", "conclusion", "comment", "name"})

# What only SampledData has, and always (FHIR R4 datatypes).
_SAMPLED = frozenset({"origin", "period", "dimensions"})


class Survey(Struct):
    """strings: every text (keys too). codes: (system, code). references: as written.
    unreadable: a text attachment that cannot be decoded. opaque: an attachment nobody can scan.
    parts: folded free texts that are but a part of a short name."""

    strings: set[str]
    codes: list[tuple[str, str]]
    references: list[str]
    reasons: list[Reason]
    unreadable: bool = False
    opaque: bool = False
    parts: set[str] = field(default_factory=set)


class _Rule(Struct, frozen=True):
    """What a key of that name must hold. role: how its text is used."""

    role: Literal["date", "reference", "code", "quantity", ""]
    allowed: tuple[type, ...] = ()


_NO_RULE = _Rule("")
_RULES: dict[str, _Rule] = {}
_RULES_MAX = 5000


def _rule_of(key: str) -> _Rule:
    """The rule of a key, worked out once; strange keys of strange files are not collected for ever."""
    role: Literal["date", "reference", "code", "quantity", ""] = ""
    if key in _DATE_KEYS or key.endswith(("Date", "DateTime", "Instant")):
        role = "date"
    elif key == "reference":
        role = "reference"
    elif key == "code":
        role = "code"
    elif key == "valueQuantity":
        role = "quantity"
    rule = _Rule(role, _SHAPES.get(key, ()))
    rule = _NO_RULE if rule == _NO_RULE else rule
    if len(_RULES) < _RULES_MAX:
        _RULES[key] = rule
    return rule


def survey(doc: dict[str, Any], where: str) -> Survey:
    """Walk `doc` once. Problems found go to `reasons` with the element's place under `where`."""
    found = Survey(set(), [], [], [])
    faults: list[tuple[str, Any, str]] = []
    level: list[Any] = [doc]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                _visit_object(node, found, below, faults)
            else:
                _visit_list(node, found, below)
        if not below:
            break
        level = below
    else:
        found.reasons.append(Reason("too-deep", where))
        return found
    if faults:
        found.reasons += [Reason(c, _place_of(doc, n, where) + f".{k}") for c, n, k in faults]
    return found


def _visit_list(node: list[Any], found: Survey, below: list[Any]) -> None:
    for child in node:
        kind = type(child)
        if kind is dict or kind is list:
            below.append(child)
        elif kind is str:
            found.strings.add(child)


def _visit_object(
    node: dict[str, Any], found: Survey, below: list[Any], faults: list[tuple[str, Any, str]]
) -> None:
    strings, rules = found.strings, _RULES
    strings.update(node)
    for key, value in node.items():
        kind = type(value)
        if kind is str:
            strings.add(value)
            if len(value) <= _PART_MAX and key in _FREE and value.strip().lower() in SHORT_PARTS:
                found.parts.add(value.strip().lower())
        elif kind is dict or kind is list:
            below.append(value)
        rule = rules.get(key) or _rule_of(key)
        if rule is _NO_RULE:
            continue
        if rule.allowed and kind not in rule.allowed:
            faults.append(("bad-type", node, key))
        elif kind is str:
            _note(rule, node, key, found, faults)
        elif rule.role == "quantity" and not _is_quantity(value):
            faults.append(("bad-type", value, "value"))
    if "data" in node:
        _read_attachment(node, found)
    elif "valueBase64Binary" in node:
        _read_attachment({"data": node["valueBase64Binary"]}, found)


def _note(
    rule: _Rule, node: dict[str, Any], key: str, found: Survey, faults: list[tuple[str, Any, str]]
) -> None:
    value: str = node[key]
    if rule.role == "date":
        if not is_fhir_date(value):
            faults.append(("bad-date", node, key))
    elif rule.role == "reference":
        found.references.append(value)
    elif rule.role == "code":
        system = node.get("system", "")
        found.codes.append((system if type(system) is str else "", value))


def _place_of(node: Any, wanted: Any, place: str) -> str:
    """Where the very object `wanted` stands; looked for only when something is wrong with it."""
    if node is wanted:
        return place
    steps = (
        [(f"{place}.{key}", child) for key, child in node.items()]
        if isinstance(node, dict)
        else [(f"{place}[{index}]", child) for index, child in enumerate(node)]
        if isinstance(node, list)
        else []
    )
    return next((found for step, child in steps if (found := _place_of(child, wanted, step))), "")


def _is_quantity(value: dict[str, Any]) -> bool:
    number = value.get("value")
    return number is None or (type(number) in (int, float) and math.isfinite(number))


def _read_attachment(node: dict[str, Any], found: Survey) -> None:
    """Text inside an attachment is read like any text, whatever it says it is; what cannot be read is marked.

    Sampled values (SampledData.data) are plain already.
    """
    data, kind = node["data"], node.get("contentType")
    if not isinstance(data, str) or (kind is None and node.keys() >= _SAMPLED):
        return
    says_text = isinstance(kind, str) and kind.strip().lower().startswith(_TEXT_KINDS)
    raw = hidden.decode(data)
    text = None if raw is None else hidden.as_text(raw)
    if text is not None:
        found.strings.add(text)
        found.strings.update(hidden.texts_inside(text))
    found.unreadable |= says_text and text is None
    found.opaque |= not says_text and (text is None or kind is not None)
    # Its letters mean nothing by themselves, and in a long one some spell a name by chance.
    if raw is not None and len(data) > _LONG_DATA:
        found.strings.discard(data)


@lru_cache(maxsize=10_000)
def is_fhir_date(text: str) -> bool:
    """YYYY, YYYY-MM, YYYY-MM-DD or an instant with a zone, all existing dates (FHIR R4 datatypes)."""
    size = len(text)
    if not text.isascii() or size > 40:
        return False
    try:
        if size <= 10:
            return _is_partial(text, size)
        if text[10] != "T":
            return False
        datetime.fromisoformat(text if "." not in text else _shorten_fraction(text))
    except ValueError:
        return False
    return text[0] in "12"


def _is_partial(text: str, size: int) -> bool:
    if size == 10:
        date.fromisoformat(text)
    elif size == 7:
        date.fromisoformat(text + "-01")
    elif size != 4 or not text.isdigit():
        return False
    return text[0] in "12"


def _shorten_fraction(text: str) -> str:
    head, tail = text.split(".", 1)
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{(tail[:digits] or 'x')[:6]}{tail[digits:]}"
