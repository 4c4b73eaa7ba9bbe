"""A doctor who never saw it: from /doctor to a consented summary, each action counted; without script."""

from datetime import UTC, datetime
from io import BytesIO

import pyotp
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from healthbook.demo_sheet import DemoPractitioner, DemoSheet
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.chromium import Watched, axe
from tests.support.client import App

ACTIONS_MAX = 8


class Hands:
    """Types, presses and clicks, and counts each of them as one action."""

    def __init__(self, tab: Page) -> None:
        self.tab, self.actions = tab, 0

    def fill(self, label: str, text: str) -> None:
        self.tab.get_by_label(label).first.fill(text)
        self.actions += 1

    def click(self, button: str) -> None:
        self.tab.get_by_role("button", name=button).first.click()
        self.actions += 1

    def scan(self, code: str) -> None:
        """What a scanner at a desk does: it types into the field that has the focus, and presses Enter."""
        expect(self.tab.locator("#subject")).to_be_focused()
        self.tab.keyboard.insert_text(code)
        self.tab.keyboard.press("Enter")
        self.actions += 1


def card_of(sheet: DemoSheet, username: str) -> DemoPractitioner:
    return next(one for one in sheet.practitioners if one.username == username)


def sign_in(tab: Page, base: str, card: DemoPractitioner, door: str = "/doctor") -> Hands:
    tab.goto(base + door)
    hands = Hands(tab)
    hands.fill("Tên đăng nhập", card.username)
    hands.fill("Mật khẩu", card.password)
    hands.fill("Mã", pyotp.TOTP(card.totp_secret).at(datetime.now(UTC)))
    hands.click("Đăng nhập")
    tab.wait_for_url(f"{base}/doctor")
    return hands


def agree(app: App, tab: Page) -> None:
    """The person's phone answers with the six digits that stand on the screen."""
    request_id = tab.url.rpartition("/")[2]
    digits = tab.locator(".waiting__digits").inner_text().replace(" ", "")
    app.approve(app.get(f"/v1/me/access-requests/{request_id}"), "B", digits)


def with_session(watched: Watched, token: str) -> Watched:
    watched.context.add_cookies([{"name": "staff", "value": token, "url": watched.base}])
    return watched


def test_a_doctor_who_never_saw_it_reads_a_consented_summary_in_eight_actions(
    person: Person, people: People, sheet: DemoSheet, base: str
) -> None:
    app, tab = people.app("hung"), person().page()
    hands = sign_in(tab, base, card_of(sheet, "bs.senh"))
    hands.scan(app.qr())
    tab.wait_for_url(f"{base}/doctor/requests/*")
    assert axe(tab) == []
    agree(app, tab)
    # The screen goes on by itself.
    tab.wait_for_url(f"{base}/doctor/patients/{app.patient_id}")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Nguyễn Văn Hùng")
    expect(tab.get_by_text("Penicilin")).to_be_visible()
    assert hands.actions <= ACTIONS_MAX, hands.actions
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        assert axe(tab) == []
    paper = tab.pdf(prefer_css_page_size=True)
    assert len(PdfReader(BytesIO(paper)).pages) == 1
    tab.get_by_role("button", name="Kết thúc xem").click()
    expect(tab.get_by_text("Bạn không còn xem được sổ này.")).to_be_visible()
    tab.goto(f"{base}/doctor/patients/{app.patient_id}")
    expect(tab.get_by_text("Penicilin")).to_have_count(0)
    grants = app.get("/v1/me/grants")["items"]
    assert grants[0]["state"] == "given-back"


def test_everything_reads_and_ends_without_script(person: Person, people: People) -> None:
    app, doctor = people.app("lan"), people.staff("bs.yen")
    tab = with_session(person(script=False), doctor.token).page("/doctor")
    tab.locator("#subject").fill(app.qr())
    tab.locator("#subject").press("Enter")
    tab.wait_for_url("**/doctor/requests/*")
    agree(app, tab)
    tab.get_by_role("link", name="Kiểm tra ngay").click()
    tab.wait_for_url(f"**/doctor/patients/{app.patient_id}")
    for part in ("Lần khám", "Kết quả", "Thuốc", "Tiêm chủng"):
        tab.get_by_role("navigation").get_by_role("link", name=part, exact=True).click()
        assert tab.locator("h1").count() == 1
    tab.get_by_role("button", name="Kết thúc xem").click()
    assert tab.get_by_text("Bạn không còn xem được sổ này.").is_visible()


def test_the_bar_stays_and_nothing_is_wider_than_a_phone(person: Person, people: People) -> None:
    app, doctor = people.app("minh"), people.staff("bs.nam")
    tab = with_session(person(width=390, height=844), doctor.token).page("/doctor")
    tab.locator("#subject").fill(app.qr())
    tab.locator("#subject").press("Enter")
    tab.wait_for_url("**/doctor/requests/*")
    agree(app, tab)
    tab.wait_for_url(f"**/doctor/patients/{app.patient_id}")
    tab.mouse.wheel(0, 3000)
    expect(tab.locator(".grant-bar")).to_be_in_viewport()
    for part in ("", "/results", "/timeline", "/medicines", "/vaccination", "/vitals"):
        tab.goto(f"{tab.url.split('/doctor/')[0]}/doctor/patients/{app.patient_id}{part}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, part
    tab.emulate_media(media="print")
    expect(tab.get_by_role("button", name="Kết thúc xem")).to_be_hidden()


def test_after_leaving_going_back_shows_nothing(
    person: Person, people: People, sheet: DemoSheet, base: str
) -> None:
    app, tab = people.app("huong"), person().page()
    hands = sign_in(tab, base, card_of(sheet, "bs.thu"))
    hands.scan(app.qr())
    tab.wait_for_url(f"{base}/doctor/requests/*")
    agree(app, tab)
    tab.wait_for_url(f"{base}/doctor/patients/{app.patient_id}")
    tab.get_by_role("button", name="Đăng xuất").click()
    tab.wait_for_url(f"{base}/doctor/sign-in**")
    tab.go_back()
    expect(tab.locator(".grant-bar")).to_have_count(0)
    expect(tab.get_by_label("Mật khẩu")).to_be_visible()


def test_what_is_taken_back_mid_reading_is_said_at_the_next_click_and_back_shows_nothing(
    browser: Browser, base: str, people: People
) -> None:
    app, doctor = people.app("tu"), people.staff("bs.yen")
    opened = doctor.ask("citizen-qr", app.qr())
    request = app.get(f"/v1/me/access-requests/{opened['request_id']}")
    app.approve(request, "B", opened["display"]["digits"])
    # As people's browsers are: the harness's own keeps no page for the way back.
    keeping = browser.browser_type.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    context = keeping.new_context(locale="vi-VN")
    context.add_cookies([{"name": "staff", "value": doctor.token, "url": base}])
    tab = context.new_page()
    shown = tab.goto(f"{base}/doctor/patients/{app.patient_id}")
    assert shown is not None
    assert shown.headers["cache-control"] == "no-store"
    expect(tab.locator(".allergies")).to_be_visible()
    (grant,) = [one for one in app.get("/v1/me/grants")["items"] if one["live"]]
    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    tab.get_by_role("link", name="Kết quả", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Không mở được sổ này")
    tab.evaluate("history.back()")
    tab.wait_for_url(f"{base}/doctor/patients/{app.patient_id}", wait_until="commit")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Không mở được sổ này")
    expect(tab.locator(".allergies")).to_have_count(0)
    keeping.close()
