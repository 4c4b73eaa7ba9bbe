"""Signing in and out in a real browser: with a key and without, by keyboard too, and "back" afterwards."""

from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoCitizen, DemoSheet
from tests.browser.conftest import Person, letters_to, new_letters, sign_in
from tests.support.chromium import axe
from tests.support.client import Api


def at_the_door(tab: Page, api: Api, base: str, citizen: DemoCitizen) -> None:
    """Number, letters and PIN by keyboard alone, as far as the offer of a key."""
    tab.goto(f"{base}/sign-in")
    tab.get_by_label("Số định danh").focus()
    tab.keyboard.type(citizen.number)
    before = letters_to(api, citizen)
    tab.keyboard.press("Enter")
    tab.get_by_label("6 chữ cái").focus()
    tab.keyboard.type(new_letters(tab, api, citizen, before))
    tab.keyboard.press("Tab")
    tab.keyboard.type(citizen.pin)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Bạn đã đăng nhập")).to_be_visible()


def leave(tab: Page, base: str) -> None:
    tab.get_by_role("button", name="Đăng xuất").click()
    tab.wait_for_url(f"{base}/")
    expect(tab.get_by_role("link", name="Người dân: mở sổ của tôi")).to_be_visible()


def test_a_browser_makes_its_key_and_comes_back_with_it(
    person: Person, api: Api, base: str, sheet: DemoSheet
) -> None:
    someone, tab = sheet.citizens[0], person().page()
    sign_in(tab, api, base, someone)
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_text("Khóa của trình duyệt này còn mới.")).to_be_visible()
    assert axe(tab) == []
    leave(tab, base)
    at_the_door(tab, api, base, someone)
    assert axe(tab) == []
    tab.get_by_role("button", name="Dùng khóa đã có").click()
    tab.wait_for_url(f"{base}/")
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_text("Khóa của trình duyệt này còn mới.")).to_be_visible()
    expect(tab.get_by_text("Đang dùng", exact=True)).to_have_count(1)


def test_who_cancels_at_the_key_is_told_and_goes_on_without(
    person: Person, api: Api, base: str, sheet: DemoSheet
) -> None:
    tab = person(width=390).page()
    authenticator = give_authenticator_that_refuses(tab)
    assert authenticator
    at_the_door(tab, api, base, sheet.citizens[1])
    tab.get_by_role("button", name="Tạo khóa").click()
    expect(tab.get_by_text("Bạn đã hủy, hoặc đã hết thời gian chờ.")).to_be_visible()
    tab.get_by_role("link", name="Tiếp tục không dùng khóa").click()
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_text("Bạn đang đăng nhập không có khóa.")).to_be_visible()


def test_without_script_one_signs_in_and_out(person: Person, api: Api, base: str, sheet: DemoSheet) -> None:
    tab = person(script=False).page()
    sign_in(tab, api, base, sheet.citizens[2], with_key=False)
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_text("Bạn đang đăng nhập không có khóa.")).to_be_visible()
    leave(tab, base)


def test_after_leaving_back_shows_nothing_of_the_book(
    person: Person, api: Api, base: str, sheet: DemoSheet
) -> None:
    someone, watched = sheet.citizens[3], person()
    tab = watched.page()
    sign_in(tab, api, base, someone, with_key=False)
    tab.goto(f"{base}/me/settings")
    expect(tab.get_by_role("heading", name="Thiết bị của tôi")).to_be_visible()
    leave(tab, base)
    for _ in range(2):
        tab.go_back()
        tab.wait_for_load_state()
        assert "Thiết bị của tôi" not in tab.content()
        assert someone.name not in tab.content()


def test_staff_sign_in_by_keyboard(person: Person, base: str) -> None:
    tab = person().page("/doctor/sign-in")
    tab.get_by_label("Tên đăng nhập").focus()
    tab.keyboard.type("nobody")
    tab.keyboard.press("Tab")
    tab.keyboard.type("nothing")
    tab.keyboard.press("Tab")
    tab.keyboard.type("000000")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert")).to_be_visible()
    expect(tab.get_by_label("Tên đăng nhập")).to_have_value("nobody")
    assert axe(tab) == []
    assert tab.url == f"{base}/doctor/sign-in"


def give_authenticator_that_refuses(tab: Page) -> str:
    """A platform authenticator whose owner is not there: it says no to whoever asks."""
    session = tab.context.new_cdp_session(tab)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": False,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return str(made["authenticatorId"])
