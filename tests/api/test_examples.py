"""The examples of the document: what the schema admits, what the handler takes, what it answers with."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import httpx
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from api.app import collect_handlers
from api.document.examples import EMPTY, is_json
from store.database import Store
from tests.support.actors import sign_everybody_in
from tests.support.answers import document, validator_of
from tests.support.clock import FrozenClock
from tests.support.example_requests import Request, example_requests
from tests.support.http import bearer, client_of, code_of

OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}
HANDLERS = {
    handler.operation_id: handler
    for handler in collect_handlers(demo=False)
    if isinstance(handler, HTTPRouteHandler)
}
every_operation = pytest.mark.parametrize("name", sorted(OPERATIONS))
BODIES = [request for request in example_requests() if request.is_shown]
# Shapes that were not taken: whatever else a handler says, it read what was sent.
UNREAD = {"malformed-body", "invalid-field", "unsupported-media-type", "body-too-large"}


def shown(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(what, media type, media) of all bodies of a request and of its success."""
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, media
    for status, response in operation["responses"].items():
        if status < "300":
            for media_type, media in response.get("content", {}).items():
                yield status, media_type, media


@every_operation
def test_everything_a_reader_can_read_has_an_example_that_fits(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    for parameter in operation["parameters"]:
        assert_fits(parameter["schema"], parameter["example"], parameter["name"])
    for what, media_type, media in shown(operation):
        assert "example" in media or not is_json(media_type), (what, media_type)
        if "example" in media:
            assert_fits(media["schema"], media["example"], what)


@every_operation
def test_what_citizens_and_doctors_apps_meet_shows_something(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    if not operation["tags"][0].startswith(("citizen-", "doctor-")):
        return
    for what, _, media in shown(operation):
        assert not list(blanks(media.get("example"))), what


def blanks(value: Any, place: str = "") -> Iterator[str]:
    """Places with dots or zeros for a text, and lists that are empty without a reason."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from blanks(inner, f"{place}/{name}")
    elif isinstance(value, list):
        if not value and place.rpartition("/")[2] not in EMPTY:
            yield place
        for inner in value:
            yield from blanks(inner, place)
    elif isinstance(value, str) and ("..." in value or (len(value) > 1 and not value.strip("0"))):
        yield place


def assert_fits(schema: dict[str, Any], value: Any, what: str) -> None:
    errors = list(validator_of(json.dumps(schema)).iter_errors(value))
    assert not errors, (what, errors[0].instance_path, errors[0].message[:500])


@every_operation
def test_an_answer_is_of_the_type_that_the_handler_returns(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    returned = get_args(HANDLERS[name].parsed_fn_signature.return_type.annotation)
    for what, media_type, media in shown(operation):
        if what != "request" and media_type == "application/json" and returned not in ((), (bytes,)):
            msgspec.json.decode(json.dumps(media["example"]), type=returned[0])


@pytest.fixture(scope="module")
async def tokens(store: Store) -> dict[str, str]:
    return await sign_everybody_in(store, FrozenClock())


@pytest.fixture(scope="module")
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, FrozenClock()) as opened:
        yield opened


@pytest.mark.parametrize(
    "request_", BODIES, ids=lambda one: f"{one.operation_id} {one.headers['Content-Type']}"
)
async def test_a_request_is_one_that_the_handler_reads(
    client: httpx.AsyncClient, tokens: dict[str, str], request_: Request
) -> None:
    headers = {} if request_.actor == "public" else bearer(tokens[request_.actor])
    answered = await client.request(
        request_.method, request_.url, content=request_.content, headers=headers | request_.headers
    )
    assert code_of(answered) not in UNREAD, answered.text
