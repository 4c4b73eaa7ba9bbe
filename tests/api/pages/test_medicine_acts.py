"""What a person does on the page of medicines: other times to be reminded at, and a finding that was asked
about."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from api.pages.citizen.medicines_view import times_shown, times_typed
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.medicines import medicine
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, renew_session
from tests.support.record import hospital, write
from tests.support.reminding import Reminding, drug, make_reminding

MEDICINES = "/me/medicines"
SOME = "01985e2c-7a00-7abc-8def-0123456789ab"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def here(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: FilesystemBlobs,
    clock: FrozenClock,
) -> AsyncIterator[Reminding]:
    """In a database of the test's own: timers are everybody's."""
    name = await make_database()
    opened: list[Store] = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner", "hb_delivery")
    ]
    async with client_of(opened[0], clock, allowed_hosts=["localhost"]) as client:
        yield await make_reminding(opened[0], opened[1], opened[2], clock, client)
    for one in opened:
        await one.close()


async def browser_of(here: Reminding) -> Browser:
    return Browser(here.client, "citizen", await renew_session(here.store, here.clock, here.citizen))


def times_links(page: Page) -> list[str]:
    return [one for one in page.links() if one.endswith("/times")]


async def test_the_hours_of_a_reminder_are_changed(here: Reminding) -> None:
    code = await here.send(drug("Uống 2 lần/ngày, sáng 1 viên, tối 1 viên", 10))
    await here.dispense(code, (1, "10"))
    browser = await browser_of(here)
    (link,) = times_links(await browser.get(MEDICINES))
    form = await browser.get(link)
    before = [one.get("value") for one in form.tree.iter("input") if one.get("type") == "time"]
    assert len([one for one in before if one]) == 2
    chosen: Any = {"time-1": "06:15", "time-2": "18:45"}
    page = await browser.submit(form, link, **chosen)
    assert page.status == 200
    assert "06:15, 18:45" in page.text
    assert (await here.reminders())[0]["times"] == ["06:15", "18:45"]


async def test_without_a_time_the_form_says_what_is_wrong_and_stays(here: Reminding) -> None:
    code = await here.send(drug("Uống 2 lần/ngày, sáng 1 viên, tối 1 viên", 10))
    await here.dispense(code, (1, "10"))
    browser = await browser_of(here)
    (link,) = times_links(await browser.get(MEDICINES))
    form = await browser.get(link)
    empty: Any = {name: "" for name in form.form(link) if name.startswith("time-")}
    page = await browser.submit(form, link, **empty)
    assert page.status == 400
    assert page.tree.get_element_by_id("time-1") is not None


async def test_a_reminder_of_somebody_else_is_nobodys(here: Reminding) -> None:
    browser = await browser_of(here)
    assert (await browser.get(f"{MEDICINES}/reminders/{SOME}/times")).status == 404


async def test_a_finding_is_put_away_with_its_reason(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, [medicine("1", "Zinzol")], clock.now())
    await write(store, person.patient_id, [medicine("2", "Zinzol")], clock.now(), source=hospital("b"))
    browser = Browser(client, "citizen", person.token)
    page = await browser.get(MEDICINES)
    assert "Cùng một hoạt chất" in page.text
    action = f"{MEDICINES}/findings"
    without = await browser.submit(page, action)
    assert without.status == 400
    assert "Cùng một hoạt chất" in without.text
    page = await browser.submit(page, action, reason="weighed")
    assert page.status == 200
    assert "Cùng một hoạt chất" not in page.text
    gone = await browser.submit(without, action, reason="other", finding_id="../../me")
    assert gone.status == 404 or "Cùng một hoạt chất" not in gone.text


async def test_each_form_needs_its_secret(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = Browser(client, "citizen", (await make_citizen(store, clock)).token)
    for path in (f"{MEDICINES}/findings", f"{MEDICINES}/reminders/{SOME}/times"):
        assert (await browser.post(path, {})).status == 403


def test_times_in_order_each_once() -> None:
    form = {"time-1": "20:00", "time-2": "07:00", "time-3": "", "time-4": "07:00", "days": "7"}
    assert times_typed(form) == {"times": ["07:00", "20:00"], "days": 7}
    assert times_typed({"days": "bảy"}) == {"times": [], "days": None}
    assert times_shown({"times": ["07:00"]}) == ["07:00", "", ""]
    assert len(times_shown({"times": ["07:00"] * 12})) == 12
