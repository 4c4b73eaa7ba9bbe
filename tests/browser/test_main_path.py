"""The main path with two browsers and no other tool: a doctor asks, the citizen narrows and signs, the doctor
reads, the citizen ends it and sees who looked."""

import re
from datetime import UTC, datetime

import pyotp
from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person, citizen_of, sign_in
from tests.journeys.conftest import People
from tests.support.client import Api, App

ACTIONS_MAX = 8
# From the page of the request: what, how long, the digits, on, and the key.
CITIZENS_MAX = 5


class Hand:
    """What a person does on a page, counted: each thing typed, each press of a button or link."""

    def __init__(self, tab: Page) -> None:
        self.tab, self.actions = tab, 0

    def fill(self, label: str, text: str) -> None:
        self.actions += 1
        self.tab.get_by_label(label).first.fill(text)

    def scan(self, text: str) -> None:
        """A desk's scanner is a keyboard that ends with Enter; the field has the focus already."""
        self.actions += 1
        self.tab.keyboard.type(text)
        self.tab.keyboard.press("Enter")

    def pick(self, name: re.Pattern[str]) -> None:
        self.actions += 1
        self.tab.get_by_role("radio", name=name).check()

    def press(self, name: str) -> None:
        self.actions += 1
        self.tab.get_by_role("button", name=name, exact=True).click()


def trust_newest_browser(app: App) -> None:
    """The person's older phone says that the new browser is theirs: it is on probation no more."""
    browsers = [one for one in app.get("/v1/me/devices")["items"] if one["kind"] == "browser"]
    newest = max(browsers, key=lambda one: str(one["enrolled_at"]))["device_id"]
    signed = app.sign("trust-device", {"trusts": newest})
    app.post(f"/v1/me/devices/{newest}/trust", {"signed": signed}, 204)


def test_two_browsers_from_a_code_to_the_end_of_a_look(
    person: Person, people: People, sheet: DemoSheet, api: Api, base: str
) -> None:
    hung, nam = (
        citizen_of(sheet, "hung"),
        next(one for one in sheet.practitioners if one.username == "bs.nam"),
    )
    phone = person(width=390, height=844).page()
    sign_in(phone, api, base, hung)
    trust_newest_browser(people.app("hung"))
    desk = person().page("/doctor")
    hand = Hand(desk)
    hand.fill("Tên đăng nhập", nam.username)
    hand.fill("Mật khẩu", nam.password)
    hand.fill("Mã 6 số trong ứng dụng xác thực", pyotp.TOTP(nam.totp_secret).at(datetime.now(UTC)))
    hand.press("Đăng nhập")
    desk.wait_for_url(f"{base}/doctor")
    hand.scan(people.app("hung").qr())
    desk.wait_for_url(f"{base}/doctor/requests/*")

    digits = desk.locator(".waiting__digits").inner_text().replace(" ", "")
    phone.goto(f"{base}/me/requests")
    phone.locator("a.nhsuk-card__link", has_text=nam.name).first.click()
    assert phone.locator("main :checked:not(option)").count() == 0
    citizens = Hand(phone)
    citizens.pick(re.compile("Tất cả .* mục sau"))
    citizens.pick(re.compile("như bác sĩ xin"))
    citizens.fill("6 số trên màn hình của bác sĩ", digits)
    citizens.press("Tiếp tục để xem lại")
    citizens.press("Tôi đồng ý cho xem")
    assert citizens.actions <= CITIZENS_MAX
    expect(phone.locator("h1")).not_to_contain_text("Có người xin xem sổ")

    desk.wait_for_url(f"{base}/doctor/patients/*")
    expect(desk.locator("main")).to_contain_text(hung.name)
    assert hand.actions <= ACTIONS_MAX, hand.actions

    phone.goto(f"{base}/me/who-can-see-me")
    phone.locator("article, li, .nhsuk-card", has_text=nam.name).get_by_role(
        "button", name="Dừng ngay"
    ).first.click()
    refused = desk.reload()
    assert refused is not None
    assert refused.status == 403
    assert hung.name not in desk.locator("main").inner_text()
    desk.go_back()
    phone.goto(f"{base}/me/log")
    expect(phone.locator("main")).to_contain_text(nam.name)
