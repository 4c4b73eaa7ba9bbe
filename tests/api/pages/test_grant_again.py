"""A grant agreed to once more with the browser's key: held and confirmed, or renewed."""

from collections.abc import AsyncIterator

import httpx
import pytest

from kernel.access import Access
from store.database import Store
from tests.consent.test_holds import reset_factors
from tests.support.clock import FrozenClock
from tests.support.consent import granted, read
from tests.support.http import client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again

WEEK = 7 * 86400


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), name="Bùi Quang Ứng")


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def keyed(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> KeyedBrowser:
    return await keyed_browser(store, clock, client, citizen)


async def test_a_held_grant_stands_again_by_the_key_alone(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    grant = await granted(store, clock, doctor, citizen, duration_seconds=WEEK)
    await reset_factors(store, clock, doctor)
    keyed = await keyed_browser(store, clock, client, citizen)
    where = f"/me/sharing/grants/{grant.grant_id}"
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), str)
    page = await keyed.pages.get(where)
    assert "Tạm dừng, chờ bạn xác nhận" in page.text
    wrong = await keyed.pages.submit(page, f"{where}/confirm", signature="")
    assert wrong.status >= 400
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), str)
    done = await keyed.sign(await keyed.pages.get(where), f"{where}/confirm")
    assert done.status == 200, done.text
    assert "Đang xem được" in done.text
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)


async def test_a_grant_is_renewed_from_now_as_it_was(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> None:
    grant = await granted(store, clock, doctor, citizen, duration_seconds=WEEK)
    clock.advance(days=5)
    keyed = await keyed_browser(store, clock, client, citizen)
    await sign_in_again(store, clock, doctor)
    where = f"/me/sharing/grants/{grant.grant_id}"
    assert f"{where}/renew" in (await keyed.pages.get(where)).links()
    page = await keyed.pages.get(f"{where}/renew")
    assert "7 ngày" in page.text
    done = await keyed.sign(page, f"{where}/renew")
    assert done.status == 200, done.text
    clock.advance(days=6)
    await sign_in_again(store, clock, doctor)
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)


async def test_a_short_grant_is_not_renewed_and_the_page_says_what_to_do(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, keyed: KeyedBrowser
) -> None:
    grant = await granted(store, clock, doctor, citizen, duration_seconds=3600)
    where = f"/me/sharing/grants/{grant.grant_id}"
    assert f"{where}/renew" not in (await keyed.pages.get(where)).links()
    page = await keyed.pages.get(f"{where}/renew")
    assert "Hãy để bác sĩ gửi yêu cầu mới" in page.text
    assert not [one for one in page.tree.iter("form") if one.get("data-sign")]
