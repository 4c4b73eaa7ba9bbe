"""The gate against breaking changes: every row of mobile-contract.md §4 as a minimal pair of documents."""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from compat import INSTEAD, breaks_of, main, release
from shapes import Document, skeleton, written

TEXT: dict[str, Any] = {"type": "string"}
NULL: dict[str, Any] = {"type": "null"}
COLOURS: dict[str, Any] = {"type": "string", "enum": ["red", "green"]}
MORE_COLOURS: dict[str, Any] = {"type": "string", "enum": ["red", "green", "blue"]}


def thing(*required: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


def document(**operation: Any) -> dict[str, Any]:
    """A document of one operation, GET /v1/things; `schemas` and `shared` go to the components."""
    schemas, shared = operation.pop("schemas", {}), operation.pop("shared", {})
    whole = {"operationId": "read_things", "tags": ["citizen-things"], "responses": {"200": {}}} | operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1.0.0"},
        "paths": {"/v1/things": {"get": whole}},
        "components": {"schemas": schemas, **shared},
    }


def asking(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose request body has this schema."""
    return document(requestBody={"content": {"application/json": {"schema": schema}}}, **more)


def answering(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose answer has this schema."""
    return document(responses={"200": {"content": {"application/json": {"schema": schema}}}}, **more)


def parameter(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return document(parameters=[{"name": "limit", "in": "query", "schema": schema} | more])


def problems(**codes: list[str]) -> dict[str, Any]:
    """A document whose operation answers with these problem codes: `s409=["a"]`."""
    told = {
        status.removeprefix("s"): {
            "content": {
                "application/problem+json": {"schema": TEXT, "examples": {code: {} for code in listed}}
            }
        }
        for status, listed in codes.items()
    }
    return document(responses={"200": {}} | told)


def two_paths() -> dict[str, Any]:
    both = document()
    both["paths"]["/v1/others"] = {"get": {"operationId": "read_others", "responses": {"200": {}}}}
    return both


def two_methods() -> dict[str, Any]:
    both = document()
    both["paths"]["/v1/things"]["post"] = {"operationId": "make_thing", "responses": {"201": {}}}
    return both


def signed_in(*schemes: str, actors: tuple[str, ...] = ("citizen",)) -> dict[str, Any]:
    return document(security=[{scheme: []} for scheme in schemes], **{"x-actors": list(actors)})


def schemes(**named: dict[str, Any]) -> dict[str, Any]:
    return document(shared={"securitySchemes": named})


def headers(*names: str) -> dict[str, Any]:
    return document(responses={"200": {"headers": {name: {"schema": TEXT} for name in names}}})


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def either(*choices: Any) -> dict[str, Any]:
    return {"oneOf": list(choices)}


def listing(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(entries: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": entries}


def text(**limits: Any) -> dict[str, Any]:
    return TEXT | limits


def number(**limits: Any) -> dict[str, Any]:
    return {"type": "integer"} | limits


BEARER = {"type": "http", "scheme": "bearer"}
CAT, DOG = thing("says", says=TEXT), thing("barks", barks=TEXT)
PETS = {"Cat": CAT, "Dog": DOG}

# (what changes, the break it is or None, the old document, the new one)
ROWS: list[tuple[str, str | None, dict[str, Any], dict[str, Any]]] = [
    # Removed path, operation, success response, response field; and what may come.
    ("a path is removed", "operation", two_paths(), document()),
    ("a path is new", None, document(), two_paths()),
    ("a method is removed", "operation", two_methods(), document()),
    ("a method is new", None, document(), two_methods()),
    ("a success is removed", "status", document(responses={"200": {}, "304": {}}), document()),
    ("a success has another status", "status", document(), document(responses={"201": {}})),
    ("a second success", "status", document(), document(responses={"200": {}, "202": {}})),
    ("a 304 is new", None, document(), document(responses={"200": {}, "304": {}})),
    ("an answer loses a field", "field", answering(thing(a=TEXT, b=TEXT)), answering(thing(a=TEXT))),
    ("an answer gains a field", None, answering(thing(a=TEXT)), answering(thing("b", a=TEXT, b=TEXT))),
    ("a request loses a field", "field", asking(thing(a=TEXT, b=TEXT)), asking(thing(a=TEXT))),
    ("a request gains an optional field", None, asking(thing(a=TEXT)), asking(thing(a=TEXT, b=TEXT))),
    # New required, optional to required in a request.
    (
        "a request gains a required field",
        "required",
        asking(thing(a=TEXT)),
        asking(thing("b", a=TEXT, b=TEXT)),
    ),
    ("an optional field is required now", "required", asking(thing(a=TEXT)), asking(thing("a", a=TEXT))),
    ("a required field is optional now", None, asking(thing("a", a=TEXT)), asking(thing(a=TEXT))),
    ("a new required parameter", "required", document(), parameter(TEXT, required=True)),
    ("a new optional parameter", None, document(), parameter(TEXT)),
    ("an optional parameter is required now", "required", parameter(TEXT), parameter(TEXT, required=True)),
    ("a required parameter is optional now", None, parameter(TEXT, required=True), parameter(TEXT)),
    ("a parameter is removed", "parameter", parameter(TEXT), document()),
    (
        "a parameter moves to a header",
        "parameter",
        parameter(TEXT),
        document(parameters=[{"name": "limit", "in": "header", "schema": TEXT}]),
    ),
    ("a parameter is written another way", "parameter", parameter(TEXT), parameter(TEXT, explode=False)),
    (
        "a header is only written in another case",
        None,
        document(parameters=[{"name": "X-Sent-At", "in": "header", "schema": TEXT}]),
        document(parameters=[{"name": "x-sent-at", "in": "header", "schema": TEXT}]),
    ),
    ("a body is new and optional", None, document(), asking(TEXT)),
    (
        "a body is required now",
        "body",
        asking(TEXT),
        document(requestBody={"required": True, "content": {"application/json": {"schema": TEXT}}}),
    ),
    ("a body is removed", "body", asking(TEXT), document()),
    # Required to optional, and null, in an answer.
    ("an answer may leave a field out", "optional", answering(thing("a", a=TEXT)), answering(thing(a=TEXT))),
    ("an answer always sends a field", None, answering(thing(a=TEXT)), answering(thing("a", a=TEXT))),
    (
        "an answer's field may be null",
        "nullable",
        answering(thing(a=TEXT)),
        answering(thing(a=either(TEXT, NULL))),
    ),
    (
        "an answer's field is never null",
        None,
        answering(thing(a=either(TEXT, NULL))),
        answering(thing(a=TEXT)),
    ),
    ("null in a list of types", "nullable", answering(TEXT), answering({"type": ["string", "null"]})),
    (
        "null written another way",
        None,
        answering(either(TEXT, NULL)),
        answering({"type": ["string", "null"]}),
    ),
    ("null by anyOf", None, answering(either(TEXT, NULL)), answering({"anyOf": [NULL, TEXT]})),
    ("a request refuses null", "nullable", asking(thing(a=either(TEXT, NULL))), asking(thing(a=TEXT))),
    ("a request takes null", None, asking(thing(a=TEXT)), asking(thing(a=either(TEXT, NULL)))),
    # Narrowed type, enumeration, length or pattern in a request.
    ("a request's type changes", "type", asking(TEXT), asking(number())),
    ("a request's type narrows", "type", asking({"type": "number"}), asking(number())),
    ("a request's type widens", None, asking(number()), asking({"type": "number"})),
    ("a request's value is lost", "enum", asking(MORE_COLOURS), asking(COLOURS)),
    ("a request's value is new", None, asking(COLOURS), asking(MORE_COLOURS)),
    ("a request's values are listed now", "enum", asking(TEXT), asking(COLOURS)),
    ("a request's values are free now", None, asking(COLOURS), asking(TEXT)),
    ("a request's const changes", "enum", asking(text(const="1")), asking(text(const="2"))),
    ("a const becomes a list", None, asking(text(const="1")), asking(text(enum=["1", "2"]))),
    ("a request is shorter", "limit", asking(text(maxLength=20)), asking(text(maxLength=10))),
    ("a request is longer", None, asking(text(maxLength=10)), asking(text(maxLength=20))),
    ("a request's length is limited now", "limit", asking(TEXT), asking(text(maxLength=10))),
    ("a request's length is free now", None, asking(text(maxLength=10)), asking(TEXT)),
    ("a request may not be empty now", "limit", asking(TEXT), asking(text(minLength=1))),
    ("a length of nothing is said", None, asking(TEXT), asking(text(minLength=0))),
    ("a request's least grows", "limit", asking(number(minimum=1)), asking(number(minimum=2))),
    ("a request's least falls", None, asking(number(minimum=2)), asking(number(minimum=1))),
    ("a parameter's most falls", "limit", parameter(number(maximum=100)), parameter(number(maximum=50))),
    ("a request's pattern changes", "pattern", asking(text(pattern="^a")), asking(text(pattern="^b"))),
    ("a request's pattern is new", "pattern", asking(TEXT), asking(text(pattern="^a"))),
    ("a request's pattern goes", None, asking(text(pattern="^a")), asking(TEXT)),
    ("a request's default changes", "default", asking(number(default=20)), asking(number(default=50))),
    ("a request's default is new", "default", asking(number()), asking(number(default=20))),
    ("a request's default is nothing", None, asking(TEXT), asking(text(default=None))),
    ("a request's field is for answers alone now", "keyword", asking(TEXT), asking(text(readOnly=True))),
    (
        "a request's list is shorter",
        "limit",
        asking(listing(TEXT) | {"maxItems": 9}),
        asking(listing(TEXT) | {"maxItems": 5}),
    ),
    # Widened in an answer.
    ("an answer's most grows", "limit", answering(number(maximum=9)), answering(number(maximum=10))),
    ("an answer's most goes", "limit", answering(number(maximum=9)), answering(number())),
    ("an answer's least falls", "limit", answering(number(minimum=0)), answering(number(minimum=-1))),
    ("an answer's most falls", None, answering(number(maximum=9)), answering(number(maximum=5))),
    (
        "an answer's list may be empty now",
        "limit",
        answering(listing(TEXT) | {"minItems": 1}),
        answering(listing(TEXT)),
    ),
    ("an answer's text is longer", None, answering(text(maxLength=5)), answering(text(maxLength=9))),
    (
        "the mark comes first",
        "enum",
        answering(COLOURS),
        answering(COLOURS | {"x-tolerate-unknown": True}),
    ),
    (
        "an operation is served elsewhere",
        "server",
        document(),
        document(servers=[{"url": "https://elsewhere.example/"}]),
    ),
    ("an answer's enumeration grows", "enum", answering(COLOURS), answering(MORE_COLOURS)),
    (
        "an answer's enumeration grows that apps tolerate",
        None,
        answering(COLOURS | {"x-tolerate-unknown": True}),
        answering(MORE_COLOURS),
    ),
    (
        "the mark comes too late",
        "enum",
        answering(COLOURS),
        answering(MORE_COLOURS | {"x-tolerate-unknown": True}),
    ),
    (
        "an enumeration that apps tolerate is free now",
        "enum",
        answering(COLOURS | {"x-tolerate-unknown": True}),
        answering(TEXT),
    ),
    ("an answer's enumeration shrinks", None, answering(MORE_COLOURS), answering(COLOURS)),
    ("an answer's type changes", "type", answering(thing(a=number())), answering(thing(a=TEXT))),
    ("an answer's type widens", "type", answering(number()), answering({"type": "number"})),
    ("an answer's type narrows", None, answering({"type": "number"}), answering(number())),
    (
        "an answer's format changes",
        "format",
        answering(text(format="date")),
        answering(text(format="date-time")),
    ),
    ("an answer's pattern changes", "pattern", answering(text(pattern="^a")), answering(text(pattern="^b"))),
    ("an answer's pattern is new", None, answering(TEXT), answering(text(pattern="^a"))),
    ("an answer may be longer", None, answering(text(maxLength=10)), answering(text(maxLength=20))),
    # Names, content types, security.
    ("another operationId", "operation-id", document(), document(operationId="list_things")),
    ("another first tag", "tag", document(), document(tags=["things"])),
    ("a second tag", None, document(), document(tags=["citizen-things", "things"])),
    (
        "another content type of an answer",
        "media-type",
        document(responses={"200": {"content": {"application/json": {"schema": TEXT}}}}),
        document(responses={"200": {"content": {"text/csv": {"schema": TEXT}}}}),
    ),
    (
        "a second content type of a request",
        None,
        asking(TEXT),
        document(
            requestBody={"content": {"application/json": {"schema": TEXT}, "text/csv": {"schema": TEXT}}}
        ),
    ),
    ("another way to sign in", "security", signed_in("citizen"), signed_in("operator")),
    ("one more way to sign in", None, signed_in("citizen"), signed_in("citizen", "operator")),
    ("a public operation asks to sign in", "security", document(), signed_in("citizen")),
    (
        "an actor less",
        "security",
        signed_in("a", actors=("nurse", "doctor")),
        signed_in("a", actors=("nurse",)),
    ),
    ("an actor more", None, signed_in("a", actors=("nurse",)), signed_in("a", actors=("nurse", "doctor"))),
    ("a scheme is gone", "scheme", schemes(citizen=BEARER), schemes()),
    ("a scheme changes", "scheme", schemes(citizen=BEARER), schemes(citizen=BEARER | {"scheme": "dpop"})),
    (
        "a scheme has other words",
        None,
        schemes(citizen=BEARER),
        schemes(citizen=BEARER | {"description": "x"}),
    ),
    ("another server", "server", document(), document() | {"servers": [{"url": "/api"}]}),
    ("a header of the answer is gone", "header", headers("ETag", "X-Request-Id"), headers("X-Request-Id")),
    ("a header of the answer is new", None, headers("ETag"), headers("etag", "X-Request-Id")),
    # Problems.
    ("a problem code is new", None, problems(s409=["a"]), problems(s409=["a", "b"])),
    ("a problem code is gone", None, problems(s409=["a", "b"]), problems(s409=["a"])),
    (
        "a problem code has another status",
        "status",
        problems(s409=["a"], s422=["b"]),
        problems(s409=[], s422=["a", "b"]),
    ),
    ("a status of a problem is new", "status", problems(s409=["a"]), problems(s409=["a"], s422=["b"])),
    ("a status of a problem is gone", None, problems(s409=["a"], s422=["b"]), problems(s409=["a"])),
    # Reached through components, lists, maps and null.
    (
        "inside a component",
        "field",
        answering(ref("Thing"), schemas={"Thing": thing(a=TEXT)}),
        answering(ref("Thing"), schemas={"Thing": thing()}),
    ),
    ("inside a list", "field", answering(listing(thing(a=TEXT))), answering(listing(thing()))),
    (
        "inside what may be null",
        "field",
        answering(either(thing(a=TEXT), NULL)),
        answering(either(thing(), NULL)),
    ),
    (
        "inside a map of components",
        "required",
        asking(mapping(ref("Thing")), schemas={"Thing": thing(a=TEXT)}),
        asking(mapping(ref("Thing")), schemas={"Thing": thing("a", a=TEXT)}),
    ),
    ("inside allOf", "field", answering({"allOf": [CAT, DOG]}), answering({"allOf": [CAT]})),
    ("a part instead of a copy", None, answering({"allOf": [CAT]}), answering(CAT)),
    (
        "a limit inside allOf",
        "limit",
        asking({"allOf": [text(maxLength=9)]}),
        asking({"allOf": [text(maxLength=9), text(maxLength=5)]}),
    ),
    (
        "inside a shared parameter",
        "limit",
        document(
            parameters=[{"$ref": "#/components/parameters/L"}],
            shared={"parameters": {"L": {"name": "l", "in": "query", "schema": TEXT}}},
        ),
        document(
            parameters=[{"$ref": "#/components/parameters/L"}],
            shared={"parameters": {"L": {"name": "l", "in": "query", "schema": text(maxLength=5)}}},
        ),
    ),
    (
        "only the other direction knows it",
        None,
        answering(ref("Thing"), schemas={"Thing": thing(a=TEXT)}),
        answering(ref("Thing"), schemas={"Thing": thing("a", a=TEXT)}),
    ),
    (
        "another name of a component",
        "schema-name",
        answering(ref("Thing"), schemas={"Thing": CAT}),
        answering(ref("Other"), schemas={"Other": CAT}),
    ),
    (
        "a ring of components is the same",
        None,
        answering(ref("Node"), schemas={"Node": thing(next=either(ref("Node"), NULL), a=TEXT)}),
        answering(ref("Node"), schemas={"Node": thing(next=either(ref("Node"), NULL), a=TEXT)}),
    ),
    (
        "a ring of components loses a field",
        "field",
        answering(ref("Node"), schemas={"Node": thing(next=either(ref("Node"), NULL), a=TEXT)}),
        answering(ref("Node"), schemas={"Node": thing(next=either(ref("Node"), NULL))}),
    ),
    (
        "a ring over two components, through allOf and a list",
        "optional",
        answering(
            ref("A"), schemas={"A": {"allOf": [ref("B"), CAT]}, "B": thing("as", **{"as": listing(ref("A"))})}
        ),
        answering(
            ref("A"), schemas={"A": {"allOf": [ref("B"), CAT]}, "B": thing(**{"as": listing(ref("A"))})}
        ),
    ),
    ("a map may hold anything now", "type", answering(mapping(TEXT)), answering(mapping(True))),
    ("a map's entries are sent no more", "type", answering(mapping(TEXT)), answering(thing())),
    (
        "an answer admits unknown fields",
        None,
        answering(CAT | {"additionalProperties": False}),
        answering(CAT),
    ),
    ("a request refuses unknown fields", "type", asking(CAT), asking(CAT | {"additionalProperties": False})),
    ("a list of anything is a list of texts", "type", asking({"type": "array"}), asking(listing(TEXT))),
    (
        "a pair becomes three",
        "type",
        answering({"prefixItems": [TEXT, TEXT]}),
        answering({"prefixItems": [TEXT] * 3}),
    ),
    # Unions: none is in our bodies, yet the gate knows them.
    ("a kind is answered that nobody knows", "union", answering(CAT), answering(either(CAT, DOG))),
    ("a kind is taken more", None, asking(CAT), asking(either(CAT, DOG))),
    ("a kind is taken no more", "union", asking(either(CAT, DOG)), asking(CAT)),
    (
        "a named kind loses a field",
        "field",
        answering(either(ref("Cat"), ref("Dog")), schemas=PETS),
        answering(either(ref("Cat"), ref("Dog")), schemas=PETS | {"Dog": thing()}),
    ),
    (
        "another discriminator",
        "union",
        answering(either(CAT, DOG) | {"discriminator": {"propertyName": "a"}}),
        answering(either(CAT, DOG) | {"discriminator": {"propertyName": "b"}}),
    ),
    # What the gate cannot judge it does not let pass; words it lets pass.
    ("a keyword the gate does not know", "keyword", asking(TEXT), asking(text(**{"not": {"const": ""}}))),
    ("only words change", None, asking(TEXT), asking(text(description="A text.", title="T", examples=["a"]))),
    ("an operation is deprecated", None, document(), document(deprecated=True)),
]


@pytest.mark.parametrize(("kind", "old", "new"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_change_is_judged(kind: str | None, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert {found.kind for found in breaks_of(old, new)} == ({kind} if kind else set())
    assert breaks_of(old, old) == breaks_of(new, new) == []
    # The baseline holds the bones alone, and they say the same.
    if "servers" not in new:
        assert breaks_of(skeleton(old), new) == breaks_of(old, new)


def test_every_kind_of_break_has_a_row() -> None:
    assert {row[1] for row in ROWS} - {None} == set(INSTEAD)


def test_a_break_in_a_shared_component_is_told_once_for_each_direction() -> None:
    def both(schema: dict[str, Any]) -> dict[str, Any]:
        whole = answering(ref("Thing"), schemas={"Thing": schema})
        whole["paths"]["/v1/things"]["post"] = asking(ref("Thing"))["paths"]["/v1/things"]["get"]
        whole["paths"]["/v1/others"] = deepcopy(whole["paths"]["/v1/things"])
        return whole

    found = breaks_of(both(thing(a=TEXT, b=TEXT)), both(thing(a=TEXT)))
    assert sorted(one.where for one in found) == [
        "schema Thing in answers · b",
        "schema Thing in requests · b",
    ]


def test_references_that_lead_in_a_ring_are_refused() -> None:
    ring = answering(ref("A"), schemas={"A": ref("B"), "B": ref("A")})
    with pytest.raises(ValueError, match="leads to itself"):
        breaks_of(ring, ring)


def test_the_program_tells_each_break_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(answering(thing(a=TEXT, b=TEXT))))
    new.write_text(json.dumps(answering(thing(b=number()))))
    assert main([str(old), str(old)]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"GET /v1/things · 200 application/json · a: removed; instead: {INSTEAD['field']}",
        f"GET /v1/things · 200 application/json · b: string became integer; instead: {INSTEAD['type']}",
    ]
    assert main([]) == 2


def test_a_release_never_keeps_a_document_that_breaks_the_last(tmp_path: Path) -> None:
    assert release(answering(thing(a=TEXT)), tmp_path) == []
    assert [found.kind for found in release(answering(thing()), tmp_path)] == ["field"]
    assert release(answering(thing(a=TEXT, b=TEXT)), tmp_path) == []
    kept = json.loads((tmp_path / "v1.json").read_text())
    assert [found.kind for found in breaks_of(kept, answering(thing(a=TEXT)))] == ["field"]
    second = {"info": {"title": "Things", "version": "2.0.0"}}
    assert [found.kind for found in release(answering(thing()) | second, tmp_path)] == ["field", "field"]
    assert release(answering(thing(a=TEXT, b=TEXT)) | second, tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1.json", "v2.json"]


def test_the_gate_needs_nothing_but_python(tmp_path: Path) -> None:
    """An app team runs it with the two files beside each other."""
    folder = Path(__file__).resolve().parents[2] / "openapi"
    for name in ("compat.py", "shapes.py"):
        (tmp_path / name).write_text((folder / name).read_text())
    (tmp_path / "one.json").write_text(json.dumps(document()))
    done = subprocess.run(
        [sys.executable, "-S", "compat.py", "one.json", "one.json"], cwd=tmp_path, check=False, timeout=60
    )
    assert done.returncode == 0


def test_a_baseline_can_be_read_line_by_line() -> None:
    lines = written(skeleton(two_methods())).splitlines()
    assert sum('"operationId"' in line for line in lines) == 2
    assert Document(json.loads("".join(lines))).whole["info"]["version"] == "1.0.0"
