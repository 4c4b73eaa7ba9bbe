"""One walk over a FHIR resource: what the gate, the labels and the checks need of it."""

import base64
import binascii
import math
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from ehr.intake.json_text import DEPTH_MAX
from ehr.intake.models import Reason

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


class Survey(Struct):
    """strings: every text (keys too). codes: (system, code). references: as written.
    unreadable: a text attachment that cannot be decoded. opaque: an attachment nobody can scan."""

    strings: set[str]
    codes: list[tuple[str, str]]
    references: list[str]
    reasons: list[Reason]
    unreadable: bool = False
    opaque: bool = False


def survey(doc: dict[str, Any], where: str) -> Survey:
    """Walk `doc` once. Problems found go to `reasons` with the element's place under `where`."""
    found = Survey(set(), [], [], [])
    stack: list[tuple[Any, int, str]] = [(doc, 1, where)]
    while stack:
        node, depth, place = stack.pop()
        if depth > DEPTH_MAX:
            found.reasons.append(Reason("too-deep", where))
            return found
        if type(node) is dict:
            _visit_object(node, depth, place, found, stack)
        else:
            for index, child in enumerate(node):
                kind = type(child)
                if kind is str:
                    found.strings.add(child)
                elif kind is dict or kind is list:
                    stack.append((child, depth + 1, f"{place}[{index}]"))
    return found


def _visit_object(
    node: dict[str, Any], depth: int, place: str, found: Survey, stack: list[tuple[Any, int, str]]
) -> None:
    found.strings.update(node)
    for key, value in node.items():
        kind = type(value)
        if kind is str:
            found.strings.add(value)
            if key in _DATE_KEYS or key.endswith(("Date", "DateTime", "Instant")):
                if not is_fhir_date(value):
                    found.reasons.append(Reason("bad-date", f"{place}.{key}"))
            elif key == "reference":
                found.references.append(value)
            elif key == "code":
                system = node.get("system", "")
                found.codes.append((system if type(system) is str else "", value))
        elif kind is dict or kind is list:
            stack.append((value, depth + 1, f"{place}.{key}"))
        allowed = _SHAPES.get(key)
        if allowed is not None and kind not in allowed:
            found.reasons.append(Reason("bad-type", f"{place}.{key}"))
        elif key == "valueQuantity":
            _check_quantity(value, f"{place}.{key}", found)
    if "data" in node:
        _read_attachment(node, found)


def _check_quantity(value: dict[str, Any], place: str, found: Survey) -> None:
    number = value.get("value")
    if number is None:
        return
    if type(number) not in (int, float) or not math.isfinite(number):
        found.reasons.append(Reason("bad-type", f"{place}.value"))


def _read_attachment(node: dict[str, Any], found: Survey) -> None:
    """Text inside an attachment is read like any text; what cannot be read is marked."""
    data, kind = node["data"], node.get("contentType")
    if not isinstance(data, str) or not isinstance(kind, str):
        return
    if not kind.lower().startswith(_TEXT_KINDS):
        found.opaque = True
        return
    try:
        found.strings.add(base64.b64decode("".join(data.split()), validate=True).decode("utf-8-sig"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        found.unreadable = True


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
