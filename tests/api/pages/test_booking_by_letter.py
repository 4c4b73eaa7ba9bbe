"""A visit booked by a referral, on pages: from the list of appointments to the place, once."""

from collections.abc import AsyncIterator

import pytest

from store.database import Store
from tests.ehr.letters.test_letters import DAYS, Desk, set_up
from tests.support.booking import make_schedule
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import make_citizen

LIST = "/me/appointments"


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> AsyncIterator[Desk]:
    async with client_of(store, clock, letter_validity=DAYS, allowed_hosts=["localhost"]) as client:
        made = await set_up(store, clock, client)
        await made.issue("XML13")
        yield made


async def test_a_referral_leads_to_a_booked_visit_once(desk: Desk, store: Store, clock: FrozenClock) -> None:
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2, 2)
    letter = (await desk.letters())["referral"]
    browser = Browser(desk.client, "citizen", desk.person.token)
    above = f"{LIST}/letters/{letter['id']}"
    path = f"{above}/{plan['facility_id']}/{plan['schedule_id']}"
    assert above in (await browser.get(LIST)).links()
    assert path in (await browser.get(above)).links()
    times = await browser.get(path)
    first, second = [one.get("value") for one in times.tree.iter("input") if one.get("name") == "slot_id"][:2]
    nothing = await browser.submit(times, path)
    assert nothing.status >= 400
    assert path in [one.get("action") for one in nothing.tree.iter("form")]
    booked = await browser.submit(times, path, slot_id=first)
    assert booked.status == 200, booked.text
    assert "Đã có chỗ" in booked.text
    assert above not in (await browser.get(LIST)).links(), "a letter books one visit"
    again = await browser.submit(times, path, slot_id=second)
    assert again.status == 409
    assert (await desk.letters())["referral"]["booked_for"] == plan["slots"][0]["starts_at"][:10]


async def test_nobody_books_by_another_persons_letter(desk: Desk, store: Store, clock: FrozenClock) -> None:
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    letter = (await desk.letters())["referral"]
    own = Browser(desk.client, "citizen", desk.person.token)
    path = f"{LIST}/letters/{letter['id']}/{plan['facility_id']}/{plan['schedule_id']}"
    fields = (await own.get(path)).form(path) | {"slot_id": plan["slots"][0]["slot_id"]}
    stranger = Browser(desk.client, "citizen", (await make_citizen(store, clock)).token)
    theirs = (await stranger.get(path)).form(path)
    assert (await stranger.post(path, fields)).status == 403
    assert (await stranger.post(path, fields | theirs | {"slot_id": fields["slot_id"]})).status == 404
    assert (await own.post(path, {"slot_id": fields["slot_id"]})).status == 403
    assert (await desk.letters())["referral"]["may_book"]
