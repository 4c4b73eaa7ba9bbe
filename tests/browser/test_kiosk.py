"""A kiosk in a browser: what is shown to it, and that it starts over as if nobody had been there; and its
pages and the desk's on any screen."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Error, Page, Route, expect

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
    return set_up(people)


def set_up(people: People) -> str:
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
    with tab.expect_response(lambda said: said.request.method == "POST") as answered:
        show(tab, citizen.card_text)
    expect(tab.locator(".kiosk-number")).to_be_visible()
    # The answer's own word leads on, which no clock of a test moves.
    assert answered.value.headers["refresh"] == "20; url=/kiosk/again"
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


def type_into(tab: Page, text: str) -> None:
    """A scanner, where nobody answers: no ticket comes."""
    expect(tab.locator("#scan")).to_be_focused()
    tab.keyboard.insert_text(text)
    tab.keyboard.press("Enter")


def go_offline(watched: Watched, tab: Page) -> None:
    watched.context.set_offline(True)
    tab.wait_for_function("!navigator.onLine")


def test_without_the_service_it_says_so_keeps_nothing_and_goes_on_when_it_is_back(
    kiosk: Kiosk, sheet: DemoSheet
) -> None:
    watched, citizen = kiosk(), citizen_of(sheet, "hung")
    tab = watched.page("/kiosk")
    lost = tab.locator(".kiosk-lost")
    expect(lost).to_be_hidden()
    go_offline(watched, tab)
    type_into(tab, citizen.card_text)
    expect(lost).to_be_visible()
    expect(lost).to_contain_text("Mời bạn đến quầy")
    # What was read of the card stands nowhere, and what is scanned next stands alone.
    expect(tab.locator("#scan")).to_have_value("")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        assert axe(tab) == []
    watched.context.set_offline(False)
    show(tab, citizen.card_text)
    expect(tab.locator(".kiosk-number")).to_be_visible()
    expect(lost).to_have_count(0)


def test_a_ticket_does_not_stay_when_the_service_is_gone(kiosk: Kiosk, sheet: DemoSheet) -> None:
    watched = kiosk()
    tab = watched.page()
    tab.clock.install()
    tab.goto(f"{watched.base}/kiosk")
    show(tab, citizen_of(sheet, "hung").card_text)
    go_offline(watched, tab)
    tab.clock.run_for(21_000)
    over = tab.locator(".kiosk-ticket")
    # Styles hide it, which no script and no clock of a test move: the browser is told that it is late.
    tab.evaluate("document.getAnimations().forEach((one) => one.finish())")
    expect(over).to_be_hidden()
    expect(tab.locator(".kiosk-stale")).to_be_visible()
    watched.context.set_offline(False)
    with tab.expect_navigation():
        tab.clock.run_for(21_000)
    expect(tab.locator("#scan")).to_be_focused()


def go_back(tab: Page) -> None:
    """Back, also to where a form was sent: of that the browser kept nothing to show."""
    try:
        tab.go_back()
    except Error as error:
        if "ERR_CACHE_MISS" not in str(error):
            raise


def test_back_shows_nobodys_ticket(kiosk: Kiosk, sheet: DemoSheet) -> None:
    for script in (True, False):
        watched, citizen = kiosk(script=script), citizen_of(sheet, "hung")
        tab = watched.page("/kiosk")
        show(tab, citizen.card_text)
        tab.get_by_role("button", name="Xong").click()
        expect(tab.locator("#scan")).to_be_focused()
        for _ in range(3):
            go_back(tab)
            assert tab.locator(".kiosk-number").count() == 0
            said = tab.content()
            assert not [one for one in (citizen.name, citizen.number, citizen.card_text) if one in said]


def test_a_ticket_is_printed_on_one_narrow_slip(kiosk: Kiosk, sheet: DemoSheet) -> None:
    tab = kiosk().page("/kiosk")
    show(tab, citizen_of(sheet, "hung").card_text)
    expect(tab.locator(".kiosk-printed")).to_be_hidden()
    tab.emulate_media(media="print")
    expect(tab.get_by_role("button", name="Xong")).to_be_hidden()
    for part in (".kiosk-number", ".kiosk-at", ".kiosk-house", ".kiosk-printed"):
        expect(tab.locator(part)).to_be_visible()
    slip = tab.pdf(prefer_css_page_size=True)
    # One page, as wide as the paper of a ticket printer: 80 mm are 226.8 points.
    assert slip.count(b"/Type /Page\n") == 1
    assert re.search(rb"/MediaBox \[0 0 22[67]", slip)


def test_a_slow_answer_is_waited_for_in_words_and_not_for_ever(kiosk: Kiosk, sheet: DemoSheet) -> None:
    watched, citizen = kiosk(), citizen_of(sheet, "hung")
    tab = watched.page()
    tab.clock.install()
    tab.goto(f"{watched.base}/kiosk")
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    tab.route("**/kiosk", hold)
    type_into(tab, citizen.card_text)
    expect(tab.get_by_text("Đang lấy số…")).to_be_visible()
    # Whoever presses again while it waits asks for nothing more.
    tab.keyboard.press("Enter")
    tab.clock.run_for(16_000)
    expect(tab.get_by_text("Đang lấy số…")).to_be_hidden()
    expect(tab.locator(".kiosk-lost")).to_be_visible()
    expect(tab.locator("#scan")).to_have_value("")
    assert len(asked) == 1
    tab.unroute("**/kiosk")
    show(tab, citizen.card_text)
    expect(tab.locator(".kiosk-number")).to_be_visible()


def test_the_desk_works_by_keyboard_alone(person: Person, people: People) -> None:
    """A number is given and called, and a schedule gets its times, without a mouse."""
    watched, staff = person(width=1280), people.staff("tn.quy")
    watched.context.add_cookies([{"name": "staff", "value": staff.token, "url": watched.base}])
    tab = watched.page("/facility/counters")
    press(tab, "Quầy TD-1")
    press(tab, "Cấp một số")
    expect(tab.get_by_text("Số vừa cấp")).to_be_visible()
    press(tab, "Gọi số tiếp theo")
    expect(tab.get_by_text("Đã gọi số tiếp theo")).to_be_visible()
    tab.goto(f"{watched.base}/facility/schedules")
    reach(tab, "Lập một lịch khám")
    tab.keyboard.press("Enter")
    write(tab, "Tên lịch", "Khám theo bàn phím")
    write(tab, "Lý do", "thử bàn phím")
    press(tab, "Lập lịch")
    expect(tab.get_by_text("Đã lập lịch khám")).to_be_visible()
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    write(tab, "Ngày", tomorrow.strftime("%d/%m/%Y"))
    press(tab, "Thêm giờ khám")
    expect(tab.get_by_text("Đã thêm giờ khám.")).to_be_visible()
    expect(tab.get_by_role("row")).to_have_count(9)


def press(tab: Page, words: str) -> None:
    """Tab to what says that, and Enter leads on."""
    reach(tab, words)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def write(tab: Page, label: str, text: str) -> None:
    reach(tab, label)
    tab.keyboard.insert_text(text)


def reach(tab: Page, words: str) -> None:
    for _ in range(80):
        tab.keyboard.press("Tab")
        if str(tab.evaluate(FOCUSED)).startswith(words):
            return
    raise AssertionError(f"no Tab leads to {words}")


# What the focus stands on, by its label or its words.
FOCUSED = """() => {
  const one = document.activeElement;
  return ((one.labels && one.labels[0]) || one).innerText.trim().replace(/\\s+/g, " ");
}"""
