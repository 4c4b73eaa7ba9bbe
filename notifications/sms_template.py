"""How a gateway wants an SMS: a JSON object in which strings name what is filled in. Pure.

The value is parsed first and filled in afterwards, leaf by leaf in one pass: no text can become a field, and
no text is read as a placeholder.
"""

import re
from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

Format = Literal["json", "form"]

TEMPLATE: Final = '{"to": "{phone}", "text": "{text}", "reference": "{reference}"}'
LENGTH_MAX: Final = 4000
# phone: +84…, phone_digits: 84…, reference: what a delivery report names, at most 34 characters.
NAMES: Final = frozenset({"phone", "phone_digits", "text", "reference"})
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class TemplateError(ValueError):
    """A template that makes no request; the text says why."""


class Template(Struct, frozen=True):
    """A checked template. A form has strings alone."""

    format: Format
    fields: dict[str, Any]

    @property
    def media_type(self) -> str:
        return "application/json" if self.format == "json" else "application/x-www-form-urlencoded"

    def body(self, *, phone: str, text: str, reference: str) -> bytes:
        """The request's body. phone: E.164."""
        values = {
            "phone": phone,
            "phone_digits": phone.removeprefix("+"),
            "text": text,
            "reference": reference,
        }
        filled = _filled(self.fields, values)
        return msgspec.json.encode(filled) if self.format == "json" else urlencode(filled).encode()


def read_template(text: str, format_: Format) -> Template:
    """A template as it stands in a setting. Raises TemplateError."""
    if len(text) > LENGTH_MAX:
        raise TemplateError(f"longer than {LENGTH_MAX} characters")
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise TemplateError("expected a JSON object") from None
    if format_ == "form" and not all(isinstance(value, str) for value in fields.values()):
        raise TemplateError("a form holds strings alone")
    named = _named(fields)
    if not named <= NAMES:
        raise TemplateError(f"unknown: {', '.join(sorted(named - NAMES))}")
    if "text" not in named or not named & {"phone", "phone_digits"}:
        raise TemplateError("{text} and {phone} or {phone_digits} must stand in it")
    return Template(format_, fields)


def _named(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(_PLACEHOLDER.findall(value))
    if isinstance(value, dict):
        return frozenset().union(*map(_named, value.values()))
    return frozenset().union(*map(_named, value)) if isinstance(value, list) else frozenset()


def _filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values[found[1]], value)
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    return [_filled(one, values) for one in value] if isinstance(value, list) else value


def at_path(value: object, path: str) -> str | None:
    """The text or number at a dotted path of an answer ('data.0.id'); None where there is none."""
    found = value_at(value, path)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None


def value_at(value: object, path: str) -> object:
    """What stands at a dotted path of an answer; None where nothing does."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
