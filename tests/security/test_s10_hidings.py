"""What a merged person hid is told to nobody before that person's card was proven again (security.md S10)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.security.test_s10_reads import make_desk, prove
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id, write
from tests.support.registry import make_officers, merged

SECRET = "BIMATDAGIAU"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def _visit(title: str, ident: str) -> dict[str, object]:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": title}],
        "period": {"start": "2026-11-01T08:00:00+07:00"},
    }


async def test_s10_what_the_merged_person_hid_is_neither_listed_nor_shown_again_by_the_survivor(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    made = {}
    for person, title, ident in ((one, SECRET, "e1"), (other, "Khám", "e2")):
        await write(store, person.patient_id, [_visit(title, ident)], clock.now())
        body = {"kind": "Encounter", "id": our_id("a", ident)}
        answer = await client.post("/v1/me/hidings", headers=bearer(person.token), json=body)
        assert answer.status_code == 201, answer.text
        made[person.patient_id] = answer.json()["hiding_id"]
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, other, desk) is None
    listed = await client.get("/v1/me/hidings", headers=bearer(other.token))
    assert listed.status_code == 200
    assert SECRET not in listed.text
    assert [row["hiding"]["hiding_id"] for row in listed.json()["items"]] == [made[other.patient_id]]
    theirs = made[one.patient_id]
    assert (await client.delete(f"/v1/me/hidings/{theirs}", headers=bearer(other.token))).status_code == 404
    async with store.transaction() as tx:
        sql = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND hidden_from IS NOT NULL"
        assert await tx.fetchval(sql, other.patient_id) == 2
    own = made[other.patient_id]
    assert (await client.delete(f"/v1/me/hidings/{own}", headers=bearer(other.token))).status_code == 204
