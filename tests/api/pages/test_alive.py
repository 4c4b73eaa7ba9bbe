"""What is on a screen goes when its ground ends: pages ask by themselves, and asking leaves no trace."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.pages.browser import form_secret
from store.database import Store
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.family import make_child
from tests.support.http import client_of
from tests.support.page_doors import signed_in, someone
from tests.support.pages import Browser
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.statements import CountingStore

ASKING = {"hx-request": "true", "x-by-itself": "1"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


@pytest.fixture
def staff(client: httpx.AsyncClient, doctor: Doctor) -> Browser:
    return Browser(client, "staff", doctor.token)


async def asks(client: httpx.AsyncClient, path: str, browser: Browser, **headers: str) -> tuple[int, str]:
    """(status, where the whole page goes) of what a page of this browser asks by itself."""
    carried = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    answer = await client.get(path, headers={**ASKING, "cookie": carried, **headers})
    client.cookies.clear()
    assert answer.content == b""
    return answer.status_code, answer.headers.get("hx-redirect", "")


async def trace(owner: Store) -> list[int]:
    """Rows that looking at a record, or being refused it, would leave."""
    async with owner.transaction() as tx:
        names = ("access_log", "audit_leaf", "outbox")
        return [(await tx.fetch(f"SELECT count(*) FROM {name}"))[0][0] for name in names]


def place_of(page: object) -> list[str]:
    tree = page.tree  # type: ignore[attr-defined]
    return tree.xpath('//*[@id="alive"]/@hx-get')  # type: ignore[no-any-return]


async def test_a_citizen_s_page_leaves_when_the_session_is_over(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    page = await browser.get("/me/settings")
    assert place_of(page) == ["/me/alive"]
    before = await trace(owner)
    for _ in range(14):
        clock.advance(minutes=1)
        assert await asks(client, "/me/alive", browser) == (204, "")
    assert await trace(owner) == before
    clock.advance(minutes=2)
    assert await asks(client, "/me/alive", browser) == (200, "/sign-in/ended")
    said = await Browser(client).get("/sign-in/ended")
    assert "Bạn đã được đăng xuất" in said.text
    assert said.form("/sign-in")["who"] == ""
    assert "Bạn đã được đăng xuất" not in (await Browser(client).get("/sign-in")).text


async def test_a_relative_s_book_that_opens_no_longer_leaves_the_screen(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    mother, stranger = await someone(store, clock), await someone(store, clock)
    browser = await signed_in(client, store, clock, mother)
    browser.cookies["book"] = str(await make_child(store, clock, mother))
    before = await trace(owner)
    assert await asks(client, "/me/alive", browser) == (204, "")
    assert await trace(owner) == before
    browser.cookies["book"] = str(stranger.patient_id)
    assert await asks(client, "/me/alive", browser) == (200, "/me/family")


async def test_who_left_in_another_tab_is_gone_from_this_one(client: httpx.AsyncClient) -> None:
    assert await asks(client, "/me/alive", Browser(client)) == (200, "/sign-in/ended")
    assert await asks(client, "/doctor/alive", Browser(client)) == (200, "/doctor/sign-in/ended")


async def test_a_page_of_staff_leaves_when_the_session_is_over(
    client: httpx.AsyncClient, staff: Browser, clock: FrozenClock
) -> None:
    assert place_of(await staff.get("/doctor")) == ["/doctor/alive"]
    assert await asks(client, "/doctor/alive", staff) == (204, "")
    clock.advance(hours=13)
    assert await asks(client, "/doctor/alive", staff) == (200, "/doctor/sign-in/ended")
    assert "Bạn đã được đăng xuất" in (await Browser(client).get("/doctor/sign-in/ended")).text


async def test_a_patient_s_page_leaves_when_the_access_is_taken_back(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    staff: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    grant = await granted(store, clock, doctor, person)
    here = f"/doctor/patients/{person.patient_id}"
    assert place_of(await staff.get(here)) == [f"{here}/alive"]
    before = await trace(owner)
    assert await asks(client, f"{here}/alive", staff) == (204, "")
    assert await trace(owner) == before
    assert await revoke(store, clock, person, grant.grant_id) is None
    before = await trace(owner)
    assert await asks(client, f"{here}/alive", staff) == (200, "/doctor/ended")
    page = await staff.get("/doctor/ended")
    assert await trace(owner) == before
    assert "Quyền xem sổ này đã kết thúc" in page.text
    assert page.status == 200
    # A page that says so has nothing left to lose but the session.
    assert place_of(await staff.get(here)) == ["/doctor/alive"]


async def test_a_patient_s_page_leaves_when_the_time_is_over(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    staff: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    grant = await granted(store, clock, doctor, person)
    alive = f"/doctor/patients/{person.patient_id}/alive"
    clock.set(grant.ends_at)
    assert (await asks(client, alive, staff))[1] in ("/doctor/ended", "/doctor/sign-in/ended")


async def test_nobody_s_record_is_no_ground(
    client: httpx.AsyncClient, staff: Browser, person: Citizen
) -> None:
    """The same for a person who gave nothing and for one who is not there (S19)."""
    for patient_id in (person.patient_id, "019aa000-0000-7000-8000-000000000000"):
        assert await asks(client, f"/doctor/patients/{patient_id}/alive", staff) == (200, "/doctor/ended")


async def test_asking_is_cheap(
    store: Store, clock: FrozenClock, staff: Browser, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)
    counted, found = CountingStore(store), {}
    async with client_of(counted, clock, app_origin=authenticator.ORIGIN) as client:
        citizen = await signed_in(client, store, clock, await someone(store, clock))
        patient = f"/doctor/patients/{person.patient_id}/alive"
        for path, who in (("/me/alive", citizen), ("/doctor/alive", staff), (patient, staff)):
            counted.taken()
            await asks(client, path, who)
            found[path] = len([one for one in counted.taken() if one.lstrip().startswith(("SELECT", "WITH"))])
    assert max(found.values()) <= 6, found


async def test_a_part_that_was_drawn_for_another_book_starts_anew(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Two tabs: one shows the child's book, the other one opened the own."""
    mother = await someone(store, clock)
    child = await make_child(store, clock, mother)
    browser = await signed_in(client, store, clock, mother)
    token = browser.cookies["citizen"]
    drawn = form_secret(token, str(child))
    for path in ("/me/alive", "/me/today/waiting/2", "/me/requests/waiting/2", "/me/card/code"):
        assert await asks(client, path, browser, **{"x-drawn": drawn}) == (200, "/"), path
    assert await asks(client, "/me/alive", browser, **{"x-drawn": form_secret(token, "")}) == (204, "")


async def test_every_part_says_for_whom_it_was_drawn(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    secret = form_secret(browser.cookies["citizen"], "")
    for path in ("/", "/me/requests", "/me/card/code", "/me/log"):
        tree = (await browser.get(path)).tree
        said = tree.xpath("//*[contains(@hx-headers, 'X-By-Itself')]/@hx-headers")
        assert said, path
        assert all(f'"X-Drawn": "{secret}"' in one for one in said), path
