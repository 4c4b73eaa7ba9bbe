"""Lengths, ranges and formats of whatever has none of its own.

The code's own limits come first: Litestar writes those of an optional field beside its union, where no
generator looks, and leaves out those of a list's items (`from_code`).
"""

from collections.abc import Iterator
from typing import Any, Final

from litestar.openapi.spec import OpenAPIType, Reference, Schema
from msgspec import inspect

_OF_TYPE: Final = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "object": ("minProperties", "maxProperties"),
}
_COLLECTIONS: Final = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_TYPES: Final = (
    ((inspect.StrType, inspect.UUIDType, inspect.DateType, inspect.DateTimeType), OpenAPIType.STRING),
    ((inspect.IntType,), OpenAPIType.INTEGER),
    ((inspect.FloatType,), OpenAPIType.NUMBER),
    (_COLLECTIONS, OpenAPIType.ARRAY),
    ((inspect.DictType,), OpenAPIType.OBJECT),
)
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    for schema in schemas_in(document):
        _put_limits_inside(schema)
        _write_whole_numbers(schema)
    for parameter in _parameters(document):
        _drop_null(parameter["schema"])


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the document, outer ones first; examples are no schemas."""
    if isinstance(node, list):
        for child in node:
            yield from schemas_in(child)
    if not isinstance(node, dict):
        return
    if {"type", "oneOf", "anyOf", "allOf", "enum", "const"} & set(node):
        yield node
    for key, child in list(node.items()):
        if key not in ("example", "examples", "default", "enum", "const", "required"):
            yield from schemas_in(child)


def _parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from (found for found in operation.get("parameters", ()) if "schema" in found)


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema.get("oneOf") or schema.get("anyOf") or []
    return found


def _put_limits_inside(schema: dict[str, Any]) -> None:
    """`X | None` is written one way, and X carries its limits itself."""
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        schema["oneOf"] = schema.pop("anyOf")
    choices = _choices(schema)
    for name in {name for names in _OF_TYPE.values() for name in names} & set(schema) if choices else ():
        value = schema.pop(name)
        for choice in choices:
            if name in _OF_TYPE.get(str(choice.get("type")), ()):
                choice.setdefault(name, value)


def _write_whole_numbers(schema: dict[str, Any]) -> None:
    if schema.get("type") == "integer":
        for name in set(_BOUNDS) & set(schema):
            schema[name] = int(schema[name])


def _drop_null(schema: dict[str, Any]) -> None:
    """A parameter is there or it is not: no query says null."""
    real = [choice for choice in _choices(schema) if choice.get("type") != "null"]
    if len(real) == 1:
        schema.pop("oneOf", None)
        schema.pop("anyOf", None)
        schema.update(real[0])
    if schema.get("default", ...) is None:
        schema.pop("default")


def from_code(schema: Schema | Reference, found: inspect.Type) -> None:
    """Give the schema that Litestar made of a type the limits that the code holds it to, all the way in."""
    if isinstance(found, inspect.Metadata):
        found = found.type
    if not isinstance(schema, Schema):
        return
    if isinstance(found, inspect.UnionType):
        for choice in schema.one_of or ():
            for member in found.types:
                if isinstance(choice, Schema) and choice.type == _type_of(member):
                    from_code(choice, member)
        return
    if schema.one_of:
        return
    for name, value in _limits_of(found).items():
        if getattr(schema, name) is None:
            setattr(schema, name, value)
    inner = getattr(found, "item_type", None) or getattr(found, "value_type", None)
    holder = schema.items or schema.additional_properties
    if inner is not None and holder is not None and not isinstance(holder, bool):
        from_code(holder, inner)


def _type_of(found: inspect.Type) -> OpenAPIType | None:
    """The one JSON type of a value; None: another than those with limits."""
    if isinstance(found, inspect.Metadata):
        return _type_of(found.type)
    for kinds, name in _TYPES:
        if isinstance(found, kinds):
            return name
    return None


def _limits_of(found: inspect.Type) -> dict[str, Any]:
    """The limits of one type by the names of Litestar's Schema."""
    if isinstance(found, inspect.StrType):
        return _given(found, min_length="min_length", max_length="max_length", pattern="pattern")
    if isinstance(found, inspect.IntType | inspect.FloatType):
        bounds = {"minimum": "ge", "maximum": "le", "exclusive_minimum": "gt", "exclusive_maximum": "lt"}
        return _given(found, **bounds)
    if isinstance(found, _COLLECTIONS):
        return _given(found, min_items="min_length", max_items="max_length")
    if isinstance(found, inspect.DictType):
        return _given(found, min_properties="min_length", max_properties="max_length")
    return {}


def _given(found: inspect.Type, **names: str) -> dict[str, Any]:
    values = {name: getattr(found, own) for name, own in names.items()}
    return {name: value for name, value in values.items() if value is not None}
