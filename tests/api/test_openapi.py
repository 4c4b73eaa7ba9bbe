"""The document as generators and readers need it (mobile-contract.md §2, §3)."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from api.citizen import consultations
from api.facility import activation
from api.hotline import tickets
from api.pages.docs import served_document, served_page
from ehr.quarantine import models as quarantine
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
every_operation = pytest.mark.parametrize(
    ("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS]
)


def values(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(child)


@pytest.mark.parametrize("seed", ["2", "3"])
def test_every_process_makes_the_same_document(seed: str) -> None:
    """The order of a set is another one in each process: a committed file must not depend on it."""
    command = [sys.executable, "-m", "healthbook", "openapi", "--check"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]


@pytest.mark.parametrize("taken", ["gzip", "identity"])
async def test_the_document_is_answered_as_it_is_committed(
    store: Store, clock: FrozenClock, taken: str
) -> None:
    """Made for whoever asks first, it would keep a process from everybody else for seconds (S33)."""
    async with client_of(store, clock) as client:
        answered = await client.get("/docs/openapi.json", headers={"Accept-Encoding": taken})
    assert answered.headers.get("Content-Encoding", "identity") == taken
    assert answered.headers["Vary"] == "Accept-Encoding"
    assert answered.content == (ROOT / "openapi" / "openapi.json").read_bytes()


def test_no_clock_time_is_called_a_duration() -> None:
    assert not [node for node in values(DOCUMENT) if node.get("format") == "duration"]


@every_operation
def test_an_operation_is_complete(name: str, operation: dict[str, Any]) -> None:
    assert operation["operationId"]
    assert operation["tags"]
    assert operation["summary"].endswith((".", "?")), "a summary cut in the middle of a sentence"
    assert operation["x-actors"], name
    assert bool(operation["security"]) != ("public" in operation["x-actors"])
    for status, response in operation["responses"].items():
        assert ("$ref" in response) == (status >= "400"), (name, status)


@pytest.mark.parametrize(
    ("schema", "struct"),
    [
        ("Question", consultations.Question),
        ("Arrival", activation.Arrival),
        ("Line", quarantine.Line),
        ("Outcome", tickets.Outcome),
    ],
)
def test_a_schema_tells_of_its_own_class(schema: str, struct: type[msgspec.Struct]) -> None:
    """Several packages have a class of these names; the words are those of the one that is sent."""
    described = DOCUMENT["components"]["schemas"][schema]
    assert set(described["properties"]) == {field.encode_name for field in msgspec.structs.fields(struct)}
    assert described.get("description", "") == inspect.cleandoc(struct.__doc__ or "")


def test_every_error_is_a_problem_with_its_codes() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        # OAuth's endpoints answer in the words of RFC 6749 as well, as application/json; FHIR's in its own.
        # A browser that comes back from elsewhere gets a page.
        others = {"application/json", "application/fhir+json", "text/html"}
        assert set(response["content"]) - others == {"application/problem+json"}, name
        assert response["content"]["application/problem+json"]["examples"], name


def test_every_reference_leads_somewhere() -> None:
    for node in values(DOCUMENT):
        if isinstance(node.get("$ref"), str):
            place: Any = DOCUMENT
            for step in node["$ref"].removeprefix("#/").split("/"):
                place = place[step]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = served_page().decode()
    assert "<script" not in page
    led_to = re.findall(r'\b(?:href|src|action)="([^"]*)"', page)
    assert led_to
    assert [place for place in led_to if not re.match(r"#|/(?!/)", place)] == []
