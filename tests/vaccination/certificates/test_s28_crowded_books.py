"""What somebody sends into a book pushes no certificate and no card out of it (security.md S28)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.certifying import covid, days_ago, issued, listed, make_station, send, text_of
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import hospital, our_id, write
from tests.support.signing_process import RunningSigner
from tests.vaccination.certificates.test_following import work
from vaccination.book.queries import DOSES_MAX

CARDS = "/v1/me/health-cards"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def test_s28_more_newer_doses_than_a_book_shows_revoke_nothing(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    other = await make_station(store, clock, authorised=False)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 20)))
    made = await issued(client, who.token, our_id(station.name, "d"))
    text = await text_of(client, who.token, made["certificate_id"])
    card = await client.post(CARDS, headers=bearer(who.token), json={"book": "adult"})
    assert card.status_code == 201, card.text
    source = hospital(other.name, other.facility_id)
    for unit in range(DOSES_MAX // 100 + 1):
        rows = [covid(f"x{unit}-{i}", days_ago(clock, 1), code="08") for i in range(100)]
        await write(store, who.patient_id, rows, clock.now(), source=source, unit=f"u{unit}")
    await work(store, delivery, clock, signer)
    verdict = await client.post("/v1/public/certificates/verify", json={"text": text})
    assert verdict.json()["status"] == "VERIFIED"
    assert (await listed(client, who.token))["ended"] == []
    cards = (await client.get(CARDS, headers=bearer(who.token))).json()
    assert cards["ended"] == []
    assert [one["card"]["state"] for one in cards["books"] if one["card"]] == ["valid"]
