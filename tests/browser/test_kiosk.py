"""A kiosk in a browser: what is shown to it, and that it starts over as if nobody had been there; and its
pages and the desk's on any screen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoSheet
from store.keys import KeyRing
from tests.browser.conftest import Person, citizen_of
from tests.journeys.conftest import People
from tests.support.chromium import Watched, axe
from tests.support.service import Service
from visits.identification import draw_code

Kiosk = Callable[..., Watched]
OPENED = {"reason": "mở quầy sảnh", "counter": {"code": "SANH-1", "name": "Tiếp đón sảnh"}}
REASON = "ki-ốt ở sảnh"
PORTRAIT = {"width": 1080, "height": 1920}


@pytest.fixture(scope="module")
def key(people: People) -> str:
    """What a device of the hospital's hall keeps, at a counter of its own."""
    admin = people.staff("qt.mot")
    counter = admin.post("/v1/facility/counters", OPENED, expect=201)
    new = {"counter_id": counter["counter_id"], "name": "Ki-ốt sảnh"}
    made = admin.post("/v1/facility/kiosks", {"reason": REASON, "kiosk": new}, expect=201)
    device = people.api.ask("POST", "/v1/kiosk/enrolments", 201, body={"code": made["code"]})
    return f"{device['client_id']}.{device['client_secret']}"


@pytest.fixture
def kiosk(person: Person, key: str) -> Kiosk:
    """Make the hall's device, which was set up before."""

    def make(**more: int) -> Watched:
        made = person(**{**PORTRAIT, **more})
        made.context.add_cookies([{"name": "kiosk-key", "value": key, "url": made.base}])
        return made

    return make


def show(tab: Page, text: str) -> None:
    """As a scanner does: the text and Enter, into the field that has the focus."""
    expect(tab.locator("#scan")).to_be_focused()
    tab.keyboard.insert_text(text)
    tab.keyboard.press("Enter")
    tab.locator(".kiosk-ticket").wait_for()


def held(watched: Watched, tab: Page) -> str:
    """Every address, cookie and store, and the screen: what the next person could find."""
    cookies = [f"{one.get('name')}={one.get('value')}" for one in watched.context.cookies()]
    stores = tab.evaluate("JSON.stringify([localStorage, sessionStorage, history.state, location.href])")
    return "\n".join([*cookies, stores, tab.content(), *watched.requests])


def test_a_card_gets_a_number_and_the_screen_starts_over_by_itself(kiosk: Kiosk, sheet: DemoSheet) -> None:
    watched, citizen = kiosk(), citizen_of(sheet, "hung")
    tab = watched.page()
    tab.clock.install()
    tab.goto(f"{watched.base}/kiosk")
    before = tab.evaluate("history.length")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        assert axe(tab) == []
    show(tab, citizen.card_text)
    number = tab.locator(".kiosk-number").inner_text()
    assert number.isdigit()
    assert axe(tab) == []
    with tab.expect_navigation():
        tab.clock.fast_forward(21_000)
    expect(tab.locator("#scan")).to_be_focused()
    expect(tab.locator("#scan")).to_have_value("")
    assert tab.evaluate("history.length") == before
    for trace in (citizen.name, citizen.number, citizen.card_text, citizen.patient_id):
        assert trace not in held(watched, tab)
    tab.go_back()
    assert tab.locator(".kiosk-ticket").count() == 0


def test_a_phones_code_counts_for_a_minute_and_a_wrong_one_is_told(
    kiosk: Kiosk, people: People, sheet: DemoSheet, service: Service
) -> None:
    watched, citizen = kiosk(), citizen_of(sheet, "lan")
    tab = watched.page("/kiosk")
    show(tab, people.app("lan").qr())
    expect(tab.locator(".kiosk-ticket")).to_contain_text("Cơ sở đã ghi nhận bạn có mặt")
    tab.get_by_role("button", name="Xong").click()
    keys, then = KeyRing.load(service.data / "keys"), datetime.now(UTC) - timedelta(minutes=2)
    show(tab, draw_code(keys, UUID(citizen.patient_id), then).qr)
    expect(tab.get_by_role("heading")).to_have_text("Mã trên điện thoại đã hết hạn")
    assert axe(tab) == []
    tab.get_by_role("button", name="Thử lại").click()
    show(tab, "https://example.invalid/xin-chao")
    expect(tab.locator(".kiosk-ticket--refused h1")).to_be_visible()
    assert tab.locator(".kiosk-number").count() == 0


def test_a_device_is_set_up_with_a_code_by_keyboard_alone(person: Person, people: People) -> None:
    admin = people.staff("qt.mot")
    counter = admin.get("/v1/facility/counters")["items"][0]
    new = {"counter_id": counter["counter_id"], "name": "Ki-ốt mới"}
    made = admin.post("/v1/facility/kiosks", {"reason": REASON, "kiosk": new}, expect=201)
    tab, late = person().page("/kiosk"), person().page("/kiosk")
    type_code(tab, "AAAA-BBBB")
    expect(tab.get_by_role("alert")).to_be_visible()
    assert axe(tab) == []
    tab.goto(f"{tab.url}")
    type_code(tab, made["code"].lower())
    expect(tab.locator("#scan")).to_be_focused()
    assert counter["name"] in tab.locator(".kiosk-place").inner_text()
    # A code works once: whoever read it over a shoulder has nothing.
    type_code(late, made["code"])
    expect(late.get_by_role("alert")).to_be_visible()


def type_code(tab: Page, code: str) -> None:
    expect(tab.locator("#code")).to_be_focused()
    tab.keyboard.type(code)
    tab.keyboard.press("Enter")


def test_half_a_number_is_gone_when_nobody_touches_the_screen(kiosk: Kiosk) -> None:
    watched = kiosk()
    tab = watched.page()
    tab.clock.install()
    tab.goto(f"{watched.base}/kiosk")
    tab.get_by_role("button", name="English").click()
    tab.get_by_role("heading", name="Get a number").wait_for()
    tab.clock.run_for(50_000)
    tab.locator("#scan").press_sequentially("0791")
    # Whoever types is not interrupted: the minute counts from the last digit.
    tab.clock.run_for(30_000)
    expect(tab.locator("#scan")).to_have_value("0791")
    with tab.expect_navigation():
        tab.clock.run_for(31_000)
    expect(tab.locator("#scan")).to_have_value("")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Lấy số thứ tự")


def test_the_code_for_phones_is_drawn_anew_while_somebody_types(kiosk: Kiosk) -> None:
    watched = kiosk()
    tab = watched.page()
    tab.clock.install()
    tab.goto(f"{watched.base}/kiosk")
    tab.locator("#scan").press_sequentially("07")
    with tab.expect_response("**/kiosk"):
        tab.clock.run_for(26_000)
    expect(tab.locator("#scan")).to_have_value("07")
    expect(tab.locator("#scan")).to_be_focused()
    expect(tab.locator(".kiosk-code")).to_be_visible()


def test_without_script_it_gives_numbers_too(kiosk: Kiosk, sheet: DemoSheet) -> None:
    watched, citizen = kiosk(script=False), citizen_of(sheet, "hung")
    tab = watched.page("/kiosk")
    show(tab, citizen.card_text)
    expect(tab.locator(".kiosk-number")).to_be_visible()
    # The head's own word leads on, which no clock of a test moves.
    refresh = tab.locator('meta[http-equiv="refresh"]').get_attribute("content")
    assert refresh == "20; url=/kiosk/again"
    tab.get_by_role("button", name="Xong").click()
    assert citizen.number not in held_without_script(watched, tab)
    assert tab.locator(".kiosk-ticket").count() == 0


def held_without_script(watched: Watched, tab: Page) -> str:
    cookies = [f"{one.get('name')}={one.get('value')}" for one in watched.context.cookies()]
    return "\n".join([*cookies, tab.url, tab.content(), *watched.requests])


@pytest.mark.parametrize("width", [320, 1280])
def test_its_pages_are_clean_on_any_screen(kiosk: Kiosk, width: int) -> None:
    watched = kiosk(width=width, height=900)
    tab = watched.page()
    for path in ("/kiosk", "/kiosk/questions", "/kiosk/wall"):
        tab.goto(watched.base + path)
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            assert axe(tab) == [], path
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("username", ["tn.an", "qt.mot"])
def test_the_desks_pages_are_clean_on_any_screen(
    person: Person, people: People, username: str, width: int
) -> None:
    watched, staff = person(width=width), people.staff(username)
    watched.context.add_cookies([{"name": "staff", "value": staff.token, "url": watched.base}])
    tab = watched.page("/facility")
    parts = [one.get_attribute("href") for one in tab.locator("main a[href^='/facility/']").element_handles()]
    assert len(parts) > 3
    for path in parts:
        tab.goto(f"{watched.base}{path}")
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            assert axe(tab) == [], path
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
