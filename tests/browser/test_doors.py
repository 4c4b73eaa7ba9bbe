"""Signing in and out in a real browser: with a key and without, by keyboard too, and "back" afterwards."""

from playwright.sync_api import expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person, citizen_of, sign_in
from tests.support.chromium import give_authenticator
from tests.support.client import Api


def test_a_browser_makes_its_key_and_comes_back_with_it(
    person: Person, api: Api, base: str, sheet: DemoSheet
) -> None:
    someone = sheet.citizens[0]
    tab = person().page()
    sign_in(tab, api, base, someone)
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_text("Khóa của trình duyệt này còn mới.")).to_be_visible()
    tab.get_by_role("button", name="Đăng xuất").click()
    tab.wait_for_url(f"{base}/")
    expect(tab.get_by_role("link", name="Người dân: mở sổ của tôi")).to_be_visible()
    assert citizen_of(sheet, someone.key).number
