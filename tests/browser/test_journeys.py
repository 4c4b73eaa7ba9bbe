"""What people come for, in a browser over the demo. Every journey of the pages, and the test that holds it:

| journey | test |
|---|---|
| citizen: sign in by letters of the inbox, with a key, without, without script | test_doors, test_demo |
| today, timeline, a result with its trend, vitals, growth | here: reads |
| own entry, upload of a paper, correction | here: adds |
| vaccination book, certificate and its code, judged by /verify | here: certificate |
| card and the code for the desk | here: reads |
| who looked, with the proof of a line | here: proof |
| a request: digits | test_main_path, test_keyboard; by the doctor's code: here; camera: test_camera |
| share link and download of the book, signed by the browser's key | here: signs |
| revoke, who can see me; also without script | test_main_path, test_keyboard, here: without script |
| family: a child's book and back | here: family |
| doctor: sign in, ask, wait, read, end, print, without script | test_doctor |
| doctor: break the glass | here: emergency |
| kiosk: set up, number, start over, without script | test_kiosk |
| verify: camera and picture (test_camera), paste, offline, without script | test_verify |
| desk and administration: every page of theirs | test_every_other_page, test_kiosk |
| demo: accounts, inbox, tour | test_demo |
| slow, offline, paper, forced colours, back after leaving | test_states |
| other sites, hostile texts | test_other_sites, test_hostile_words |
"""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from consent.emergency.policy import ATTESTATION
from healthbook.demo_sheet import DemoSheet
from qr.draw import png
from tests.browser.conftest import Person, citizen_of, sign_in
from tests.browser.test_doctor import card_of
from tests.browser.test_doctor import sign_in as staff_sign_in
from tests.browser.test_main_path import trust_newest_browser
from tests.documents.test_pictures import png as photo
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.client import Api, App

PROOF = re.compile("Đã đối chiếu, khớp|Chưa có gốc")
DRAWN = "one => one.complete && one.naturalWidth > 0"


def opened(person: Person, app: App, path: str = "/", *, script: bool = True) -> Page:
    """A session of that person on that page."""
    return person(script=script, citizen=app.token()).page(path)


def follow(tab: Page, name: str) -> None:
    tab.get_by_role("main").get_by_role("link", name=name).first.click()
    tab.wait_for_load_state()


def is_drawn(tab: Page, selector: str) -> None:
    picture = tab.locator(selector).first
    expect(picture).to_be_visible()
    assert picture.evaluate(DRAWN)
    assert (picture.get_attribute("alt") or "").strip()


def test_a_citizen_reads(person: Person, people: People) -> None:
    tab = opened(person, people.app("hung"))
    expect(tab.get_by_role("heading", level=1)).to_have_text("Hôm nay")
    follow(tab, "Tất cả kết quả")
    tab.get_by_role("link", name="Xem qua các lần").first.click()
    is_drawn(tab, "figure.picture img")
    tab.get_by_role("navigation").get_by_role("link", name="Chỉ số", exact=True).first.click()
    tab.locator("main h3 a").first.click()
    expect(tab.locator("main table").first).to_be_visible()
    base = tab.url.partition("/me")[0]
    tab.goto(f"{base}/me/timeline")
    assert tab.locator("main article, main li").count() > 3
    tab.goto(f"{base}/me/card")
    follow(tab, "Mở mã của tôi")
    is_drawn(tab, "main img")


def test_a_citizen_adds(person: Person, people: People, tmp_path: Path) -> None:
    tab = opened(person, people.app("minh"), "/me/entries")
    tab.locator("#kind").select_option("allergy")
    tab.get_by_role("button", name="Tiếp tục").click()
    tab.locator("#name").fill("Hải sản")
    for question in tab.locator("main form fieldset").all():
        question.locator("input[type=radio]").first.check()
    for list_of in tab.locator("main form select").all():
        list_of.select_option(index=1)
    tab.get_by_role("button", name="Lưu vào sổ").click()
    expect(tab.locator("main")).to_contain_text("Hải sản")
    (tmp_path / "giay.png").write_bytes(photo())
    tab.goto(tab.url.partition("/me")[0] + "/me/documents/add")
    tab.locator("input[type=file]").set_input_files(tmp_path / "giay.png")
    tab.locator("#kind").select_option(index=1)
    tab.get_by_label("Tên bạn đặt").fill("Giấy của tôi")
    tab.get_by_role("button", name="Lưu vào sổ").click()
    expect(tab.locator("main")).to_contain_text("Giấy của tôi")
    assert "Giay" not in tab.url


def test_a_citizen_asks_for_a_correction(person: Person, people: People) -> None:
    tab = opened(person, people.app("minh"), "/me/timeline")
    tab.locator("main article a, main li a").first.click()
    tab.get_by_role("button", name="sai").or_(tab.get_by_role("button", name="đúng")).first.click()
    tab.locator("main form input[name=kind]").first.check()
    tab.locator("main form textarea").fill("Ngày khám ghi sai")
    tab.get_by_role("button", name="Gửi cho cơ sở").click()
    expect(tab.locator("main")).to_contain_text("Ngày khám ghi sai")


def test_a_certificate_is_opened_and_judged(person: Person, people: People, tmp_path: Path) -> None:
    watched = person(citizen=people.app("hung").token())
    tab = watched.page("/me/certificates")
    follow(tab, "Mở mã QR")
    is_drawn(tab, "main img")
    (tmp_path / "code.png").write_bytes(tab.locator("main img").first.screenshot())
    border = watched.page("/verify")
    border.get_by_text("tải về lúc").wait_for()
    border.locator("[data-picture]").set_input_files(tmp_path / "code.png")
    expect(border.locator("#verdict h2").first).to_have_text("Hợp lệ")
    with tab.expect_download() as taken:
        tab.get_by_role("link", name="Tải bản in").click()
    assert taken.value.path().read_bytes().startswith(b"%PDF")


def test_a_line_of_the_log_says_what_its_proof_is(person: Person, people: People) -> None:
    tab = opened(person, people.app("hung"), "/me/log")
    tab.get_by_role("button", name="Chi tiết, bằng chứng").last.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Một dòng nhật ký")
    expect(tab.locator("main .badge").last).to_have_text(PROOF)
    assert tab.url.endswith("/me/log/line")


def test_a_childs_book_and_back(person: Person, people: People, sheet: DemoSheet) -> None:
    child = next(one for one in sheet.children if one.key == "bao-anh")
    tab = opened(person, people.app(child.guardian), "/me/family")
    tab.locator("section, article, li", has_text=child.name).get_by_role(
        "button", name="Mở sổ này"
    ).first.click()
    expect(tab.locator("body")).to_contain_text(child.name)
    tab.goto(tab.url.partition("/me")[0].rstrip("/") + "/me/growth")
    is_drawn(tab, "figure.picture img")
    tab.goto(tab.url.partition("/me")[0] + "/me/family")
    tab.get_by_role("button", name="Trở về sổ của tôi").first.click()
    expect(tab.get_by_role("button", name="Trở về sổ của tôi")).to_have_count(0)


def test_a_doctors_code_is_shown_to_the_browser_and_no_digits_are_needed(
    person: Person, people: People, sheet: DemoSheet, api: Api, base: str, tmp_path: Path
) -> None:
    doctor, app = people.staff("bs.nam"), people.app("huong")
    tab = person(width=390, height=844).page()
    sign_in(tab, api, base, citizen_of(sheet, "huong"))
    trust_newest_browser(app)
    asked, _ = present(app, doctor)
    (tmp_path / "code.png").write_bytes(png(asked["display"]["qr"]))
    tab.goto(f"{base}/me/requests")
    tab.locator("[data-picture]").set_input_files(tmp_path / "code.png")
    expect(tab.locator("main")).to_contain_text("Đã quét mã của bác sĩ")
    for one in tab.locator("main input[type=radio][value=all]").all():
        one.check()
    tab.get_by_role("button", name="Tiếp tục để xem lại").click()
    tab.get_by_role("button", name="Tôi đồng ý cho xem").click()
    tab.wait_for_url(f"{base}/me/requests/allowed/*")
    assert doctor.read(app.patient_id)["person"]["name"]


def test_a_browser_s_key_signs_a_link_and_a_download(
    person: Person, people: People, sheet: DemoSheet, api: Api, base: str
) -> None:
    tab = person(width=390, height=844).page()
    sign_in(tab, api, base, citizen_of(sheet, "dong"))
    trust_newest_browser(people.app("dong"))
    tab.goto(f"{base}/me/sharing/links/new")
    tab.get_by_label("Liên kết này dành cho ai?").fill("Bác sĩ ở Berlin")
    tab.locator("#duration").select_option(index=2)
    tab.get_by_role("button", name="Tiếp tục để xem lại").click()
    tab.get_by_role("button", name="Tạo liên kết").click()
    is_drawn(tab, "main img")
    tab.goto(f"{base}/me/sharing")
    expect(tab.locator("main")).to_contain_text("Bác sĩ ở Berlin")
    tab.goto(f"{base}/me/downloads")
    with tab.expect_download() as taken:
        tab.get_by_role("button", name="Tải xuống").first.click()
    assert taken.value.path().stat().st_size > 1000
    assert taken.value.suggested_filename.isascii()


def test_without_script_one_reads_refuses_and_revokes(person: Person, people: People) -> None:
    app, doctor = people.app("tu"), people.staff("bs.nam")
    opened_request, request = present(app, doctor)
    app.approve(request, "B", opened_request["display"]["digits"])
    present(app, doctor)
    tab = opened(person, app, script=False)
    for path in ("/me/timeline", "/me/results", "/me/medicines", "/me/documents", "/me/log"):
        tab.goto(tab.url.partition("/me")[0].rstrip("/") + path)
        assert tab.locator("main h1").count() == 1, path
    base = tab.url.partition("/me")[0]
    tab.goto(f"{base}/me/requests")
    tab.locator("a.nhsuk-card__link").first.click()
    tab.get_by_role("button", name="Từ chối", exact=True).click()
    assert app.get("/v1/me/access-requests")["items"] == []
    tab.goto(f"{base}/me/who-can-see-me")
    tab.get_by_role("button", name="Dừng ngay").first.click()
    doctor.read(app.patient_id, expect=403)


def test_a_doctor_breaks_the_glass(person: Person, people: People, sheet: DemoSheet, base: str) -> None:
    citizen, clerk = citizen_of(sheet, "bler"), people.staff("tn.quy")
    (unit,) = (one for one in clerk.get("/v1/facility/units")["items"] if one["kind"] == "emergency")
    card = {name: getattr(citizen, name) for name in ("number", "name", "birth_date", "sex")}
    clerk.post("/v1/facility/arrivals", card | {"unit_id": unit["unit_id"]}, 201)
    tab = person().page()
    staff_sign_in(tab, base, card_of(sheet, "bs.thu"))
    tab.goto(f"{base}/doctor/emergency")
    tab.locator("#subject").fill(citizen.number)
    tab.locator("#reason-unconscious").check()
    tab.locator("#text").fill("Bất tỉnh sau tai nạn giao thông, không có người nhà")
    tab.locator("#attestation").fill(ATTESTATION)
    tab.get_by_role("button", name="Mở sổ khẩn cấp").click()
    expect(tab.locator("main")).to_contain_text(citizen.name)
    assert citizen.number not in tab.url
    book = opened(person, people.app("bler"), "/me/who-can-see-me")
    book.get_by_role("button", name="Dừng ngay").first.click()
    refused = tab.goto(f"{base}/doctor/patients/{citizen.patient_id}")
    assert refused is not None
    assert refused.status == 403
