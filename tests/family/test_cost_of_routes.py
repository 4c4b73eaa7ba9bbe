"""What acting for another adds to each reading route: at most one statement, counted over HTTP."""

from datetime import UTC, datetime

import httpx
import pytest

from identity.births import service as births
from store.database import Store
from tests.security.test_family_routes import TABLE
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import write
from tests.support.statements import CountingStore

QUERY = {"q": "sot", "code": "2823-3", "since": "2026-01-01", "until": "2026-12-31"}
READS = [r for r in routes() if r.method == "GET" and r.path.startswith("/v1/me")]
SESSION, LOG = "SELECT s.actor_id, s.session_id", "INSERT INTO audit_head"
# What a relative is shown there is what a notice was made of, so the notices are read.
ALSO = {"/v1/me/reminders/unanswered": 1}


async def costs(
    client: httpx.AsyncClient, store: CountingStore, headers: dict[str, str], paths: set[str]
) -> dict[str, tuple[int, int, int]]:
    """Path → (status, statements, transactions that decided). Rows of the log are left out: a relative's read
    has one where one's own has none."""
    found = {}
    for route in READS:
        if route.path not in paths:
            continue
        params = {name: QUERY.get(name, "abc") for name in route.query}
        # The first answer may make what the second one finds.
        for _ in range(2):
            store.taken()
            answer = await client.get(route.filled, params=params, headers=headers)
        said = [one for one in store.taken() if LOG not in one]
        found[route.path] = (answer.status_code, len(said), sum(SESSION in one for one in said))
    return found


def finding(number: int) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Kali"},
        "effectiveDateTime": datetime(2026, 10, 1 + number, tzinfo=UTC).isoformat(),
        "valueQuantity": {"value": 4.1, "unit": "mmol/L"},
    }


async def added(
    store: Store, clock: FrozenClock, relative: Citizen, person: Citizen, who: str
) -> dict[str, tuple[int, int]]:
    """Path → how many statements the relative costs more, and how many decisions there were, where both read
    the same."""
    await write(store, person.patient_id, [finding(number) for number in range(4)], clock.now())
    counting = CountingStore(store)
    async with client_of(counting, clock) as client:
        own = await costs(client, counting, bearer(person.token), TABLE[who])
        headers = bearer(relative.token) | {"X-Patient-Id": str(person.patient_id)}
        theirs = await costs(client, counting, headers, TABLE[who])
    return {
        path: (theirs[path][1] - own[path][1] - ALSO.get(path, 0), theirs[path][2])
        for path in own
        if own[path][0] == theirs[path][0] and own[path][0] in (200, 404)
    }


@pytest.mark.parametrize("who", ["guardian of a child of 8", "guardian of a youth", "proxy who reads"])
async def test_acting_for_another_adds_at_most_one_statement_to_any_reading_route(
    store: Store, clock: FrozenClock, who: str
) -> None:
    relative = await make_citizen(store, clock)
    born = {"guardian of a child of 8": "2018-01-01", "guardian of a youth": "2010-01-01"}.get(
        who, "1985-03-12"
    )
    person = await make_citizen(store, clock, birth_date=born)
    if who.startswith("guardian"):
        async with store.transaction() as tx:
            await births.link(tx, person.patient_id, relative.patient_id, None, clock.now())
    else:
        await make_proxy(store, clock, person, relative, "read-record")
    found = await added(store, clock, relative, person, who)
    assert len(found) > 15
    # A file is decided again in each of its transactions (security.md S13); everything else decides once.
    assert {path: more for path, (more, decisions) in found.items() if more > decisions} == {}
    assert sum(decisions == 1 for _, decisions in found.values()) > len(found) * 3 / 4
