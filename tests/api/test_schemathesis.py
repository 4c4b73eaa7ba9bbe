"""Generated requests against the served document: no 5xx, no undocumented status, content type or body.

schemathesis would call the application in a loop of its own, where our pool is no use (stack.md §11);
so it makes the cases and judges the answers, and the request runs here.
"""

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.pages.docs import served_document
from store.database import Store
from tests.support.actors import sign_everybody_in
from tests.support.clock import FrozenClock
from tests.support.generated import send
from tests.support.http import bearer, client_of

DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
OPERATIONS = {
    operation.ok().definition.raw["operationId"]: operation.ok()
    for operation in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}
EXAMPLES = 60 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
async def tokens(store: Store) -> dict[str, str]:
    return await sign_everybody_in(store, FrozenClock())


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_the_answer_is_what_the_document_says(
    client: httpx.AsyncClient, tokens: dict[str, str], name: str, data: st.DataObject
) -> None:
    operation = OPERATIONS[name]
    mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case = data.draw(operation.as_strategy(generation_mode=mode))
    actors = operation.definition.raw["x-actors"]
    # The session that signs out is gone afterwards, which is an answer of the document too.
    headers = {} if "public" in actors else bearer(tokens[data.draw(st.sampled_from(actors))])
    if name == "sign_out":
        headers = bearer("A" * 64)
    response = await send(client, case, headers)
    case.validate_response(response, checks=CHECKS)
