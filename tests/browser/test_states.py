"""What a page is when things are not as they should be: slow, without a network, on paper, in forced colours;
and after somebody left and another one presses "back"."""

import json
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person
from tests.browser.test_doctor import card_of
from tests.browser.test_verify import KEPT
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.chromium import Watched, axe
from tests.support.client import App, Staff

OF_A_CITIZEN = ["/", "/me/timeline", "/me/results", "/me/medicines", "/me/vaccination", "/me/log", "/me/card"]
WHITE = {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
# Everything that holds words and is shown: which words are paler than print; what lies behind.
INKS = """() => {
  const light = text => (text.match(/[\\d.]+/g) || []).slice(0, 3).map(Number).reduce((a, b) => a + b, 0) / 3;
  const shown = [...document.querySelectorAll('main *')].filter(one =>
    [...one.childNodes].some(child => child.nodeType === 3 && child.textContent.trim())
    && one.getBoundingClientRect().width > 1 && getComputedStyle(one).visibility === 'visible'
    && !one.closest('.nhsuk-u-visually-hidden, .badge, svg'));
  const pale = shown.filter(one => light(getComputedStyle(one).color) > 110);
  return {
    ground: getComputedStyle(document.body).backgroundColor,
    pale: pale.map(one => one.outerHTML.slice(0, 120)),
    count: shown.length};
}"""


@pytest.fixture(scope="module")
def doctor(people: People) -> Staff:
    return people.staff("bs.nam")


@pytest.fixture(scope="module")
def patient(people: People, doctor: Staff) -> App:
    app = people.app("hung")
    opened, request = present(app, doctor)
    app.approve(request, "B", opened["display"]["digits"])
    return app


def addresses(patient: App) -> list[str]:
    place = f"/doctor/patients/{patient.patient_id}"
    return [place, f"{place}/timeline", f"{place}/results", f"{place}/medicines"]


def is_black_on_white(tab: Page, path: str) -> None:
    seen = tab.evaluate(INKS)
    assert seen["count"] > 0, path
    assert seen["pale"] == [], (path, seen["pale"][:3])
    assert seen["ground"] in WHITE, (path, seen["ground"])
    assert [one.inner_text() for one in tab.locator("button, nav").all() if one.is_visible()] == [], path


def test_on_paper_words_are_black_and_nothing_is_to_press(
    person: Person, patient: App, doctor: Staff
) -> None:
    """A dark screen prints on white paper too."""
    watched = person(dark=True, citizen=patient.token(), staff=doctor.token)
    tab = watched.page()
    tab.emulate_media(media="print", color_scheme="dark")
    for path in [*OF_A_CITIZEN, *addresses(patient)]:
        tab.goto(watched.base + path)
        is_black_on_white(tab, path)


def test_in_forced_colours_everything_is_there(person: Person, patient: App, doctor: Staff) -> None:
    """What Windows calls high contrast: no meaning is in a colour of ours, and the focus is still shown."""
    watched = person(citizen=patient.token(), staff=doctor.token)
    tab = watched.page()
    tab.emulate_media(forced_colors="active")
    for path in ("/", "/me/results", "/me/sharing", addresses(patient)[0]):
        tab.goto(watched.base + path)
        assert tab.evaluate("matchMedia('(forced-colors: active)').matches")
        assert [one for one in axe(tab) if not one.startswith("color-contrast")] == [], path
        button = tab.locator("main button, main a").first
        button.focus()
        tab.keyboard.press("Shift+Tab")
        tab.keyboard.press("Tab")
        style = tab.evaluate(
            "(style => [style.outlineStyle, parseFloat(style.outlineWidth)])"
            "(getComputedStyle(document.activeElement))"
        )
        assert style[0] != "none", (path, style)
        assert style[1] >= 2, (path, style)


def nothing_of(tab: Page, name: str, path: str) -> None:
    tab.wait_for_load_state()
    assert name not in tab.content(), path
    assert tab.locator(".grant-bar, table, figure.picture").count() == 0, path


def leave(tab: Page) -> None:
    with tab.expect_navigation():
        tab.get_by_role("button", name="Đăng xuất").click()


def test_after_leaving_back_shows_nothing_to_a_citizen_s_neighbour(person: Person, people: People) -> None:
    app = people.app("minh")
    name = str(app.get("/v1/me/summary")["person"]["name"])
    watched = person(citizen=app.token())
    tab = watched.page("/")
    for path in ("/me/results", "/me/medicines", "/me/timeline"):
        tab.goto(watched.base + path)
    tab.locator("main a").first.click()
    leave(tab)
    for step in range(4):
        tab.go_back()
        nothing_of(tab, name, str(step))
    holds_nothing(watched, tab, name)


def test_after_leaving_back_shows_nothing_of_the_desk(person: Person, people: People) -> None:
    for username, paths in (("tn.an", ["/facility/desk"]), ("qt.mot", ["/facility/staff"])):
        staff = people.staff(username)
        watched = person(staff=staff.token)
        tab = watched.page("/facility")
        for path in paths:
            tab.goto(watched.base + path)
        leave(tab)
        for step in range(2):
            tab.go_back()
            tab.wait_for_load_state()
            assert staff.card.name not in tab.content(), step
            assert "/sign-in" in tab.url
        holds_nothing(watched, tab, staff.card.name)


def holds_nothing(watched: Watched, tab: Page, name: str) -> None:
    """No cookie of a session, no store of the browser, no cache of the worker has anything of a person."""
    names = {one.get("name") for one in watched.context.cookies()}
    assert not names & {"citizen", "staff", "kiosk", "book"}
    kept = json.dumps(tab.evaluate(KEPT), ensure_ascii=False)
    assert name not in kept
    assert "/me/" not in kept
    assert "/doctor/" not in kept


def test_the_checking_page_s_worker_keeps_no_page_of_a_person(person: Person, patient: App) -> None:
    watched = person(citizen=patient.token())
    tab = watched.page("/verify")
    tab.get_by_text("tải về lúc").wait_for()
    tab.evaluate("navigator.serviceWorker.ready.then(() => null)")
    for path in ("/me/results", "/me/card", "/"):
        tab.goto(watched.base + path)
    kept = json.dumps(tab.evaluate(KEPT), ensure_ascii=False)
    assert "verify" in kept
    for trace in ("/me/", str(patient.patient_id), "Nguyễn Văn Hùng"):
        assert trace not in kept
    watched.context.set_offline(True)
    tab.goto(f"{watched.base}/verify")
    expect(tab.get_by_text("Đang không có mạng")).to_be_visible()


def test_slow_says_so_and_no_network_says_so(
    person: Person, people: People, sheet: DemoSheet, base: str
) -> None:
    """The part of the doctor's summary that comes later, on a slow network and on none."""
    app, card = people.app("lan"), card_of(sheet, "bs.senh")
    watched = person()
    tab = watched.page("/doctor")
    tab.get_by_label("Tên đăng nhập").fill(card.username)
    tab.get_by_label("Mật khẩu").fill(card.password)
    tab.get_by_label("Mã").first.fill(pyotp.TOTP(card.totp_secret).at(datetime.now(UTC)))
    tab.get_by_role("button", name="Đăng nhập").click()
    tab.wait_for_url(f"{base}/doctor")
    tab.locator("#subject").fill(app.qr())
    tab.locator("#subject").press("Enter")
    tab.wait_for_url(f"{base}/doctor/requests/*")
    watched.context.set_offline(True)
    stale = tab.locator(".stale").first
    tab.evaluate("document.querySelector('.stale').getAnimations()[0].finish()")
    expect(stale).to_contain_text("Chưa cập nhật được")
    assert stale.get_attribute("role") == "status"
    watched.context.set_offline(False)
    watched.broken.clear()
