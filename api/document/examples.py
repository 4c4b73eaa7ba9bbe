"""An example on every body and parameter: mocks answer with them, readers and generators begin with them.

recorded.json holds what tests sent and got, one exchange per operation, with ids and secrets made evident
stand-ins (`make examples`, tests/support/picking.py). What stands there for no operation is made from the
schema: the same schema always gives the same example.
"""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

FORM: Final = "application/x-www-form-urlencoded"
JSON_TYPES: Final = ("application/json", "application/smart-health-card")
RECORDED: Final = Path(__file__).parent / "recorded.json"
SOME_ID: Final = "01985e2c-7a00-7abc-8def-0123456789ab"

# What a field of that name looks like; people and numbers are invented.
BY_NAME: Final[dict[str, Any]] = {
    "name": "Nguyễn Thị Hoa",
    "number": "079190000011",
    "phone": "0900000001",
    "pin": "284617",
    "username": "bs.an",
    "q": "gan",
    "birth_date": "1990-04-12",
    "facility_code": "79001",
    "code": "482913",
    "items": None,
    "next": None,
}
_ACT: Final = (
    b'{"nonce":"Example0Example0Example0","iat":1795226400,"exp":1795226520,"signature":"%s"}'
    % (b"Example0" * 11)[:86]
)
# What a parameter looks like when no test sent it: opaque texts, and those with a form of their own.
PARAMETERS: Final[dict[str, Any]] = {
    "Idempotency-Key": SOME_ID,
    "If-None-Match": '"Example0Example0"',
    "X-Step-Up": base64.urlsafe_b64encode(_ACT).rstrip(b"=").decode(),
    "cursor": "Example0Example0",
    "since": "Example0Example0",
    "after": "Example0Example0",
    "day": "2026-11-20",
    "month": "2026-10",
    "lat": 10.7769,
    "lon": 106.7009,
    "year": 2026,
    "zone": 420,
}
BY_FORMAT: Final = {
    "uuid": SOME_ID,
    "date": "2026-11-21",
    "date-time": "2026-11-21T02:00:00Z",
    "binary": "",
    "uri": "https://so-suc-khoe.example/",
}
# One of each form that a text may have to keep.
FORMS: Final = (
    "482913",
    "72",
    "2026-11-20",
    "2026-10",
    "08:00",
    "0900000001",
    "079190000011",
    "79001",
    "vi-du",
    "0123456789abcdef" * 2,
    "0123456789abcdef" * 4,
    "EXAMP2E3",
    "Example0" * 5 + "Exa",
    ("Example0" * 11)[:86],
)
DEPTH_MAX: Final = 8


def apply(document: dict[str, Any]) -> None:
    """Write them into every operation."""
    known = recorded()
    for operations in document["paths"].values():
        for operation in operations.values():
            exchange = known.get(operation["operationId"], {})
            operation["parameters"] = [
                {"example": _of_parameter(one, exchange.get("parameters", {}), document)} | one
                for one in operation.get("parameters", ())
            ]
            _show(operation.get("requestBody", {}), exchange, "request", document)
            for status, response in operation["responses"].items():
                _show(response, exchange if status < "300" else {}, "answer", document)


@cache
def recorded() -> dict[str, Any]:
    """Operation id → {parameters: {name: value}, request, answer}; each part only where there is one."""
    if not RECORDED.exists():
        return {}
    found: dict[str, Any] = msgspec.json.decode(RECORDED.read_bytes())
    return found


def is_json(media_type: str) -> bool:
    """One JSON value; a file of many (NDJSON) is text."""
    return media_type in JSON_TYPES or media_type.endswith("+json")


def has_fields(media_type: str) -> bool:
    """JSON or a form; the rest is one text."""
    return is_json(media_type) or media_type == FORM


def _show(body: dict[str, Any], exchange: dict[str, Any], part: str, document: dict[str, Any]) -> None:
    """Text and JSON get an example; what is bytes has none that a reader could read."""
    for media_type, media in body.get("content", {}).items():
        if "schema" not in media or "example" in media or "examples" in media:
            continue
        if part in exchange and has_fields(media_type) != isinstance(exchange[part], str):
            media["example"] = exchange[part]
        elif is_json(media_type):
            media["example"] = example_of(media["schema"], document)


def _of_parameter(parameter: dict[str, Any], sent: dict[str, Any], document: dict[str, Any]) -> Any:
    name, schema = parameter["name"], parameter["schema"]
    if name in sent:
        return sent[name]
    plain = schema.get("format") not in BY_FORMAT and "enum" not in schema and "default" not in schema
    if name in PARAMETERS and plain:
        return PARAMETERS[name]
    return example_of(schema, document, name)


def example_of(schema: dict[str, Any], document: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value the schema admits, in the shape a client will meet."""
    schema = _resolve(schema, document)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return example_of(_first_real(schema[key], document), document, name, depth)
    return _by_type(schema, document, name, depth)


def _by_type(schema: dict[str, Any], document: dict[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(k for k in kind if k != "null")
    if kind == "object":
        return _object(schema, document, depth)
    if kind == "array":
        shallow = depth < DEPTH_MAX and "items" in schema and schema.get("maxItems") != 0
        return [example_of(schema["items"], document, name, depth + 1)] if shallow else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return _text(schema, name) if kind == "string" else None


def _object(schema: dict[str, Any], document: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth >= DEPTH_MAX:
        return {}
    fields: dict[str, Any] = schema.get("properties", {})
    return {name: example_of(field, document, name, depth + 1) for name, field in fields.items()}


def _text(schema: dict[str, Any], name: str) -> str:
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    if "pattern" in schema:
        return next((text for text in FORMS if re.search(schema["pattern"], text)), "...")
    text = BY_NAME.get(name) or "..."
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    return str(text).ljust(shortest, "0")[:longest]


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _first_real(choices: list[dict[str, Any]], document: dict[str, Any]) -> dict[str, Any]:
    return next((c for c in choices if _resolve(c, document).get("type") != "null"), choices[0])
