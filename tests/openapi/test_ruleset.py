"""The document against the rules of spectral, of OWASP and our own (openapi/ruleset.yaml), which all bite."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.npm import installed

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
RULES: dict[str, Any] = yaml.safe_load((OPENAPI / "ruleset.yaml").read_text())["rules"]
OURS = {name for name, rule in RULES.items() if isinstance(rule, dict)}  # `off` is false in YAML 1.1
SECONDS_MAX = 240
Break = Callable[[dict[str, Any]], None]

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "opaque",
    "description": "POST /v1/tokens gives one for an hour, and POST /v1/more the next one.",
}
# What keeps every rule. Each break below changes one thing of it.
SOUND: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Sổ", "version": "1.0.0", "description": "Thử."},
    "servers": [{"url": "/", "description": "production", "x-internal": False}],
    "tags": [{"name": "citizen-book", "description": "Sổ."}],
    "paths": {
        "/v1/things": {
            "post": {
                "operationId": "make_thing",
                "summary": "Make a thing of the book.",
                "x-summary-vi": "Tạo một mục trong sổ.",
                "tags": ["citizen-book"],
                "x-actors": ["citizen"],
                "security": [{"citizen": []}],
                "parameters": [
                    {
                        "name": "q",
                        "in": "query",
                        "description": "Words.",
                        "schema": {"type": "string", "maxLength": 40},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/Thing"},
                            "example": {"name": "a"},
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/Thing"},
                                "example": {"name": "a"},
                            }
                        },
                    },
                    "401": {"$ref": "#/components/responses/Problem401"},
                    "500": {"$ref": "#/components/responses/Problem401"},
                },
            }
        }
    },
    "components": {
        "securitySchemes": {"citizen": BEARER},
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {
                    "name": {"oneOf": [{"type": "string", "maxLength": 40}, {"type": "null"}]},
                    "kind": {"type": ["null", "string"], "enum": ["a", None]},
                    "code": {"type": "string", "maxLength": 9, "pattern": r"^a{1,9}$(?!\n)"},
                    "counts": {
                        "type": "object",
                        "additionalProperties": {"type": "boolean"},
                        "maxProperties": 9,
                    },
                    "list": {"type": "array", "items": {"type": "boolean"}, "maxItems": 9},
                    "number": {"type": "integer", "minimum": 0, "maximum": 9, "format": "int32"},
                },
            },
            "Problem": {"type": "object", "properties": {"code": {"type": "string", "maxLength": 40}}},
        },
        "responses": {
            "Problem401": {
                "description": "Sign in.",
                "content": {
                    "application/problem+json": {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {"a": {"value": {"code": "a"}}},
                    }
                },
            }
        },
    },
}


def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/v1/things"]["post"]
    return found


def field(name: str, **schema: Any) -> Break:
    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Thing"]["properties"][name] = schema

    return change


def said(**words: Any) -> Break:
    """None takes the word away."""

    def change(document: dict[str, Any]) -> None:
        operation(document).update(words)
        for word in [word for word, value in words.items() if value is None]:
            del operation(document)[word]

    return change


def at(*path: str, **words: Any) -> Break:
    """The object at that path of the document is this from now on."""

    def change(document: dict[str, Any]) -> None:
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = words

    return change


ANSWER = ("paths", "/v1/things", "post", "responses", "200", "content", "application/json")
SENT = ("paths", "/v1/things", "post", "requestBody", "content", "application/json")
PROBLEM = ("components", "responses", "Problem401", "content")
TEXT = {"type": "string", "maxLength": 9}
LIST = {"type": "array", "maxItems": 9, "items": TEXT}
QUERY = {"name": "q", "in": "query", "description": "Words."}
BREAKS: list[tuple[str, Break]] = [
    ("no-union", field("name", oneOf=[TEXT, {"type": "boolean"}])),
    ("no-union", field("name", oneOf=[TEXT, {"type": "boolean"}, {"type": "null"}])),
    ("no-other-union", field("name", anyOf=[TEXT, {"type": "null"}])),
    ("no-other-union", field("name", allOf=[TEXT])),
    ("one-type", field("name", type=["string", "null"], maxLength=9)),
    ("no-duration", field("name", type="string", maxLength=9, format="duration")),
    ("version-is-text", field("v", type="integer", const=1)),
    ("no-bare-list", at(*ANSWER, schema=LIST, example=["a"])),
    ("no-bare-list-sent", at(*SENT, schema=LIST, example=["a"])),
    ("operation-id-form", said(operationId="makeThing")),
    ("operation-id-form", said(operationId=None)),
    ("summary-in-both", said(summary="Make a thing of the book")),
    ("summary-in-both", said(**{"x-summary-vi": None})),
    ("summary-in-both", said(**{"x-summary-vi": "Tạo một mục trong sổ"})),
    ("tag-of-audience", said(tags=["book"])),
    ("tag-of-audience", said(tags=None)),
    ("actors-are-named", said(**{"x-actors": []})),
    ("actors-are-named", said(**{"x-actors": None})),
    ("public-or-secured", said(security=[])),
    ("public-or-secured", said(**{"x-actors": ["public"]})),
    (
        "sign-in-is-explained",
        at("components", "securitySchemes", "citizen", **(BEARER | {"description": "A."})),
    ),
    ("sign-in-is-explained", at("components", "securitySchemes", "citizen", type="http", scheme="bearer")),
    (
        "sign-in-is-explained",
        at(
            *("components", "securitySchemes", "citizen"),
            **{word: text for word, text in BEARER.items() if word != "bearerFormat"},
        ),
    ),
    ("secured-says-401", said(responses={"500": {"$ref": "#/components/responses/Problem401"}})),
    ("problem-on-every-error", at(*PROBLEM, **{"application/json": {"schema": {"type": "object"}}})),
    (
        "problem-on-every-error",
        at(*PROBLEM, "application/problem+json", schema={"type": "object"}, examples={}),
    ),
    ("error-is-shared", at("paths", "/v1/things", "post", "responses", "409", description="No.")),
    ("example-of-answer", at(*ANSWER, schema={"$ref": "#/components/schemas/Thing"})),
    ("example-of-request", at(*SENT, schema={"$ref": "#/components/schemas/Thing"})),
    ("map-limit", field("counts", type="object", additionalProperties=TEXT)),
    ("parameter-is-described", said(parameters=[{"name": "q", "in": "query", "schema": TEXT}])),
    ("parameter-is-described", said(parameters=[QUERY | {"schema": {"oneOf": [TEXT, {"type": "null"}]}}])),
    ("pattern-to-the-end", field("code", type="string", maxLength=9, pattern="^a$")),
    ("pattern-to-the-end", field("code", type="string", maxLength=9, pattern="^(a$|b$)")),
    ("owasp:api4:2023-string-limit", field("name", type="string")),
    ("owasp:api4:2023-array-limit", field("list", type="array", items={"type": "boolean"})),
    ("owasp:api4:2023-integer-limit", field("number", type="integer", format="int32")),
    ("owasp:api4:2023-integer-format", field("number", type="integer", minimum=0, maximum=9)),
]


def linted(documents: dict[str, bytes], place: Path) -> list[dict[str, Any]]:
    """What spectral says of documents by file name, in one run."""
    packages = installed(OPENAPI)
    (place / "node_modules").symlink_to(packages / "node_modules")
    shutil.copy(OPENAPI / "ruleset.yaml", place)
    for name, text in documents.items():
        (place / name).write_bytes(text)
    spectral = packages / "node_modules" / ".bin" / "spectral"
    done = subprocess.run(
        [spectral, "lint", *documents, "--ruleset", "ruleset.yaml", "--format", "json", "--quiet"],
        cwd=place,
        capture_output=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout or b"[]")
    return found


def test_the_document_breaks_no_rule(tmp_path: Path) -> None:
    found = linted({"openapi.json": (OPENAPI / "openapi.json").read_bytes()}, tmp_path)
    assert not [f"{one['code']} {'/'.join(map(str, one['path']))}" for one in found]


def test_each_rule_of_ours_bites(tmp_path: Path) -> None:
    documents = {"sound.json": SOUND}
    for number, (_, change) in enumerate(BREAKS):
        broken = copy.deepcopy(SOUND)
        change(broken)
        documents[f"broken-{number}.json"] = broken
    found: dict[str, set[str]] = {name: set() for name in documents}
    for one in linted({name: json.dumps(text).encode() for name, text in documents.items()}, tmp_path):
        found[Path(one["source"]).name].add(one["code"])
    assert found["sound.json"] == set()
    passed = [
        (rule, number)
        for number, (rule, _) in enumerate(BREAKS)
        if rule not in found[f"broken-{number}.json"]
    ]
    assert not passed, "these rules let a break pass"


def test_no_rule_is_without_a_break() -> None:
    assert {rule for rule, _ in BREAKS} >= OURS


def test_a_rule_that_is_off_says_why() -> None:
    lines = (OPENAPI / "ruleset.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.endswith(": off"):
            above = next(text for text in reversed(lines[:number]) if not text.endswith(": off"))
            assert above.strip().startswith("#"), line


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_rule_of_ours_is_an_error_with_a_description(name: str) -> None:
    assert RULES[name]["severity"] == "error"
    assert len(RULES[name]["description"]) > 20
