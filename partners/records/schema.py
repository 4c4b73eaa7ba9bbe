"""The published JSON Schema (2020-12) of a partner's record, made of its Structs."""

from typing import Any, Final

import msgspec

from partners.records.models import SCHEMA_VERSION, Record

ADDRESS: Final = f"urn:vn:so-suc-khoe:partner-record:{SCHEMA_VERSION}"


def record_schema() -> dict[str, Any]:
    """What openapi/partner-record.schema.json says (`healthbook openapi` writes it).

    What is unknown is absent, so nothing is ever null; and nothing leaves that is not named here.
    """
    _, components = msgspec.json.schema_components([Record], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        "title": "Dữ liệu trao cho đối tác: bốn nhóm của QĐ 31/QĐ-BYT (2026)",
        "$ref": "#/$defs/Record",
        "$defs": {name: _strict(one) for name, one in sorted(components.items())},
    }


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _present(one) for name, one in schema["properties"].items()}
    text = " ".join(schema.get("description", "").split())
    return {**schema, "description": text, "properties": properties, "additionalProperties": False}


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """A field without `null`, which stands in our Structs for absent."""
    kept = {name: value for name, value in schema.items() if name != "default"}
    options = [one for one in kept.get("anyOf", []) if one != {"type": "null"}]
    if len(options) == 1:
        return {**{name: value for name, value in kept.items() if name != "anyOf"}, **options[0]}
    if "enum" in kept:
        kept["enum"] = [value for value in kept["enum"] if value is not None]
    return kept
