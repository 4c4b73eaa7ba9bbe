"""The values of a filled-in form, read by its template: each as it will be stored, or why not."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from ehr.health_checks.templates import SIGN_OF, CheckForm, FormField, Place, places_of
from ehr.intake.episode import number, quantity
from ehr.intake.models import Reason
from ehr.rows.person import fhir_day
from ehr.views.checks import FORM_URN
from kernel.text import fold

_DECIMAL: Final = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,4})?")
_YES: Final = frozenset({"1", "co", "yes", "true", "x"})
_NO: Final = frozenset({"0", "khong", "no", "false"})


class Answer(Struct, frozen=True):
    """A field with its value. text: as it was written, a number with a point; value: FHIR's value[x]."""

    place: Place
    text: str
    value: dict[str, Any]


def read_values(form: CheckForm, values: Mapping[str, str], faults: list[Reason]) -> list[Answer]:
    """The answers in the form's order; what is wrong is added to `faults` under the field's name. A name that
    the form does not have is a fault of `values`: a sender's own words are not repeated."""
    places = {place.name: place for place in places_of(form)}
    if values.keys() - places.keys():
        faults.append(Reason("unknown-field", "values"))
    found: list[Answer] = []
    for name, place in places.items():
        text = values.get(name, "").strip()
        if not text:
            if place.field.is_required and place.number <= 1:
                faults.append(Reason("missing-field", name))
        elif isinstance(read := _read(place, text), str):
            faults.append(Reason(read, name))
        else:
            found.append(read)
    return found


def _read(place: Place, text: str) -> Answer | str:
    if len(text) > place.field.length_max:
        return "too-long"
    made = _READERS[place.field.type](place.field, text)
    return made if isinstance(made, str) else Answer(place, *made)


_Made = tuple[str, dict[str, Any]] | str


def _number(field: FormField, text: str) -> _Made:
    if _DECIMAL.fullmatch(text) is None:
        return "bad-number"
    text = number(text.replace(",", "."))
    bounds = field.plausible
    if bounds is not None and not bounds.low <= Decimal(text) <= bounds.high:
        return "implausible"
    sign = SIGN_OF.get(field.sign or "")
    if sign is not None:
        return text, sign.amount(text)
    return text, {"valueQuantity": quantity(text, field.unit)}


def _text(_field: FormField, text: str) -> _Made:
    return text, {"valueString": text}


def _yes_no(_field: FormField, text: str) -> _Made:
    said = fold(text)
    if said in _YES or said in _NO:
        return ("1" if said in _YES else "0"), {"valueBoolean": said in _YES}
    return "bad-code"


def _day(_field: FormField, text: str) -> _Made:
    day = fhir_day(text)
    return "bad-date" if day is None else (day, {"valueDate": day})


def _choice(field: FormField, text: str) -> _Made:
    found = next((one for one in field.choices if text == one.code or fold(text) == fold(one.title)), None)
    if found is None:
        return "bad-code"
    coding = {"system": f"{FORM_URN}{field.code}", "code": found.code, "display": found.title}
    return found.code, {"valueCoding": coding}


_READERS: Final[dict[str, Callable[[FormField, str], _Made]]] = {
    "number": _number,
    "text": _text,
    "yes-no": _yes_no,
    "date": _day,
    "choice": _choice,
}
