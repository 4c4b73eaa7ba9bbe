"""The door of pages for doctors and staff."""

from collections.abc import AsyncIterator

import httpx
import pytest

from identity import practitioners
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.page_doors import actor_of, staff_in
from tests.support.pages import Browser
from tests.support.people import make_doctor, make_facility


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.mark.parametrize(("role", "goes_to"), [("doctor", "/doctor"), ("clerk", "/facility")])
async def test_password_and_one_time_password_lead_to_the_work(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, role: str, goes_to: str
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock), role)  # type: ignore[arg-type]
    browser = Browser(client)
    page = await staff_in(clock, browser, doctor)
    assert page.response.headers["location"] == goes_to
    actor = await actor_of(store, clock, browser.cookies["staff"])
    assert actor is not None
    assert actor.actor_id == doctor.practitioner_id


async def test_a_wrong_factor_opens_nothing_and_keeps_the_name(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    browser = Browser(client)
    page = await browser.get("/doctor/sign-in")
    for fields in (
        {"password": "x", "totp": doctor.totp(clock)},
        {"password": doctor.password, "totp": "000000"},
        {"password": doctor.password, "totp": "abc"},
        {"password": "", "totp": ""},
    ):
        page = await browser.submit(page, "/doctor/sign-in", username=doctor.username, **fields)
        assert page.status in {400, 401}
        assert page.form("/doctor/sign-in")["username"] == doctor.username
        assert page.form("/doctor/sign-in")["password"] == ""
    assert "staff" not in browser.cookies


async def test_who_has_two_roles_is_asked_in_which_to_work(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    async with store.transaction() as tx:
        second = await practitioners.add_role(
            tx, doctor.practitioner_id, facility.facility_id, "facility-admin", clock.now()
        )
    browser = Browser(client)
    page = await staff_in(clock, browser, doctor)
    first = browser.cookies["staff"]
    assert page.status == 200
    stolen = {**page.form("/doctor/sign-in/role"), "role": str(second)}
    refused = await browser.post("/doctor/sign-in/role", stolen | {"door": "x"}, follow=False)
    assert refused.response.headers["location"] == "/doctor/sign-in"
    browser.cookies["staff"] = first
    went = await browser.post("/doctor/sign-in/role", stolen, follow=False)
    assert went.response.headers["location"] == "/facility"
    actor = await actor_of(store, clock, browser.cookies["staff"])
    assert actor is not None
    assert actor.role == "facility-admin"
    assert await actor_of(store, clock, first) is None


async def test_signing_out_ends_the_session(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    browser = Browser(client)
    await staff_in(clock, browser, doctor)
    token = browser.cookies["staff"]
    page = await browser.get("/doctor/sign-in")
    await browser.submit(page, "/doctor/sign-out")
    assert "staff" not in browser.cookies
    assert await actor_of(store, clock, token) is None
