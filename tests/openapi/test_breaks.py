"""Deliberate breaks of the real document: each is caught, and the untouched document is clean."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from compat import breaks_of
from shapes import skeleton

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "openapi/openapi.json").read_bytes()
BASELINE = skeleton(msgspec.json.decode(TEXT))


def fresh() -> Document:
    """The document, anew for whoever changes it."""
    document: Document = msgspec.json.decode(TEXT)
    return document


def operation(document: Document, name: str) -> dict[str, Any]:
    for operations in document["paths"].values():
        for one in operations.values():
            if one["operationId"] == name:
                found: dict[str, Any] = one
                return found
    raise AssertionError(name)


def named(document: Document, schema: Any) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def answer(document: Document, name: str, status: str = "200") -> Any:
    return named(
        document, operation(document, name)["responses"][status]["content"]["application/json"]["schema"]
    )


def body(document: Document, name: str) -> Any:
    return named(document, operation(document, name)["requestBody"]["content"]["application/json"]["schema"])


def every_schema(document: Document) -> Iterator[tuple[str, Any]]:
    """Fields of request bodies with the name of the operation, in the order of the document."""
    for operations in document["paths"].values():
        for one in operations.values():
            if "application/json" in one.get("requestBody", {}).get("content", {}):
                schema = body(document, one["operationId"])
                for field in schema.get("properties", {}).values():
                    yield one["operationId"], field


def first_with(document: Document, keyword: str) -> Any:
    return next(field for _, field in every_schema(document) if keyword in field)


def remove_a_path(document: Document) -> None:
    del document["paths"]["/v1/me/summary"]


def remove_an_operation(document: Document) -> None:
    del document["paths"]["/v1/me/grants/{grant_id}"]["delete"]


def rename_an_operation(document: Document) -> None:
    operation(document, "read_own_summary")["operationId"] = "get_summary"


def rename_a_tag(document: Document) -> None:
    operation(document, "read_own_summary")["tags"] = ["another"]


def remove_a_success(document: Document) -> None:
    responses = operation(document, "start_sign_in")["responses"]
    responses["200"] = responses.pop("202")


def remove_a_field_of_an_answer(document: Document) -> None:
    del answer(document, "verify_sign_in", "201")["properties"]["access_token"]


def remove_a_field_of_a_request(document: Document) -> None:
    body(document, "start_sign_in")["properties"].popitem()


def ask_for_a_new_field(document: Document) -> None:
    schema = body(document, "start_sign_in")
    schema["properties"]["captcha"] = {"type": "string"}
    schema.setdefault("required", []).append("captcha")


def require_an_optional_field(document: Document) -> None:
    schema = body(document, "me_state_wish")
    optional = sorted(set(schema["properties"]) - set(schema.get("required", ())))
    schema.setdefault("required", []).append(optional[0])


def leave_out_a_field_of_an_answer(document: Document) -> None:
    answer(document, "me_grants")["required"].remove("items")


def answer_null(document: Document) -> None:
    fields = answer(document, "verify_sign_in", "201")["properties"]
    fields["access_token"] = {"oneOf": [fields["access_token"], {"type": "null"}]}


def change_a_type(document: Document) -> None:
    fields = answer(document, "verify_sign_in", "201")["properties"]
    fields["access_token"]["type"] = "integer"


def shorten_a_text(document: Document) -> None:
    first_with(document, "maxLength")["maxLength"] -= 1


def lower_a_page(document: Document) -> None:
    for operations in document["paths"].values():
        for one in operations.values():
            for parameter in one["parameters"]:
                if parameter["name"] == "limit" and "maximum" in parameter["schema"]:
                    parameter["schema"]["maximum"] -= 1
                    return


def narrow_a_pattern(document: Document) -> None:
    first_with(document, "pattern")["pattern"] = "^never$"


def lose_a_value_of_a_request(document: Document) -> None:
    next(
        field for _, field in every_schema(document) if len(named(document, field).get("enum", ())) > 1
    )["enum"].pop()  # fmt: skip


def ask_for_a_parameter(document: Document) -> None:
    parameters = operation(document, "read_own_timeline")["parameters"]
    parameters.append({"name": "since_when", "in": "query", "required": True, "schema": {"type": "string"}})


def remove_a_parameter(document: Document) -> None:
    one = operation(document, "read_own_timeline")
    one["parameters"] = [parameter for parameter in one["parameters"] if parameter["in"] != "query"]


def change_a_content_type(document: Document) -> None:
    content = operation(document, "print_own_vaccination")["responses"]["200"]["content"]
    content["text/html"] = content.pop("application/pdf")


def change_who_may_call(document: Document) -> None:
    one = operation(document, "read_article")
    one["security"], one["x-actors"] = [{"citizen": []}], ["citizen"]


def change_a_security_scheme(document: Document) -> None:
    document["components"]["securitySchemes"]["citizen"]["scheme"] = "basic"


def move_a_problem(document: Document) -> None:
    one = operation(document, "read_own_timeline")
    missing = one["responses"].pop("404", None) or one["responses"].pop("403")
    one["responses"]["418"] = missing


def rename_a_schema(document: Document) -> None:
    text = json.dumps(document)
    document.clear()
    document.update(
        json.loads(
            text.replace('schemas/Summary"', 'schemas/Overview"').replace('"Summary": {', '"Overview": {')
        )
    )


# What is done to the document, and the kind of break the gate must call it.
DELIBERATE: list[tuple[Callable[[Document], None], str]] = [
    (remove_a_path, "operation"),
    (remove_an_operation, "operation"),
    (rename_an_operation, "operation-id"),
    (rename_a_tag, "tag"),
    (remove_a_success, "status"),
    (remove_a_field_of_an_answer, "field"),
    (remove_a_field_of_a_request, "field"),
    (ask_for_a_new_field, "required"),
    (require_an_optional_field, "required"),
    (leave_out_a_field_of_an_answer, "optional"),
    (answer_null, "nullable"),
    (change_a_type, "type"),
    (shorten_a_text, "limit"),
    (lower_a_page, "limit"),
    (narrow_a_pattern, "pattern"),
    (lose_a_value_of_a_request, "enum"),
    (ask_for_a_parameter, "required"),
    (remove_a_parameter, "parameter"),
    (change_a_content_type, "media-type"),
    (change_who_may_call, "security"),
    (change_a_security_scheme, "scheme"),
    (move_a_problem, "status"),
    (rename_a_schema, "schema-name"),
]


def test_the_untouched_document_is_clean() -> None:
    assert breaks_of(BASELINE, fresh()) == []
    assert breaks_of(fresh(), BASELINE) == []


@pytest.mark.parametrize(("change", "kind"), DELIBERATE, ids=[change.__name__ for change, _ in DELIBERATE])
def test_a_deliberate_break_is_caught(change: Callable[[Document], None], kind: str) -> None:
    broken = fresh()
    change(broken)
    assert kind in {found.kind for found in breaks_of(BASELINE, broken)}


def test_the_gate_of_make_check_fails_on_a_break(tmp_path: Path) -> None:
    broken = fresh()
    remove_an_operation(broken)
    (tmp_path / "old.json").write_bytes(TEXT)
    (tmp_path / "new.json").write_bytes(msgspec.json.encode(broken))
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "openapi/compat.py"),
            str(tmp_path / "old.json"),
            str(tmp_path / "new.json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(
        "DELETE /v1/me/grants/{grant_id}: removed; instead: keep it, mark it deprecated"
    )
    assert (
        "openapi/compat.py openapi/baseline/v1.json openapi/openapi.json" in (ROOT / "Makefile").read_text()
    )


def choices_of(document: Document) -> list[Any]:
    """The enumerations of fields that apps were told to tolerate a new value of."""
    return [
        field
        for schema in document["components"]["schemas"].values()
        for field in schema.get("properties", {}).values()
        if field.get("x-tolerate-unknown")
    ]


def test_an_enumeration_grows_only_where_apps_were_told() -> None:
    grown, told_nothing = fresh(), fresh()
    for field in choices_of(grown):
        field["enum"].append("a-value-of-tomorrow")
    assert len(choices_of(grown)) > 100
    assert breaks_of(BASELINE, grown) == []
    for field in choices_of(told_nothing):
        del field["x-tolerate-unknown"]
    assert {found.kind for found in breaks_of(skeleton(told_nothing), grown)} == {"enum"}
