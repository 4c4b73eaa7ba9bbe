"""The pages of a demo in a browser: a newcomer opens a book, the stand-in phone answers, the kiosk starts."""

from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person, citizen_of
from tests.support.chromium import axe, give_authenticator
from tests.support.service import Service, environment, run_command_with


def opened_by(tab: Page, name: str) -> Page:
    """The tab that a button of the demo's pages opens."""
    with tab.context.expect_page() as found:
        tab.get_by_role("button", name=name).first.click()
    found.value.wait_for_load_state()
    return found.value


def test_a_newcomer_opens_a_book_and_the_old_phone_answers_for_it(
    person: Person, service: Service, sheet: DemoSheet
) -> None:
    hung = citizen_of(sheet, "hung")
    tab = person().page("/demo")
    book = opened_by(tab, "Mở sổ của ông Hùng")
    give_authenticator(book)
    # The message appears beside by itself.
    letters = tab.locator(".newest .code").inner_text()
    assert axe(tab) == []
    book.get_by_label("6 chữ cái trong tin nhắn").fill(letters)
    book.get_by_label("Mã PIN 6 số của bạn").fill(hung.pin)
    book.get_by_role("button", name="Đăng nhập").click()
    book.get_by_role("button", name="Tạo khóa").click()
    book.wait_for_url("**/")
    tab.get_by_role("button", name="Tin trình duyệt mới nhất").click()
    done = tab.locator("#tour > .done h2")
    expect(done).to_have_text(["Mở sổ của ông Hùng Đã xong", "Cho trình duyệt mới được ký Đã xong"])
    tab.get_by_role("button", name="Tin trình duyệt mới nhất").click()
    tab.get_by_text("Không có trình duyệt mới nào đang chờ").wait_for()
    # The same phone by hand keeps its session.
    settings = environment(service.data, PORT=str(service.port))
    for _ in range(2):
        by_hand = run_command_with(settings, "as", "hung", "GET", "/v1/me/devices")
        assert by_hand.returncode == 0, by_hand.stderr.decode()
        tab.goto(tab.url)
        expect(done).to_have_count(2)


def test_where_no_key_was_made_the_stand_in_phone_agrees(person: Person) -> None:
    tab = person().page("/demo")
    doctor = opened_by(tab, "Vào với vai bác sĩ Nam")
    doctor.locator("#subject").fill(opened_by(tab, "Đưa mã cho bác sĩ").locator("textarea").input_value())
    doctor.get_by_role("button", name="Gửi yêu cầu").click()
    doctor.wait_for_url("**/doctor/requests/*")
    digits = doctor.locator(".waiting__digits").inner_text()
    tab.get_by_text("Không thấy tin, hoặc không tạo được khóa?").click()
    tab.get_by_label("6 số trên màn hình bác sĩ").fill(digits)
    # The walk updates itself, and keeps what was typed and opened.
    with tab.expect_response(lambda said: said.url.endswith("/demo"), timeout=20_000):
        pass
    expect(tab.get_by_label("6 số trên màn hình bác sĩ")).to_have_value(digits)
    expect(tab.locator("#tour-help")).to_have_attribute("open", "")
    assert axe(tab) == []
    tab.get_by_role("button", name="Đồng ý trên điện thoại").click()
    doctor.wait_for_url("**/doctor/patients/*")


def test_staff_and_kiosk_open_beside(person: Person) -> None:
    tab = person().page("/demo/accounts")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        assert axe(tab) == []
    doctor = opened_by(tab, "Vào Trần Hoài Nam")
    assert doctor.url.endswith("/doctor")
    tour = tab.context.new_page()
    tour.goto(tab.url.removesuffix("/accounts"))
    shown = opened_by(tour, "Đưa mã cho bác sĩ")
    doctor.locator("#subject").fill(shown.locator("textarea").input_value())
    assert axe(shown) == []
    doctor.get_by_role("button", name="Gửi yêu cầu").click()
    doctor.wait_for_url("**/doctor/requests/*")
    tour.reload()
    expect(tour.locator("#tour > .done h2")).to_contain_text(["Bác sĩ Nam hỏi xem sổ"])
    kiosk = opened_by(tab, "Mở ki-ốt")
    assert kiosk.url.endswith("/kiosk")
    assert kiosk.locator("#kiosk").is_visible()


def test_on_a_phone_the_newest_code_stands_first(person: Person) -> None:
    tab = person(width=390, height=844).page("/demo")
    inbox, first = tab.locator("#inbox").bounding_box(), tab.locator("#tour > li").first.bounding_box()
    assert inbox is not None
    assert first is not None
    assert inbox["y"] < first["y"]
    tab.goto(tab.url + "/inbox")
    assert axe(tab) == []


def test_everything_reads_without_script(person: Person, sheet: DemoSheet) -> None:
    tab = person(script=False).page("/demo/accounts")
    assert citizen_of(sheet, "lan").number in tab.locator("main").inner_text()
    assert "bs.nam" in tab.locator("#workers").inner_text()
