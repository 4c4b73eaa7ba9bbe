"""The main path by keyboard alone, with two browsers: sign in, ask, agree by digits and key, read, end, be
refused. Each thing that gets the focus shows it, measured; nothing holds the focus in."""

from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person, citizen_of, letters_to, new_letters
from tests.browser.test_doctor import card_of
from tests.browser.test_main_path import trust_newest_browser
from tests.journeys.conftest import People
from tests.support.chromium import give_authenticator
from tests.support.client import Api

STEPS_MAX = 120
# What has the focus, and how thick what shows it is: an outline, a shadow around it or a line of its border.
# A radio or a checkbox of the components is drawn by its label, a field of the whole page by the page's end.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const label = one.matches('[type=radio], [type=checkbox], [type=file]') ? one.labels?.[0] : null;
  const drawn = [one, label].filter(Boolean).flatMap(here => [
    getComputedStyle(here), getComputedStyle(here, '::before')]);
  const outline = Math.max(...drawn.map(
    style => style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)));
  const shadow = drawn.some(style => style.boxShadow !== 'none');
  const box = (label ?? one).getBoundingClientRect();
  const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  return {name: one.outerHTML.slice(0, 160), outline, shadow, seen};
}"""


class Keys:
    """One person's keyboard at one page."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab

    def reach(self, wanted: Locator) -> None:
        """Tab until that has the focus; whatever has it on the way shows it and can be left."""
        before = ""
        for _ in range(STEPS_MAX):
            if wanted.count() and wanted.evaluate("one => one === document.activeElement"):
                return
            self.tab.keyboard.press("Tab")
            found = self.tab.evaluate(FOCUSED)
            if found is None:
                continue
            assert found["seen"], f"out of sight: {found}"
            assert found["outline"] >= 2 or found["shadow"], f"no focus to be seen: {found}"
            assert found["name"] != before, f"the focus is held: {found}"
            before = found["name"]
        raise AssertionError(f"not reached by Tab: {wanted}")

    def type(self, label: str, text: str) -> None:
        self.reach(self.tab.get_by_label(label).first)
        self.tab.keyboard.type(text)

    def press(self, name: str, key: str = "Enter") -> None:
        self.reach(self.tab.get_by_role("button", name=name, exact=True).first)
        self.tab.keyboard.press(key)

    def follow(self, link: Locator) -> None:
        self.reach(link)
        self.tab.keyboard.press("Enter")

    def pick(self, radio: Locator) -> None:
        self.reach(radio)
        self.tab.keyboard.press("Space")


def sign_in_by_keys(tab: Page, api: Api, base: str, people: People, sheet: DemoSheet, key: str) -> Keys:
    """With a key of the browser's own, which the older phone trusts."""
    someone, keys = citizen_of(sheet, key), Keys(tab)
    give_authenticator(tab)
    tab.goto(f"{base}/")
    keys.follow(tab.get_by_role("link", name="Người dân: mở sổ của tôi"))
    tab.wait_for_url(f"{base}/sign-in")
    keys.type("Số định danh", someone.number)
    before = letters_to(api, someone)
    tab.keyboard.press("Enter")
    tab.get_by_label("6 chữ cái").wait_for()
    keys.type("6 chữ cái", new_letters(tab, api, someone, before))
    keys.type("PIN", someone.pin)
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Bạn đã đăng nhập").wait_for()
    keys.reach(tab.get_by_role("button", name="Tạo khóa"))
    tab.keyboard.press("Space")
    tab.wait_for_url(f"{base}/")
    trust_newest_browser(people.app(key))
    return keys


def test_the_main_path(person: Person, people: People, sheet: DemoSheet, api: Api, base: str) -> None:
    card, phone, desk = (
        card_of(sheet, "bs.nam"),
        person(width=390, height=844).page(),
        person().page("/doctor"),
    )
    keys = sign_in_by_keys(phone, api, base, people, sheet, "hung")
    doctors = Keys(desk)
    doctors.type("Tên đăng nhập", card.username)
    doctors.type("Mật khẩu", card.password)
    doctors.type("Mã", pyotp.TOTP(card.totp_secret).at(datetime.now(UTC)))
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"{base}/doctor")
    doctors.reach(desk.locator("#subject"))
    desk.keyboard.type(people.app("hung").qr())
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"{base}/doctor/requests/*")
    digits = desk.locator(".waiting__digits").inner_text().replace(" ", "")

    phone.goto(f"{base}/me/requests")
    keys.follow(phone.locator("a.nhsuk-card__link", has_text=card.name).first)
    phone.wait_for_url(f"{base}/me/requests/*")
    for group in phone.locator("main input[type=radio][value=all]").all():
        keys.pick(group)
    keys.type("6 số trên màn hình của bác sĩ", digits)
    keys.press("Tiếp tục để xem lại")
    phone.locator("form[data-sign]").wait_for()
    keys.press("Tôi đồng ý cho xem", "Space")
    phone.wait_for_url(f"{base}/me/requests/allowed/*")

    desk.wait_for_url(f"{base}/doctor/patients/*")
    doctors.follow(desk.get_by_role("navigation").get_by_role("link", name="Kết quả", exact=True))
    desk.wait_for_url("**/results")
    expect(desk.get_by_role("heading", level=1)).to_be_visible()

    phone.goto(f"{base}/me/who-can-see-me")
    keys.reach(phone.locator("article", has_text=card.name).get_by_role("button", name="Dừng ngay").first)
    phone.keyboard.press("Space")
    expect(phone.locator("main")).not_to_contain_text(card.name)
    refused = desk.reload()
    assert refused is not None
    assert refused.status == 403


@pytest.mark.parametrize("path", ["/sign-in", "/doctor/sign-in", "/verify"])
def test_the_first_key_leads_past_the_head(person: Person, path: str) -> None:
    tab = person().page(path)
    # Where a page gives a field the focus at once, from the beginning of the page.
    tab.evaluate("document.activeElement.blur(); getSelection().collapse(document.body, 0)")
    tab.keyboard.press("Shift+Tab")
    Keys(tab).reach(tab.get_by_role("link", name="Đến nội dung chính"))
    expect(tab.get_by_role("link", name="Đến nội dung chính")).to_be_in_viewport()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id || location.hash.slice(1)") == "main"


def test_a_menu_opens_and_closes_and_lets_go(person: Person, people: People) -> None:
    """On a phone the sections are behind one button."""
    tab = person(width=390, height=844, citizen=people.app("lan").token()).page("/")
    keys, small = Keys(tab), tab.locator("nav.menu summary")
    keys.reach(small)
    tab.keyboard.press("Enter")
    keys.reach(tab.locator("nav.menu details a").first)
    keys.reach(tab.locator("main a, main button").first)
    for _ in range(STEPS_MAX):
        tab.keyboard.press("Shift+Tab")
        if small.evaluate("one => one === document.activeElement"):
            break
    tab.keyboard.press("Space")
    expect(tab.locator("nav.menu details a").first).to_be_hidden()
