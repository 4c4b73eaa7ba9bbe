"""What one search may cost: few values, few documents, one at a time, and nothing told by its cost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ids import uuid7
from kernel.problems import ProblemError
from partners.fhir.kinds import KINDS
from partners.fhir.queries import CANDIDATES_MAX
from partners.fhir.searching import read_search
from partners.fhir.turns import SearchTurns
from store.database import Store, Tx
from tests.consent import test_presence
from tests.partners.fhir.test_endpoint import code_of, connected, lab, with_labs
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.oauth import open_app
from tests.support.record import our_id


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


class Recorder(test_presence.Recorder):
    """Writes down the statements of clients' requests too."""

    @asynccontextmanager
    async def transaction_after(self, first: Callable[[Tx], Awaitable[None]]) -> AsyncIterator[Tx]:
        async def noted(tx: Tx) -> None:
            with self._listening(tx):
                await first(tx)

        async with self.inner.transaction_after(noted) as tx:
            with self._listening(tx):
                yield tx


@pytest.mark.parametrize(
    "pairs",
    [
        [("code", "a")] * 3,
        [("code", ",".join(f"a{number}" for number in range(21)))],
        [("code", ",".join(f"a{number}" for number in range(11))), ("status", ",".join("bcdefghijk"))],
        [("date", "ge2026"), ("date", "lt2027"), ("date", "ne2026-05")],
        [("_id", "a")] * 3,
    ],
)
def test_s33_a_search_compares_with_few_values(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ProblemError) as refused:
        read_search("Observation", pairs)
    assert refused.value.refused.problem.code == "fhir-parameter"


async def test_s33_more_documents_than_are_read_at_once_have_to_be_narrowed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    old = [lab(f"o{number}", 5, "2020-01-01") for number in range(CANDIDATES_MAX)]
    person = await with_labs(store, clock, *old, lab("new", 6, "2026-01-01"))
    app = await connected(client, store, clock, person)
    refused = await app.get("Observation?code=2345-7")
    assert (refused.status_code, code_of(refused)) == (403, "fhir-too-costly")
    assert (await app.found("Observation?code=2345-7&date=lt2026&_count=1"))["total"] == CANDIDATES_MAX
    # Where no document is compared there is nothing to narrow.
    assert (await app.found("Observation?_count=1"))["total"] == CANDIDATES_MAX + 1


async def test_s33_a_consents_searches_take_turns() -> None:
    turns, one, other = SearchTurns(2, wait_seconds=0), UUID(int=1), UUID(int=2)
    async with turns.of(one):
        with pytest.raises(ProblemError) as refused:
            async with turns.of(one):
                raise AssertionError
        assert refused.value.refused.problem.code == "too-many"
        assert refused.value.refused.retry_after_seconds
        async with turns.of(other):
            with pytest.raises(ProblemError):
                async with turns.of(UUID(int=3)):
                    raise AssertionError
    async with turns.of(one):
        pass


async def test_what_an_app_asks_for_all_at_once_is_answered(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    app = await connected(client, store, clock, await with_labs(store, clock, lab("o1", 5, "2026-01-01")))
    paths = ["Observation?code=2345-7", "Observation?category=laboratory", "Condition?category=x"] * 3
    found = await asyncio.gather(*(app.found(path) for path in paths))
    assert [page["total"] for page in found] == [1, 1, 0] * 3


async def test_s19_every_id_that_opens_nothing_costs_the_same(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Nobody's, another app's, another person's, our own of the person's row, and one that cannot be."""
    person, somebody = [await with_labs(store, clock, lab("o1", 5, "2026-01-01")) for _ in range(2)]
    app, again = [await connected(client, store, clock, person) for _ in range(2)]
    stranger = await connected(client, store, clock, somebody)
    (theirs,), (foreign,) = [await one.resources("Observation") for one in (again, stranger)]
    idents = [uuid7(clock.now()).hex, theirs["id"], foreign["id"], our_id("a", "o1"), "nobody"]
    await app.get("Observation/x")
    recorder, seen = Recorder(store), []
    async with client_of(recorder, clock) as http:
        for ident in idents:
            recorder.statements.clear()
            answer = await http.get(f"/fhir/Observation/{ident}", headers=bearer(app.token))
            headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
            seen.append((answer.status_code, answer.content, headers, list(recorder.statements)))
    assert seen[0][0] == 404
    assert len(seen[0][3]) > 3
    assert all(one == seen[0] for one in seen)


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["_id", "_count", "_cursor", "code", "date", "status", "category", "patient"])
        | st.text(max_size=8),
        st.text(max_size=30) | st.sampled_from(["ge2026", "|", "a|", "|b", "a,b", "0", "-1", "%"]),
    ),
    max_size=4,
)


async def test_no_query_breaks_the_endpoint(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    token = await open_app(store, clock, quota_per_minute=10_000)
    asked: list[tuple[str, list[tuple[str, str]], bool]] = []

    @settings(max_examples=60, deadline=None, database=None)
    @given(kind=st.sampled_from(["Patient", *sorted(KINDS)]), pairs=PAIRS, in_form=st.booleans())
    def gather(kind: str, pairs: list[tuple[str, str]], in_form: bool) -> None:
        asked.append((kind, pairs, in_form))

    gather()
    for kind, pairs, in_form in asked:
        if in_form:
            answer = await client.post(f"/fhir/{kind}/_search", data=dict(pairs), headers=bearer(token))
        else:
            answer = await client.get(f"/fhir/{kind}", params=pairs, headers=bearer(token))
        assert answer.status_code in (200, 400, 403, 404, 406, 415), (kind, pairs, answer.text)
        assert answer.json()["resourceType"] in ("Bundle", "OperationOutcome")
