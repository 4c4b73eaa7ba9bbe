"""What an OpenAPI document says, whatever way it says it: the half of the gate that only reads."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TOLERATED = "x-tolerate-unknown"
EVERY_TYPE = frozenset({"string", "integer", "number", "boolean", "array", "object"})
PARTS = {"items": "[]", "additionalProperties": "{}", "propertyNames": "{name}"}
UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
CHOICES = ("oneOf", "anyOf", "allOf", "prefixItems")
JUDGED = frozenset(
    {
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "$ref",
        "discriminator",
        "default",
        "pattern",
        "format",
    }
    | {"nullable", *PARTS, *UPPER, *LOWER, *CHOICES}
)
# What is said of a schema and changes no value. A change of any keyword outside both sets counts as a break.
WORDS = frozenset({"title", "description", "example", "examples", "deprecated"})
# What is said around schemas, and the rest that changes nothing of what is sent.
TALK = {"summary", "description", "example", "links", "deprecated", "allowEmptyValue"}
ANYTHING: dict[str, Any] = {}
NOTHING: dict[str, Any] = {"type": []}

Variant = tuple[str, dict[str, Any]]


class Shape(NamedTuple):
    """A schema without references and combinators: variants with the names they go by ("" for one in place),
    of which null is kept apart (None: nothing is said of types at all)."""

    variants: list[Variant]
    nullable: bool | None
    discriminator: Any


class Document:
    """One document; the shape of each schema is found once, so that a recursive one has an end."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self.whole = whole
        self._shapes: dict[int, tuple[Any, Shape]] = {}  # keeps the node, so that its id stays its own

    def resolved(self, node: Any) -> Variant:
        """The name a node goes by and the thing itself. Raises ValueError when references lead in a ring."""
        name, target, passed = "", ANYTHING if node is True else NOTHING if node is False else node, set()
        while "$ref" in target:
            address = target["$ref"]
            if address in passed:
                raise ValueError(f"{address} leads to itself")
            passed.add(address)
            name, target = address.rpartition("/")[2], self.whole
            for step in address.removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
        return name, target

    def shape(self, node: Any) -> Shape:
        """What a schema admits."""
        name, schema = self.resolved(node)
        if id(schema) not in self._shapes:
            self._shapes[id(schema)] = schema, Shape([], False, None)  # if it is met again meanwhile
            self._shapes[id(schema)] = schema, self._made(schema)
        found = self._shapes[id(schema)][1]
        own = name if len(found.variants) == 1 else ""  # a union's name is not that of each of its kinds
        return found._replace(variants=[(inner or own, variant) for inner, variant in found.variants])

    def _made(self, schema: dict[str, Any]) -> Shape:
        parts = schema.get("allOf", ())
        if len(parts) == 1 and not schema.keys() & JUDGED - {"allOf"}:
            return self.shape(parts[0])
        schema = self._merged(schema)
        choices = schema.get("oneOf", schema.get("anyOf"))
        if choices is None:
            return plain(schema)
        beside = {key: schema[key] for key in schema.keys() & JUDGED - {"oneOf", "anyOf", "discriminator"}}
        shapes = [self.shape(choice) for choice in choices]
        variants = [
            (name, {**one, **beside} if beside else one) for shape in shapes for name, one in shape.variants
        ]
        return Shape(variants, any(shape.nullable for shape in shapes), schema.get("discriminator"))

    def _merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        """allOf as one schema: the fields and required names of all of them, and the narrowest limits."""
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema.get("allOf", ()):
            other = self._merged(self.resolved(part)[1])
            both = {key: min(whole[key], other[key]) for key in UPPER if key in whole and key in other}
            both |= {key: max(whole[key], other[key]) for key in LOWER if key in whole and key in other}
            if "properties" in other or "properties" in whole:
                both["properties"] = {**other.get("properties", {}), **whole.get("properties", {})}
                both["required"] = sorted({*whole.get("required", ()), *other.get("required", ())})
            if "enum" in whole and "enum" in other:
                both["enum"] = [value for value in whole["enum"] if value in other["enum"]]
            whole = {**other, **whole, **both}
        return whole

    def operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """("GET /v1/me", the operation with the parameters of its path and the security it inherits)."""
        for path, item in self.whole.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    shared = {"security": self.whole.get("security", [])}
                    shared |= {"servers": item["servers"]} if "servers" in item else {}
                    own = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                    yield f"{method.upper()} {path}", {**shared, **item[method], "parameters": own}

    def parameters(self, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """ "query limit" → parameter; names of headers are alike in any case."""
        found = (self.resolved(parameter)[1] for parameter in operation["parameters"])
        return {
            f"{one['in']} {one['name'].lower() if one['in'] == 'header' else one['name']}": one
            for one in found
        }

    def problems(self, operation: dict[str, Any]) -> dict[str, str]:
        """Problem code → the status it comes with, from the names of the examples."""
        return {
            code: status
            for status, response in operation["responses"].items()
            if status >= "400"
            for media in self.resolved(response)[1].get("content", {}).values()
            for code in media.get("examples", {})
        }


def plain(schema: dict[str, Any]) -> Shape:
    """The shape of a schema that combines no others."""
    kinds, values = types_of(schema), schema.get("enum")
    if kinds == {"null"}:
        return Shape([], True, None)
    nullable = schema.get("nullable", False) or ("null" in kinds and (values is None or None in values))
    free = kinds > EVERY_TYPE and values is None
    return Shape([("", schema)], None if free else nullable, schema.get("discriminator"))


def types_of(schema: dict[str, Any]) -> frozenset[str]:
    kind = schema.get("type")
    if kind is not None:
        return frozenset([kind] if isinstance(kind, str) else kind)
    if "properties" in schema or "additionalProperties" in schema:
        return frozenset({"object"})
    return frozenset({"array"}) if "items" in schema else EVERY_TYPE | {"null"}


def covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    return all(kind in wide or (kind == "integer" and "number" in wide) for kind in narrow - {"null"})


def values_of(schema: dict[str, Any]) -> list[Any] | None:
    """The values a schema lists, without null; None when it lists none."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else [value for value in values if value is not None]


def skeleton(whole: dict[str, Any]) -> dict[str, Any]:
    """A document without what people read: only what the gate compares."""
    components = whole.get("components", {})
    return {
        "openapi": whole["openapi"],
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
        "servers": whole.get("servers", []),
        "security": whole.get("security", []),
        "paths": {
            path: {key: _operation(value) if key in METHODS else _bones(value) for key, value in item.items()}
            for path, item in whole["paths"].items()
        },
        "components": {
            "schemas": {name: _schema(schema) for name, schema in components.get("schemas", {}).items()},
            **{
                kind: _bones(components[kind])
                for kind in ("responses", "headers", "parameters", "requestBodies", "securitySchemes")
                if kind in components
            },
        },
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept = ("operationId", "parameters", "requestBody", "responses", "security", "servers", "x-actors")
    return {"tags": operation.get("tags", [])[:1]} | {
        key: _bones(operation[key]) for key in kept if key in operation
    }


def _bones(node: Any) -> Any:
    """Everything around schemas; of an example only its name, which is a problem's code."""
    if isinstance(node, list):
        return [_bones(child) for child in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _bones(node[key]) for key in node.keys() - TALK - {"schema", "examples"}}
    if "schema" in node:
        kept["schema"] = _schema(node["schema"])
    if "examples" in node:
        kept["examples"] = {name: {} for name in node["examples"]}
    return kept


def _schema(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    kept = {key: node[key] for key in node if key == TOLERATED or (key not in WORDS and key[:2] != "x-")}
    for key in kept.keys() & {*PARTS, "not", "if", "then", "else", "contains"}:
        kept[key] = _schema(kept[key])
    for key in kept.keys() & {*CHOICES}:
        kept[key] = [_schema(choice) for choice in kept[key]]
    for key in kept.keys() & {"properties", "patternProperties", "$defs"}:
        kept[key] = {name: _schema(field) for name, field in kept[key].items()}
    return kept


def written(bones: dict[str, Any]) -> str:
    """A skeleton as JSON with a line for each operation and component, so that a difference can be read."""
    return _lines(bones, 3) + "\n"


def _lines(node: Any, depth: int) -> str:
    if depth == 0 or not isinstance(node, dict) or not node:
        return json.dumps(node, ensure_ascii=False, sort_keys=True)
    rows = [f"{json.dumps(key, ensure_ascii=False)}: {_lines(node[key], depth - 1)}" for key in sorted(node)]
    return "{\n" + ",\n".join(rows) + "\n}"
