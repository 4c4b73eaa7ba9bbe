"""A measurement typed in by hand: kept once, marked as typed, refused in words where it cannot be."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.pages.citizen.vitals_typed_view import TYPED, batch_of
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen
from vitals.kinds import KINDS

PRESSURE, GLUCOSE = (KINDS[name].number for name in ("blood-pressure", "glucose"))
ADD = "/me/vitals/add"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_a_reading_is_typed_in_once_and_says_that_it_was(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    assert ADD in (await browser.get("/me/vitals")).links()
    path = f"{ADD}/{PRESSURE}"
    assert path in (await browser.get(ADD)).links()
    form = await browser.get(path)
    fields = form.form(path) | {"value": "132", "value2": "84", "ctx": "morning"}
    for _ in range(2):
        page = await browser.post(path, fields)
        assert page.status == 200, page.text
    assert "132/84" in page.text
    assert "tự nhập" in page.text
    kept = await client.get("/v1/me/vitals/blood-pressure/readings", headers=bearer(person.token))
    assert len(kept.json()["items"]) == 1, "a second press is the same reading"


async def test_a_typing_mistake_is_taken_out_again(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    browser, path = Browser(client, "citizen", person.token), f"{ADD}/{PRESSURE}"
    # An hour ago: what is measured at this very minute lies at the end of the last month.
    wrong: dict[str, str] = {"value": "232", "value2": "84", "at": "2026-11-21T08:00"}
    form = await browser.get(path)
    await browser.post(path, form.form(path) | wrong)
    action, one = f"/me/vitals/{PRESSURE}/delete", f"/me/vitals/{PRESSURE}"
    page = await browser.get(one)
    assert "232/84" in page.text
    stranger = Browser(client, "citizen", (await make_citizen(store, clock)).token)
    other = await stranger.get(path)
    await stranger.post(action, {"form": "", **other.form(path), **page.form(action)})
    assert "232/84" in (await browser.get(one)).text
    page = await browser.submit(page, action)
    assert "232/84" not in page.text
    assert (await browser.post(action, {})).status == 403


async def test_a_decimal_comma_is_understood(client: httpx.AsyncClient, person: Citizen) -> None:
    browser, path = Browser(client, "citizen", person.token), f"{ADD}/{GLUCOSE}"
    page = await browser.submit(await browser.get(path), path, value="6,5")
    assert "6,5" in page.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": "sáu"}, "Hãy ghi một số"),
        ({"value": "600"}, "không giống một số đo thật"),
        ({"value": "6", "at": "2030-01-01T08:00"}, "không thể ở tương lai"),
        ({"value": "6", "at": "hôm qua"}, "Hãy chọn ngày và giờ"),
    ],
)
async def test_what_cannot_be_kept_is_said_in_words_and_stays_typed(
    client: httpx.AsyncClient, person: Citizen, fields: dict[str, str], said: str
) -> None:
    browser, path = Browser(client, "citizen", person.token), f"{ADD}/{GLUCOSE}"
    form = await browser.get(path)
    page = await browser.post(path, form.form(path) | fields)
    assert page.status == 400
    assert said in page.text
    assert page.tree.get_element_by_id("value").get("value") == fields["value"]


async def test_no_form_for_what_no_one_types_and_none_without_its_secret(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    assert (await browser.get(f"{ADD}/{KINDS['steps'].number}")).status == 404
    assert (await browser.post(f"{ADD}/{GLUCOSE}", {})).status == 403


async def test_limits_are_listed_and_ones_own_can_be_ended(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser, path = Browser(client, "citizen", person.token), "/me/vitals/limits"
    assert path in (await browser.get("/me/vitals")).links()
    page = await browser.get(path)
    assert page.status == 200
    assert "mức chung" in page.text
    assert not [one for one in page.tree.iter("form") if (one.get("action") or "").endswith("/end")]
    rule = {"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 110}
    rules = await client.get("/v1/me/alert-rules", headers=bearer(person.token))
    body = {"rules": [rule], "version": rules.json()["version"]}
    done = await client.put("/v1/me/alert-rules", json=body, headers=bearer(person.token))
    assert done.status_code == 200, done.text
    page = await browser.get(path)
    assert "bạn đặt" in page.text
    (end,) = [act for one in page.tree.iter("form") if (act := one.get("action") or "").endswith("/end")]
    assert (await browser.post(end, {})).status == 403
    assert "bạn đặt" not in (await browser.submit(page, end)).text


def test_a_batch_names_the_everyday_unit(clock: FrozenClock) -> None:
    form = {"value": "58,5", "at": "2026-11-20T07:30", "once": "x"}
    for one in TYPED.values():
        batch = batch_of(one, form | {"value2": "80"}, clock.now())
        assert isinstance(batch, dict)
        (sample,) = batch["samples"]
        assert (sample["t"], sample["z"]) == ("2026-11-20T07:30:00+07:00", 420)
        assert sample["u"] in KINDS[one.kind].accepted
