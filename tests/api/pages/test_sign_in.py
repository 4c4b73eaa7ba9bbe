"""The doors of pages for people: letters and PIN, and the key that a browser makes behind them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.page_doors import (
    actor_of,
    dispatched,
    letters,
    make_key,
    sign_in,
    signed,
    signed_in,
    someone,
    to_code,
    with_key,
)
from tests.support.pages import Browser
from tests.support.people import new_number, new_phone_number


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    origin = authenticator.ORIGIN
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=origin) as opened:
        yield opened


async def test_letters_and_pin_open_the_own_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    asked = await to_code(browser, citizen.number)
    assert "Không đọc mã này cho ai, kể cả bác sĩ" in asked.text
    await sign_in(store, clock, browser, citizen)
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert (actor.actor_id, actor.device_id) == (citizen.patient_id, None)
    assert (await browser.get("/")).status == 200
    assert "visit" not in browser.cookies


async def test_a_phone_number_opens_it_too(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, "0" + citizen.phone_number[3:])
    code = await letters(store, clock, page)
    await browser.submit(page, "/sign-in/code", code=f" {code.lower()} ", pin=citizen.pin)
    assert "citizen" in browser.cookies


async def test_a_wrong_code_says_how_many_tries_are_left(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, citizen.number)
    for left in (4, 3, 2, 1, 0):
        page = await browser.submit(page, "/sign-in/code", code="AAAAAA", pin=citizen.pin)
        assert page.status == 401
        assert f"Còn {left} lần thử" in page.text
    page = await browser.submit(page, "/sign-in/code", code="AAAAAA", pin=citizen.pin)
    assert page.form("/sign-in")["who"] == citizen.number
    assert "citizen" not in browser.cookies


async def test_s2_letters_without_the_pin_open_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, citizen.number)
    code = await letters(store, clock, page)
    for pin in ("", "000000"):
        page = await browser.submit(page, "/sign-in/code", code=code, pin=pin)
        assert page.status == 401
        # Letters stay typed; a PIN is never sent back.
        assert page.form("/sign-in/code")["code"] == code
        assert page.form("/sign-in/code")["pin"] == ""
    assert "citizen" not in browser.cookies


async def test_s19_nobody_hears_who_is_registered(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, pages = await someone(store, clock), []
    for who in (citizen.number, new_number(), new_phone_number(), "gì đó"):
        page = await to_code(Browser(client), who)
        said = page.response.text
        form = page.form("/sign-in/code")
        for secret in (form["page_secret"], form["challenge"], who):
            said = said.replace(secret, "")
        pages.append((page.status, said))
    assert len(set(pages)) == 1


async def test_the_address_holds_nothing(client: httpx.AsyncClient, store: Store, clock: FrozenClock) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await to_code(browser, citizen.number)
    assert page.response.url.raw_path == b"/sign-in"
    page = await sign_in(store, clock, browser, citizen)
    assert page.response.url.raw_path == b"/sign-in/code"


async def test_signing_out_ends_the_session(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await sign_in(store, clock, browser, citizen)
    token = browser.cookies["citizen"]
    left = await browser.submit(page, "/sign-out", follow=False)
    assert left.status == 303
    assert left.response.headers["clear-site-data"] == '"cache"'
    assert "citizen" not in browser.cookies
    browser.cookies["citizen"] = token
    assert await actor_of(store, clock, token) is None
    assert (await browser.get("/me/settings", follow=False)).response.headers["location"] == "/sign-in"


async def test_before_the_sign_in_the_first_page_says_what_this_is(client: httpx.AsyncClient) -> None:
    page = await Browser(client).get("/")
    assert {"/sign-in", "/doctor/sign-in", "/verify", "/kiosk", "/docs"} <= set(page.links())
    assert "/demo" not in page.links()


async def test_english(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    browser.cookies["display"] = "en.normal.auto"
    assert "Send me a code" in (await browser.get("/sign-in")).text


async def test_a_browser_makes_a_key_at_the_door(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser, key = await someone(store, clock), Browser(client), authenticator.Browser()
    page = await sign_in(store, clock, browser, citizen)
    before = browser.cookies["citizen"]
    page = await make_key(browser, page, key)
    assert page.status == 200
    assert browser.cookies["citizen"] != before
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert browser.cookies["browser"] == str(actor.device_id)
    assert actor.probation
    assert await actor_of(store, clock, before) is None


async def test_no_key_without_an_installation_that_names_its_origin(store: Store, clock: FrozenClock) -> None:
    citizen = await someone(store, clock)
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        page = await sign_in(store, clock, Browser(client), citizen)
    assert "Tạo khóa" not in page.text
    assert "Tiếp tục không dùng khóa" in page.text


async def test_a_registration_that_does_not_hold_leaves_the_session_as_it_is(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen, browser = await someone(store, clock), Browser(client)
    page = await sign_in(store, clock, browser, citizen)
    for text in ("", "{}", "x", '{"x":"1","y":"2","proof":"","credential":""}', "[" * 3000):
        again = await browser.submit(page, "/sign-in/key", registration=text)
        assert (again.status, "citizen" in browser.cookies) == (400, True)
    assert (await make_key(browser, again, authenticator.Browser())).status == 200


async def test_a_trusted_browser_that_comes_back_stays_trusted(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    browser, key = await with_key(client, store, clock, citizen)
    clock.advance(hours=73)
    page = await sign_in(store, clock, browser, citizen)
    page = await signed(browser, page, "/sign-in/known-key", key)
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert (str(actor.device_id), actor.probation) == (browser.cookies["browser"], False)


async def test_a_foreign_key_is_no_way_back(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    browser, _ = await with_key(client, store, clock, citizen)
    page = await sign_in(store, clock, browser, citizen)
    again = await signed(browser, page, "/sign-in/known-key", authenticator.Browser())
    assert again.status == 401
    actor = await actor_of(store, clock, browser.cookies["citizen"])
    assert actor is not None
    assert actor.device_id is None


async def test_s9_two_people_with_one_browser_each_find_their_own_key(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, two = await someone(store, clock), await someone(store, clock)
    browser, _ = await with_key(client, store, clock, one)
    page = await sign_in(store, clock, browser, two)
    assert "Dùng khóa đã có" not in page.text
    await make_key(browser, page, authenticator.Browser())
    assert len(browser.cookies["browser"].split(".")) == 2
    page = await sign_in(store, clock, browser, one)
    assert page.text.count("Dùng khóa đã có") == 2  # a heading and one button


async def test_a_sixth_device_is_none_and_the_page_says_so(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    for _ in range(4):
        clock.advance(hours=1)
        await with_key(client, store, clock, citizen)
    clock.advance(hours=1)
    browser = Browser(client)
    page = await make_key(browser, await sign_in(store, clock, browser, citizen), authenticator.Browser())
    assert page.status == 409
    assert "Tiếp tục không dùng khóa" in page.text
    assert "/sign-in/key" not in {one.get("action") for one in page.tree.iter("form")}
    assert await actor_of(store, clock, browser.cookies["citizen"]) is not None


async def test_my_devices_and_ending_one(client: httpx.AsyncClient, store: Store, clock: FrozenClock) -> None:
    citizen = await someone(store, clock)
    browser, key = await with_key(client, store, clock, citizen)
    this = browser.cookies["browser"]
    page = await browser.get("/me/settings")
    assert "Đang dùng" in page.text
    assert "72 giờ" in page.text
    phone_end = f"/me/settings/devices/{citizen.phone.device_id}/end"
    assert phone_end not in {one.get("action") for one in page.tree.iter("form")}
    secret = page.form(f"/me/settings/devices/{this}/end")
    assert (await browser.post(phone_end, secret)).status == 403
    gone = await browser.submit(page, f"/me/settings/devices/{this}/end", follow=False)
    assert gone.response.headers["location"] == "/"
    assert "citizen" not in browser.cookies
    assert key.device_id is None


async def test_a_trusted_browser_answers_for_a_new_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    old, key = await with_key(client, store, clock, citizen)
    clock.advance(hours=73)
    page = await sign_in(store, clock, old, citizen)
    await signed(old, page, "/sign-in/known-key", key)
    new, _ = await with_key(client, store, clock, citizen)
    action = f"/me/settings/devices/{new.cookies['browser']}/trust"
    page = await old.get("/me/settings")
    assert (await signed(old, page, action, authenticator.Browser())).status == 401
    assert (await signed(old, await old.get("/me/settings"), action, key)).status == 200
    actor = await actor_of(store, clock, new.cookies["citizen"])
    assert actor is not None
    assert not actor.probation


async def test_without_a_key_the_devices_page_says_what_to_do(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    browser = await signed_in(client, store, clock, await someone(store, clock))
    page = await browser.get("/me/settings")
    assert "Bạn đang đăng nhập không có khóa" in page.text
    # It ends itself, and no device of the person's.
    assert page.text.count("Gỡ thiết bị này") == 1
    (action,) = [
        one.get("action") for one in page.tree.iter("form") if str(one.get("action")).endswith("/end")
    ]
    gone = await browser.submit(page, action, follow=False)
    assert gone.response.headers["location"] == "/"
    assert "citizen" not in browser.cookies


async def test_s8_the_phone_is_told_of_a_browser_without_a_key_and_ends_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    browser = await signed_in(client, store, clock, citizen)
    phone = bearer(citizen.token)
    clock.advance(minutes=2)
    await dispatched(store, clock, citizen)
    inbox = (await client.get("/v1/me/notifications", headers=phone)).json()["items"]
    (told,) = [one for one in inbox if one["ref"]["device_id"] != str(citizen.phone.device_id)]
    assert told["type"] == "device-added"
    listed = (await client.get("/v1/me/devices", headers=phone)).json()["items"]
    (found,) = [one for one in listed if one["device_id"] == told["ref"]["device_id"]]
    assert (found["kind"], found["credential_id"], found["this_device"]) == ("browser", None, False)
    token = browser.cookies["citizen"]
    ended = await client.delete(f"/v1/me/devices/{found['device_id']}", headers=phone)
    assert ended.status_code == 204
    assert await actor_of(store, clock, token) is None
    again = await client.delete(f"/v1/me/devices/{found['device_id']}", headers=phone)
    assert again.status_code == 404


async def test_a_browser_that_made_its_key_is_told_of_once(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    browser, _ = await with_key(client, store, clock, citizen)
    clock.advance(minutes=2)
    await dispatched(store, clock, citizen)
    inbox = await client.get("/v1/me/notifications", headers=bearer(citizen.token))
    told = {one["ref"]["device_id"] for one in inbox.json()["items"]} - {str(citizen.phone.device_id)}
    assert told == {browser.cookies["browser"]}


async def test_a_thief_without_a_key_ends_no_other_browser(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    owner_s = await signed_in(client, store, clock, citizen)
    thief = await signed_in(client, store, clock, citizen)
    listed = await client.get("/v1/me/devices", headers=bearer(owner_s.cookies["citizen"]))
    (this,) = [one["device_id"] for one in listed.json()["items"] if one["this_device"]]
    answer = await client.delete(f"/v1/me/devices/{this}", headers=bearer(thief.cookies["citizen"]))
    assert answer.status_code == 403


async def test_the_first_page_says_why_only_the_summary_is_there(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    without = await (await signed_in(client, store, clock, await someone(store, clock))).get("/")
    assert "Bạn đang đăng nhập không có khóa" in without.text
    assert "72 giờ" not in without.text
    browser, _ = await with_key(client, store, clock, await someone(store, clock))
    assert "trong 72 giờ đầu" in (await browser.get("/")).text
