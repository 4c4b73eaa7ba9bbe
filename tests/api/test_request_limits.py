"""Requests say what the service takes: no ceiling of the document's own, and no field that is refused."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from api.document.limits import LIST_MAX, SAFE_MAX, TEXT_MAX
from api.pages.docs import served_document
from tests.test_house import OPEN_ENDED

DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
OUTER = {"maxLength": TEXT_MAX, "maxItems": LIST_MAX, "maxProperties": LIST_MAX, "maximum": SAFE_MAX}
# What really goes as far as the outermost ceiling.
FAR = {
    "embeddedLengthMax": "viewers ask for any number, which is cut to what is possible",
    "since": "numbers of the roots of the log, which grow for ever",
    "after": "numbers of the rows of a log, which grow for ever",
    "seq": "the same",
    "root": "numbers of roots",
    "application/xml": "a record as one HL7 CDA: as many bytes as a resource may have",
    "text/xml": "the same",
}


def sent() -> Iterator[tuple[str, Any]]:
    """Every schema that a request can carry, with the place it stands in."""
    left: list[tuple[str, Any]] = []
    for name, operation in OPERATIONS:
        left += [(f"{name} {one['name']}", one["schema"]) for one in operation.get("parameters", ())]
        content = operation.get("requestBody", {}).get("content", {})
        left += [(f"{name} {media_type}", media["schema"]) for media_type, media in content.items()]
    passed: set[str] = set()
    while left:
        place, schema = left.pop()
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in passed:
                passed.add(name)
                left.append((name, DOCUMENT["components"]["schemas"][name]))
            continue
        yield place, schema
        left += [(f"{place} {name}", field) for name, field in schema.get("properties", {}).items()]
        left += [(place, choice) for choice in schema.get("oneOf", ())]
        left += [(place, schema[key]) for key in ("items", "additionalProperties") if schema.get(key)]


SENT = [(place, schema) for place, schema in sent() if isinstance(schema, dict)]


def test_no_request_is_bounded_by_the_outermost_ceiling_alone() -> None:
    loose = {
        place for place, schema in SENT for limit, ceiling in OUTER.items() if schema.get(limit) == ceiling
    }
    assert {place for place in loose if place.split()[-1] not in FAR} == set()
    assert {place.split()[-1] for place in loose} == set(FAR), "one of FAR has a limit by now"


def test_every_number_that_is_sent_has_a_floor_of_its_own() -> None:
    assert [place for place, schema in SENT if schema.get("minimum", math.inf) == -SAFE_MAX] == []


def answered() -> set[str]:
    """The names of schemas that answers hold."""
    found: set[str] = set()
    left: list[Any] = [DOCUMENT["components"]["responses"]]
    left += [operation["responses"] for _, operation in OPERATIONS]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            left += node.values()
            name = str(node.get("$ref", "")).rpartition("schemas/")[2]
            if name in DOCUMENT["components"]["schemas"] and name not in found:
                found.add(name)
                left.append(DOCUMENT["components"]["schemas"][name])
    return found


def test_what_is_only_sent_is_closed_and_what_is_answered_is_open() -> None:
    """Unknown fields of a request are refused; of an answer they are to be left alone (policy.md)."""
    shared, schemas = answered(), DOCUMENT["components"]["schemas"]
    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    structs = {place for place, schema in SENT if place in schemas and schema.get("type") == "object"}
    assert closed & shared == set()
    assert structs - shared - closed == OPEN_ENDED | FORMS | BATCH


# Whatever a watch that is newer than the service adds must not cost the batch (docs/vitals.md).
BATCH = {"Batch", "Cursor", "Deletion", "MeasuringSource", "Sample", "Series", "Window"}
# OAuth has unknown parameters ignored (RFC 6749 section 3.2).
FORMS = {
    reference.rpartition("/")[2]
    for _, operation in OPERATIONS
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items()
    if media_type == "application/x-www-form-urlencoded" and (reference := media["schema"].get("$ref", ""))
}
