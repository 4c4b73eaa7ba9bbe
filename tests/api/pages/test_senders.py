"""What pages say of an entry that several sent, and of one that the person does not see yet."""

from collections.abc import AsyncIterator

import httpx
import pytest

from ehr.visibility import release
from store.database import Store
from tests.ehr.test_redaction import coded
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, our_id, write

TEST = coded("Observation", "x", "X", "2026-11-02T08:00:00+07:00")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_an_entry_of_two_senders_stands_once_and_names_both(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    names = []
    for sender in ("a", "b"):
        facility = await make_facility(store, clock, code=f"{sender}{citizen.patient_id.hex[-4:]}")
        names.append(facility.name)
        source = hospital(sender, facility.facility_id)
        await write(store, citizen.patient_id, [TEST | {"id": sender}], clock.now(), source=source)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, citizen)
    own, staff = Browser(client, "citizen", citizen.token), Browser(client, "staff", doctor.token)
    book = f"/doctor/patients/{citizen.patient_id}"
    shown = our_id("a", "a"), our_id("b", "b")
    (ident,) = [one for one in shown if one in str((await own.get("/me/results")).links())]
    for browser, path in (
        (own, "/me/results"),
        (own, f"/me/results/{ident}"),
        (own, "/me/timeline"),
        (staff, book),
        (staff, f"{book}/results"),
        (staff, f"{book}/timeline"),
    ):
        said = (await browser.get(path)).tree.find_class("senders")
        text = " ".join(said[0].text_content().split()) if said else ""
        assert text.startswith("Cùng một mục, do nhiều nơi gửi:"), path
        assert text.count("(02/11/2026)") == 2, path
        assert all(name in text for name in names), path


async def test_a_doctor_is_told_that_the_person_does_not_see_it_yet(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    async with store.transaction() as tx:
        await release.set_policy(tx, facility.facility_id, "laboratory", "after-hours", 4, None, clock.now())
    source = hospital("a", facility.facility_id)
    await write(store, citizen.patient_id, [TEST], clock.now(), source=source, unit="episode:E1")
    await granted(store, clock, doctor, citizen)
    browser, book = Browser(client, "staff", doctor.token), f"/doctor/patients/{citizen.patient_id}"
    for part in ("", "/results"):
        assert "Người bệnh chưa xem được" in (await browser.get(book + part)).text, part
    clock.advance(seconds=4 * 3600)
    for part in ("", "/results"):
        assert "Người bệnh chưa xem được" not in (await browser.get(book + part)).text, part
