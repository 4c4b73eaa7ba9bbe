"""Examples for the document, made from a schema: the same schema always gives the same example."""

from typing import Any

# What a field of that name looks like; people and numbers are invented.
BY_NAME: dict[str, Any] = {
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
BY_FORMAT = {
    "uuid": "01985e2c-7a00-7abc-8def-0123456789ab",
    "date": "2026-11-21",
    "date-time": "2026-11-21T02:00:00Z",
    "binary": "",
    "uri": "https://so-suc-khoe.example/",
}
DEPTH_MAX = 8


def apply(document: dict[str, Any]) -> None:
    """An example on every JSON body that has none; mocks and readers need one."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                media = body.get("content", {}).get("application/json")
                if media and "schema" in media and "example" not in media and "examples" not in media:
                    media["example"] = example_of(media["schema"], document)


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
    text = BY_NAME.get(name) or "..."
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    return str(text).ljust(shortest, "0")[:longest]


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _first_real(choices: list[dict[str, Any]], document: dict[str, Any]) -> dict[str, Any]:
    return next((c for c in choices if _resolve(c, document).get("type") != "null"), choices[0])
