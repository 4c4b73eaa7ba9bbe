"""Values at the edge of what a field takes are refused or served, never a fault of ours."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility

CURSOR_WITH_NUL = base64.urlsafe_b64encode(json.dumps([1, "a\0b"]).encode()).rstrip(b"=").decode()


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "search?q=a%00b",
        "results/trend?code=%00",
        f"timeline?cursor={CURSOR_WITH_NUL}",
        f"search?q=ab&cursor={CURSOR_WITH_NUL}",
    ],
)
async def test_a_nul_in_an_address_is_a_bad_value(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, path: str
) -> None:
    person = await make_citizen(store, clock)
    response = await client.get(f"/v1/me/{path}", headers=bearer(person.token))
    assert response.status_code == 400, response.text


@pytest.mark.parametrize("who", ["practitioner", "operator"])
async def test_a_nul_in_a_body_is_a_malformed_body(client: httpx.AsyncClient, who: str) -> None:
    body = {"username": "a\0b", "password": "x", "totp": "123456"}
    response = await client.post(f"/v1/auth/{who}/sign-in", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed-body")


@pytest.mark.parametrize(
    ("since", "until"),
    [(date.min, None), (None, date.max), (date.min, date.min), (date.max, date.max), (date.min, date.max)],
)
async def test_a_grant_to_the_ends_of_the_calendar_can_be_read(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    since: date | None,
    until: date | None,
) -> None:
    person = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, person, since=since, until=until)
    for path in ("summary", "timeline", "results", "search?q=ab"):
        response = await client.get(
            f"/v1/doctor/patients/{person.patient_id}/{path}", headers=bearer(doctor.token)
        )
        assert response.status_code == 200, (path, response.text)
