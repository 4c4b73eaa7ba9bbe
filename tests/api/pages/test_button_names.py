"""Buttons of the same words say whose they are, to somebody who hears them one by one."""

import pytest

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.support.reading_pages import alike_buttons


@pytest.mark.parametrize("path", ["/me/sharing", "/me/who-can-see-me", "/me/notices", "/me/settings"])
async def test_two_doctors_and_what_they_may_do_are_told_apart(
    store: Store, clock: FrozenClock, path: str
) -> None:
    person = await make_citizen(store, clock)
    for name in ("Bùi Quang Ứng", "Lý Thị Ánh"):
        doctor = await make_doctor(store, clock, await make_facility(store, clock), name=name)
        await granted(store, clock, doctor, person)
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        page = await Browser(client, "citizen", person.token).get(path)
    assert page.status == 200
    assert alike_buttons(page) == []


async def test_what_updates_itself_gives_the_keyboard_back(store: Store, clock: FrozenClock) -> None:
    """htmx finds what had the focus by its id alone."""
    person = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, person)
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        own, screen = Browser(client, "citizen", person.token), Browser(client, "staff", doctor.token)
        pages = [await own.get("/me/today/waiting/1"), await own.get("/me/requests/waiting/1")]
        pages.append(await screen.get(f"/doctor/requests/{request.request_id}"))
    for page in pages:
        links = list(page.tree.get_element_by_id("waiting").iter("a"))
        assert links
        assert all(one.get("id") for one in links)
