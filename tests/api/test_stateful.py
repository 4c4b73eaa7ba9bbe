"""Operations one after another, along the links of the document: what one answers, the next is asked.

schemathesis makes the machine from the links and judges every answer; each operation is called by somebody
who may. Its steps are no coroutines, so the application runs in an event loop of a thread, with a pool of its
own. The people are those of the demo, so that lists are not empty.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import Bundle
from schemathesis import GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.stateful.control import TransitionController
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.stateful import transition

from api.pages.docs import served_document
from healthbook.demo import build_demo
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.cast import Cast
from tests.support.clock import START, FrozenClock
from tests.support.generated import send
from tests.support.http import bearer, client_of
from tests.support.signing_process import running_signer

DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
CASES = 5_000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 300
STEPS = 25
ARRIVED_LEAST = 10
# What each scenario costs of budgets is given back by the time to the next.
BETWEEN = timedelta(minutes=20)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
RUN = settings(
    max_examples=8,
    stateful_step_count=STEPS,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {
    result.ok().definition.raw["operationId"]: result.ok() for result in SCHEMA.get_all_operations()
}
LINKS = [
    (source, status, name)
    for source, operation in OPERATIONS.items()
    for status, response in operation.definition.raw["responses"].items()
    for name in response.get("links", {})
]


@dataclass
class Travels:
    """What happened on the way."""

    portal: BlockingPortal
    client: httpx.AsyncClient
    cast: Cast
    clock: FrozenClock
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    tokens: dict[str, str] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    followed: Counter[tuple[str, str]] = field(default_factory=Counter)
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """A new scenario: later, by another citizen, everybody signed in."""
        self.clock.advance(seconds=BETWEEN.total_seconds())
        self.tokens = self.portal.call(self.cast.turn)

    def tame(self, step: StepInput) -> None:
        """Most requests say no more than they must, and what the document shows: such lead further."""
        case = step.case
        if case.meta is not None and case.meta.generation.mode is GenerationMode.NEGATIVE:
            return
        raw = case.operation.definition.raw
        if self.chance.random() < 0.85:
            needed = {parameter["name"] for parameter in raw.get("parameters", ()) if parameter["required"]}
            case.headers = {name: value for name, value in (case.headers or {}).items() if name in needed}
            if step.transition is None:
                case.query = {name: value for name, value in (case.query or {}).items() if name in needed}
        media = raw.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in media and self.chance.random() < 0.6:
            case.body = media["example"]

    def call(self, case: Any) -> Response:
        operation = case.operation.definition.raw
        name, actors = operation["operationId"], operation["x-actors"]
        self.called[name] += 1
        headers = {} if "public" in actors else bearer(self.tokens[self.chance.choice(actors)])
        if name == "sign_out":
            headers = bearer("A" * 64)
        try:
            answered = self.portal.call(send, self.client, case, headers)
        except Exception as error:  # the machine would take any for flaky, and go on
            self.failures.setdefault(name, f"{type(error).__name__}: {error}")
            answered = httpx.Response(500, request=httpx.Request("GET", "http://localhost"))
            answered.elapsed = timedelta()
        self.statuses[answered.status_code] += 1
        return Response.from_any(answered)

    def judge(self, case: Any, response: Response) -> None:
        """Failures are kept, one for each operation: what is told at the end is all of them."""
        name = case.operation.definition.raw["operationId"]
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failure:
            self.failures.setdefault(
                name, f"{failure}\n{case.path_parameters} {case.query} {case.body!r}"[:3000]
            )


@pytest.fixture(scope="module")
def travels(server: Server, database: str, keys: KeyRing, blobs: FilesystemBlobs) -> Iterator[Travels]:
    clock = FrozenClock(START)
    with start_blocking_portal() as portal:
        stack = AsyncExitStack()

        async def opened(role: str) -> Store:
            store = await open_store(server.dsn(role, database), role=role, keys=keys, blobs=blobs)
            stack.push_async_callback(store.close)
            return store

        async def open_all() -> tuple[Cast, httpx.AsyncClient]:
            store, owner = await opened("hb_api"), await opened("hb_owner")
            signer = await stack.enter_async_context(running_signer(server, database, owner, clock))
            sheet = await build_demo(store, signer, START, "http://localhost:8000", lambda _: None)
            cast = Cast(store, clock, sheet)
            await cast.begin()
            return cast, await stack.enter_async_context(client_of(store, clock, signer=signer))

        try:
            cast, client = portal.call(open_all)
            yield Travels(portal, client, cast, clock)
        finally:
            portal.call(stack.aclose)


class LinksFirst(TransitionController):
    """No new start while an answer of this scenario has a link that nobody followed."""

    def __init__(self, machine: Any) -> None:
        super().__init__(machine._transitions, machine._root_labels)
        self.max_operations_per_source = 1

    def allow_root_transition(self, source: str, bundles: Any) -> bool:  # noqa: ARG002
        return not any(
            values
            and any(
                link.status_code == name.partition(" -> ")[2]
                and self.allow_transition(link.source.label, link.target.label)
                for link in self.transitions.operations[name.partition(" -> ")[0]].outgoing
            )
            for name, values in bundles.items()
            if name.partition(" -> ")[0] in self.transitions.operations
        )


def machine_of(travels: Travels) -> Any:
    """schemathesis' machine of the links, and a door into each operation that it leaves out."""

    def setup(self: Any) -> None:
        self.control = LinksFirst(self)
        travels.begin()

    def step(self: Any, input: StepInput) -> StepOutput:  # noqa: A002
        travels.tame(input)
        response = travels.call(input.case)
        self.after_call(response, input.case)
        travels.judge(input.case, response)
        if input.transition is not None and input.is_applied:
            parent = self.recorder.cases[input.transition.parent_id].value.operation.definition.raw
            way = parent["operationId"], input.case.operation.definition.raw["operationId"]
            travels.followed[way] += 1
            travels.arrived[way] += response.status_code < 300
        return StepOutput(response, input.case)

    made = SCHEMA.as_state_machine()
    doors = {
        f"door_to_{name}": transition(
            name=f"door_to_{name}",
            target=Bundle("catch_all"),
            precondition=lambda machine: machine.control.allow_root_transition("", machine.bundles),
            input=operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(StepInput.initial),
        )
        for name, operation in OPERATIONS.items()
        if operation.label not in made._transitions.operations
    }
    return type("Wanderer", (made,), {"setup": setup, "step": step, **doors})


def visit(travels: Travels, name: str) -> None:
    """One request of an operation that the machine never came to."""

    @settings(max_examples=1, phases=[Phase.generate], deadline=None, database=None, derandomize=True)
    @given(case=OPERATIONS[name].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def once(case: Any) -> None:
        travels.tame(StepInput.initial(case))
        travels.judge(case, travels.call(case))

    once()


def test_the_answers_along_the_links_are_what_the_document_says(travels: Travels) -> None:
    machine, runs = machine_of(travels), 0
    while travels.called.total() < CASES:
        runs += 1
        machine.rule_order_seed = runs
        # The service remembers, so a way begun alike may go on otherwise: then the next run begins anew. What
        # goes wrong is never told by Hypothesis but kept in `failures`.
        with suppress(Flaky):
            machine.run(settings=RUN)
    travels.begin()
    for name in sorted(OPERATIONS.keys() - travels.called.keys()):
        visit(travels, name)
    told = report(travels)
    assert not travels.failures, told + "".join(
        f"\n\n{name}: {text}" for name, text in travels.failures.items()
    )
    assert travels.called.keys() == OPERATIONS.keys(), told
    assert sum(1 for count in travels.arrived.values() if count) >= ARRIVED_LEAST, told


def report(travels: Travels) -> str:
    arrived = sum(1 for count in travels.arrived.values() if count)
    return (
        f"{travels.called.total()} cases, {len(travels.called)} of {len(OPERATIONS)} operations, "
        f"{len(travels.followed)} of {len(LINKS)} links followed, {arrived} of them to a success; "
        f"statuses {dict(sorted(travels.statuses.items()))}"
    )
