"""What of an answer may grow within a major version.

Apps read a value they do not know as "unknown" (mobile-contract/policy.md). openapi/compat.py lets an
enumeration grow in an answer only where the document said so beforehand: wherever there was a choice. A list
of one value is no choice but the version of a form, and stays as it is.

An answer also gains fields, so no object of one is closed. One that is only sent is: the service refuses a
field that it does not know, and mocks and generators should too.
"""

from typing import Any

MARK = "x-tolerate-unknown"


def apply(document: dict[str, Any]) -> None:
    """Mark every enumeration that an answer can hold, and leave its objects open."""
    passed: set[str] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status < "400":
                    for media in response.get("content", {}).values():
                        _mark(media.get("schema", {}), document, passed)


def _mark(schema: Any, document: dict[str, Any], passed: set[str]) -> None:
    if isinstance(schema, list):
        for part in schema:
            _mark(part, document, passed)
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in passed:
            passed.add(name)
            _mark(document["components"]["schemas"][name], document, passed)
        return
    if sum(value is not None for value in schema.get("enum", ())) > 1:
        schema[MARK] = True
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    for field in schema.get("properties", {}).values():
        _mark(field, document, passed)
    for keyword in ("items", "additionalProperties", "prefixItems", "oneOf", "anyOf", "allOf"):
        _mark(schema.get(keyword), document, passed)
