"""Rights over the own data: what was asked, until when it is owed, and an erasure that is stopped."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.pages.citizen.rights_view import request_card
from healthbook.dispatch import dispatch
from kernel.ids import bucket_of
from store.database import Store
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen
from tests.support.sharing import signed

PATH = "/me/rights"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
def browser(client: httpx.AsyncClient, citizen: Citizen) -> Browser:
    return Browser(client, "citizen", citizen.token)


async def erasure(client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen) -> None:
    body = signed(citizen, "erase-person", {}, clock.now())
    asked = await client.post("/v1/me/erasure", json=body, headers=bearer(citizen.token))
    assert asked.status_code == 202, asked.text


async def test_nothing_was_asked_yet(browser: Browser) -> None:
    assert PATH in (await browser.get("/me/settings")).links()
    page = await browser.get(PATH)
    assert "Bạn chưa yêu cầu gì về dữ liệu của mình." in page.text
    assert "sắp bị xóa" not in page.text
    assert page.tree.xpath("//main//input[@checked]") == []


async def test_a_request_is_sent_once_and_listed_with_its_terms(browser: Browser) -> None:
    page = await browser.get(PATH)
    silent = await browser.submit(page, PATH)
    assert silent.status == 400
    assert "Hãy chọn điều bạn muốn yêu cầu." in silent.text
    for _ in range(2):
        made = await browser.submit(page, PATH, kind="restriction")
    assert len(made.tree.xpath("//main//li[@class='card']")) == 1
    assert "Đang chờ trả lời" in made.text
    assert "Phải trả lời, chậm nhất hết ngày" in made.text
    assert "Hạn chế việc dùng dữ liệu của tôi" in made.text


async def test_an_erasure_that_waits_is_stopped_even_without_a_key(
    client: httpx.AsyncClient, owner: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    await erasure(client, clock, citizen)
    async with owner.transaction() as tx:
        sql = "UPDATE device SET probation_until = $2 WHERE patient_id = $1"
        await tx.execute(sql, citizen.patient_id, clock.now() + timedelta(hours=72))
    page = await browser.get(PATH)
    assert "Toàn bộ hồ sơ của bạn sắp bị xóa" in page.text
    kept = await browser.submit(page, f"{PATH}/keep")
    assert kept.status == 200
    assert "sắp bị xóa" not in kept.text
    again = await browser.submit(page, f"{PATH}/keep")
    assert again.status == 404
    assert "Không có yêu cầu xóa hồ sơ nào đang chờ." in again.text


async def test_the_notice_of_an_erasure_leads_to_where_it_is_stopped(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    await erasure(client, clock, citizen)
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
    page = await browser.get("/me/notices")
    (action,) = page.tree.xpath("//form[input[@name='place' and @value='/me/rights']]/@action")
    browser.cookies["display"] = "en.normal.auto"
    opened = await browser.submit(page, action)
    assert "Everything about you is about to be erased" in opened.text


@pytest.mark.parametrize(
    ("answered", "outcome", "state", "due"),
    [
        (None, None, "Đang chờ trả lời", "Phải trả lời, chậm nhất hết ngày 24/11/2026; làm xong, chậm nhất"),
        (
            "2026-11-24T01:00:00Z",
            None,
            "Đã trả lời, đang làm",
            "Phải làm xong, chậm nhất hết ngày 07/12",
        ),
        ("2026-11-24T01:00:00Z", "refused", "Không được chấp nhận", ""),
    ],
)
def test_each_state_says_what_is_owed(
    answered: str | None, outcome: str | None, state: str, due: str
) -> None:
    request = {"kind": "access", "opened_at": "2026-11-22T01:00:00Z", "answer_by": "2026-11-24T17:00:00Z"}
    more = {"done_by": "2026-12-07T17:00:00Z", "extended": False, "answered_at": answered, "outcome": outcome}
    card = request_card(request | more, english=False)
    assert card["state"] == state
    assert card["due"].startswith(due)
    assert bool(card["due"]) is bool(due)
