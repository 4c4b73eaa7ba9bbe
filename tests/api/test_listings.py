"""What lists of the population say, read by the person alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from store.database import Store
from tests.identity.population.lists import file_of, insured, number, resident, table, take
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def test_a_person_reads_what_lists_say_and_the_groups_that_follow(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock, number=number())
    headers = bearer(citizen.token)
    before = (await client.get("/v1/me/listings", headers=headers)).json()
    assert (before["lists"], before["groups"]) == ([], [])
    row = resident(
        national_id=citizen.number,
        full_name=citizen.name,
        birth_date=citizen.birth_date,
        groups="Người lao động; poor-household; nhóm lạ",
        household="HK-5",
        phone="0903000444",
    )
    await take(store, clock, file_of(tmp_path, table([row])))
    card = row | {"insurance_card": f"HS479{insured()}", "valid_from": "01/01/2026", "groups": ""}
    await take(store, clock, file_of(tmp_path, table([card]), "cards.csv"), "cards")
    answer = await client.get("/v1/me/listings", headers=headers)
    assert answer.status_code == 200
    said = answer.json()
    assert [one["kind"] for one in said["lists"]] == ["cards", "residents"]
    assert said["lists"][1]["household"] == "HK-5"
    assert [one["key"] for one in said["groups"]] == ["pupils", "workers", "poor-household"]
    assert "903000444" not in answer.text
    coverage = await client.get("/v1/me/coverage", headers=headers)
    assert coverage.json()["items"][0]["valid_from"] == "2026-01-01"
    again = await client.get("/v1/me/coverage", headers=headers | {"If-None-Match": coverage.headers["etag"]})
    assert again.status_code == 304
    newer = card | {"valid_from": "01/01/2027"}
    await take(store, clock, file_of(tmp_path, table([newer]), "newer.csv"), "cards")
    changed = await client.get(
        "/v1/me/coverage", headers=headers | {"If-None-Match": coverage.headers["etag"]}
    )
    assert changed.status_code == 200, "a list moves no head of the record, and yet the answer is another"
    assert len(changed.json()["items"]) == 2
