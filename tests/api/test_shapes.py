"""Names and defaults of the document that code generators turn into classes and members."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api.document import shapes
from api.pages.docs import served_document

DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def values(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from values(child, f"{path}/{key}")


def test_every_schema_has_a_name_of_its_own_that_does_not_move() -> None:
    """A name with a module in it is Litestar's way out of two classes of one name. Write it into
    api/document/shapes.py: the one that was there before keeps its name, or apps stop to compile."""
    assert [name for name in SCHEMAS if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


def test_no_two_schemas_differ_in_capitals_alone() -> None:
    """A generator writes one file for each, and not every disk tells `CoSign` from `Cosign`."""
    counted = Counter(name.lower() for name in SCHEMAS)
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_name_given_is_in_use() -> None:
    assert [new for new in shapes.NAMES.values() if new not in SCHEMAS] == []


def test_what_may_be_left_out_of_a_request_may_be_null_or_has_a_default() -> None:
    """Kotlin's serializer writes out what was left out: as its default, or as null."""

    def admits_null(schema: dict[str, Any]) -> bool:
        kinds = schema.get("type")
        return (
            not schema or "null" in (kinds or ()) or any(admits_null(one) for one in schema.get("oneOf", ()))
        )

    found = [
        f"{name}.{field}"
        for name in sorted(_sent())
        for field, schema in SCHEMAS[name].get("properties", {}).items()
        if field not in SCHEMAS[name].get("required", ())
        and "default" not in schema
        and not admits_null(schema)
    ]
    assert found == []


def test_no_default_is_an_object_with_members() -> None:
    """Generators write it into the source as it stands, which no compiler reads."""
    assert [
        path for path, node in values(SCHEMAS) if isinstance(node.get("default"), dict) and node["default"]
    ] == []


def test_every_member_of_an_enumeration_has_a_name_in_every_language() -> None:
    for path, node in values(SCHEMAS):
        found = node.get("x-enum-varnames") or [one for one in node.get("enum", ()) if one is not None]
        names = [re.sub(r"[^A-Za-z0-9]", "_", name) for name in found]
        assert all(re.match(r"[A-Za-z_]", name) for name in names), path
        assert len({name.lower() for name in names}) == len(names), path


@pytest.mark.parametrize(
    ("value", "name"),
    [("A", "A"), ("AB-", "AB_negative"), ("O+", "O_positive"), ("!=", "not_equals"), ("<=", "at_most")],
)
def test_a_member_is_named_by_what_its_signs_mean(value: str, name: str) -> None:
    schema = {"enum": ["x", "=", value, None]}
    document = {"components": {"schemas": {"One": schema}}, "paths": {}}
    shapes.apply(document)
    assert schema["x-enum-varnames"] == ["x", "equals", name]


def test_two_schemas_cannot_get_one_name() -> None:
    document: dict[str, Any] = {
        "components": {"schemas": {"ehr_models_Item": {}, "BookItem": {}}},
        "paths": {},
    }
    with pytest.raises(ValueError, match="BookItem"):
        shapes.apply(document)


def test_an_answer_without_a_body_has_none_in_the_document() -> None:
    assert [path for path, node in values(DOCUMENT["paths"]) if node.get("schema") == {"type": "null"}] == []


def _sent() -> set[str]:
    """The schemas of requests, and those inside them."""
    found: set[str] = set()
    waiting: list[Any] = [
        operation.get("requestBody", {})
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
    ]
    while waiting:
        for _, node in values(waiting.pop()):
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in SCHEMAS and name not in found:
                found.add(name)
                waiting.append(SCHEMAS[name])
    return found
