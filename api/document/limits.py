"""Lengths, ranges and formats of whatever has none of its own.

The limits that the code declares are there already (api/document/declared.py), only some stand where no
generator looks. A pattern and a format give the length that they have anyway. What is left has one of the
ceilings here, each of which something else holds: what is taken in at once, the size of a body or of a page.
"""

from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

from api.headers import TOKEN_MAX
from api.request import PARAMETER_MAX
from consent.links.policy import FILES_BYTES_MAX
from ehr.intake.fhir_bundle import ENTRIES_MAX, RESOURCE_BYTES_MAX
from kernel.paging import PAGE_MAX
from partners.oauth.forms import FORM_MAX
from store.blobs import BLOB_BYTES_MAX

# An integer that every reader of JSON keeps (RFC 7493 section 2.2), and what 32 bits hold.
SAFE_MAX: Final = 2**53 - 1
INT32_MAX: Final = 2**31 - 1
# Text in an answer came in with one resource, and a list with one bundle; what is typed has its own limits.
TEXT_MAX: Final = RESOURCE_BYTES_MAX
LIST_MAX: Final = ENTRIES_MAX
# RFC 3339 with a zone and microseconds at its longest.
LENGTHS: Final = {"uuid": 36, "date": 10, "date-time": 35, "binary": BLOB_BYTES_MAX}
# Texts of answers with a ceiling of their own: tokens, and files of a share link, sealed and written as text.
TEXTS: Final = {"access_token": TOKEN_MAX, "refresh_token": TOKEN_MAX, "embedded": 2 * FILES_BYTES_MAX}
FORM: Final = "application/x-www-form-urlencoded"

_OF_TYPE: Final = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "object": ("minProperties", "maxProperties"),
}
_LIMITS: Final = frozenset(limit for limits in _OF_TYPE.values() for limit in limits)
_SKIPPED: Final = frozenset({"example", "examples", "default", "enum", "const", "required"})


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    for _, schema in schemas_in(document):
        _put_limits_inside(schema)
        _write_tuple(schema)
        _write_constant(schema)
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _drop_null(parameter["schema"])
            _bound_text(parameter["schema"], PARAMETER_MAX)
    for name in _forms(document):
        for _, schema in schemas_in(document["components"]["schemas"][name]):
            _bound_text(schema, FORM_MAX)
    for name, schema in schemas_in(document):
        _bound(schema, name)


def schemas_in(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the document with the name of the property it belongs to, outer ones first."""
    if isinstance(node, list):
        for child in node:
            yield from schemas_in(child, name)
    if not isinstance(node, dict):
        return
    if {"type", "oneOf", "anyOf", "allOf", "enum", "const"} & set(node):
        yield name, node
    for property_name, child in list(node.get("properties", {}).items()):
        yield from schemas_in(child, property_name)
    for key, child in list(node.items()):
        if key != "properties" and key not in _SKIPPED:
            yield from schemas_in(child, name)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _forms(document: dict[str, Any]) -> set[str]:
    """The names of the schemas of bodies that are forms."""
    contents = (operation.get("requestBody", {}).get("content", {}) for operation in _operations(document))
    found = {content[FORM]["schema"].get("$ref", "") for content in contents if FORM in content}
    return {reference.rpartition("/")[2] for reference in found if reference}


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema.get("oneOf") or schema.get("anyOf") or []
    return found


def _put_limits_inside(schema: dict[str, Any]) -> None:
    """`X | None` is written one way, and X carries its limits itself."""
    if {"type": "null"} in schema.get("anyOf", ()):
        schema["oneOf"] = schema.pop("anyOf")
    choices = _choices(schema)
    for name in sorted(_LIMITS & set(schema)) if choices else ():
        value = schema.pop(name)
        for choice in choices:
            if name in _OF_TYPE.get(str(choice.get("type")), ()):
                choice.setdefault(name, value)


def _write_tuple(schema: dict[str, Any]) -> None:
    """A list of so many alike is a list: generators know no other tuples."""
    parts = schema.get("prefixItems", [])
    if schema.get("type") == "array" and parts and all(part == parts[0] for part in parts):
        del schema["prefixItems"]
        schema.update({"items": parts[0], "minItems": len(parts), "maxItems": len(parts)})


def _write_constant(schema: dict[str, Any]) -> None:
    """A constant number is a number within bounds: generators make a floating-point one of `const: 1`."""
    if type(schema.get("const")) is int:
        number = schema.pop("const")
        schema.update({"type": "integer", "minimum": number, "maximum": number})


def _drop_null(schema: dict[str, Any]) -> None:
    """A parameter is there or it is not: no query says null."""
    real = [choice for choice in _choices(schema) if choice.get("type") != "null"]
    if len(real) == 1:
        schema.pop("oneOf")
        schema.update(real[0])
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    if schema.get("default", ...) is None:
        del schema["default"]


def _bound(schema: dict[str, Any], name: str) -> None:
    kind = schema.get("type")
    if kind == "string":
        _bound_text(schema, TEXTS.get(name, TEXT_MAX))
    if kind == "integer":
        _bound_integer(schema)
    if kind == "array":
        schema.setdefault("maxItems", LIST_MAX)
    if kind == "object":
        _bound_object(schema)


def _bound_text(schema: dict[str, Any], longest: int) -> None:
    if schema.get("type") != "string" or {"maxLength", "enum", "const"} & set(schema):
        return
    if "pattern" in schema:
        shortest, width = _parser.parse(schema["pattern"]).getwidth()
        if width <= SAFE_MAX and width < _parser.MAXREPEAT:
            schema.setdefault("minLength", shortest)
            longest = width
    schema["maxLength"] = LENGTHS.get(schema.get("format", ""), longest)


def _bound_integer(schema: dict[str, Any]) -> None:
    for limit in set(_OF_TYPE["integer"]) & set(schema):
        schema[limit] = int(schema[limit])
    if "exclusiveMinimum" not in schema:
        schema.setdefault("minimum", -SAFE_MAX)
    if "exclusiveMaximum" not in schema:
        schema.setdefault("maximum", SAFE_MAX)
    furthest = max(abs(schema[limit]) for limit in _OF_TYPE["integer"][:4] if limit in schema)
    schema["format"] = "int32" if furthest <= INT32_MAX else "int64"


def _bound_object(schema: dict[str, Any]) -> None:
    """A page is as long as one may ask for; a map has as many keys as a list may have items."""
    fields = schema.get("properties", {})
    items = fields.get("items", {})
    if items.get("type") == "array" and {"next", "next_cursor"} & set(fields):
        items.setdefault("maxItems", PAGE_MAX)
    if isinstance(schema.get("additionalProperties"), dict):
        schema.setdefault("maxProperties", LIST_MAX)
