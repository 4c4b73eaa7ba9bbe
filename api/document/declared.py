"""Limits that the code declares with msgspec.Meta, in the words of the document.

Litestar leaves out those of a list's items, of an optional field and of a parameter.
"""

from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Reference, Schema
from msgspec import inspect

_COLLECTIONS: Final = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_TYPES: Final = (
    ((inspect.StrType, inspect.UUIDType, inspect.DateType, inspect.DateTimeType), OpenAPIType.STRING),
    ((inspect.IntType,), OpenAPIType.INTEGER),
    ((inspect.FloatType,), OpenAPIType.NUMBER),
    (_COLLECTIONS, OpenAPIType.ARRAY),
    ((inspect.DictType,), OpenAPIType.OBJECT),
)
_LIMITS: Final = ("minLength", "maxLength", "pattern", "minimum", "maximum")


def of_parameters(operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Give the operation's parameters the limits of the handler's own signature."""
    shown = {parameter["name"]: parameter["schema"] for parameter in operation.get("parameters", ())}
    for name, field in handler.parsed_fn_signature.parameters.items():
        schema = shown.get(getattr(field.kwarg_definition, "name", None) or name)
        if schema is None:
            continue
        if getattr(field.kwarg_definition, "ge", None) == 0:  # of an optional one, Litestar loses a nought
            schema.setdefault("minimum", 0)
        declared = msgspec.json.schema(field.raw)
        for one in (declared, *declared.get("anyOf", ())):
            for limit in _LIMITS:
                if limit in one:
                    schema.setdefault(limit, one[limit])


def of_struct_field(schema: Schema | Reference, found: inspect.Type) -> None:
    """Give the schema that Litestar made of a type the limits that the code holds it to, all the way in."""
    if isinstance(found, inspect.Metadata):
        found = found.type
    if not isinstance(schema, Schema):
        return
    if isinstance(found, inspect.UnionType):
        for choice in schema.one_of or ():
            for member in found.types:
                if isinstance(choice, Schema) and choice.type == _type_of(member):
                    of_struct_field(choice, member)
        return
    if schema.one_of:
        return
    for name, value in _limits_of(found).items():
        if getattr(schema, name) is None:
            setattr(schema, name, value)
    inner = getattr(found, "item_type", None) or getattr(found, "value_type", None)
    holder = schema.items or schema.additional_properties
    if inner is not None and holder is not None and not isinstance(holder, bool):
        of_struct_field(holder, inner)


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
