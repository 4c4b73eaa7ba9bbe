"""The pictures of docs/huong-dan: what each guide's steps show, along one day of a demo.

A citizen's and a relative's pages are taken as a phone shows them, staff's as a desk does, the kiosk's
upright.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import msgspec
import pyotp
from playwright.sync_api import Page

from healthbook.demo_sheet import DemoCitizen
from tests.browser.conftest import letters_to, new_letters
from tests.browser.picture_taking import Album, close
from tests.browser.test_main_path import trust_newest_browser
from tests.ehr.intake.records import allergy, bundle
from tests.journeys.conftest import People
from tests.support.chromium import give_authenticator
from tests.support.hc1_texts import CLAIMS, es256, hc1

if TYPE_CHECKING:
    from tests.support.people import Citizen

PHONE, DESK, HALL = (390, 760), (1000, 720), (720, 1080)
HUNG, NAM, HOSPITAL = "hung", "bs.nam", "99D01"


def take_steps(album: Album, people: People) -> None:
    """All of them, guide by guide."""
    phone = sign_in(album, people)
    desk = ask(album, people)
    agree(album, phone, desk)
    look(album, phone, desk, people)
    close(phone)
    close(desk)
    family(album, people)
    front_desk(album, people)
    kiosk(album, people)
    verify(album, people)
    demo(album)


def sign_in(album: Album, people: People) -> Page:
    """From the number to the own book; the tab stays."""
    hung = _citizen(people, HUNG)
    tab = album.open(*PHONE)
    give_authenticator(tab)
    tab.goto(f"{album.base}/sign-in")
    tab.get_by_label("Số định danh").fill(hung.number)
    album.take(tab, "nguoi-dan-1-so", tab.get_by_role("heading", level=1))
    before = letters_to(people.api, hung)
    tab.get_by_role("button", name="Gửi mã cho tôi").click()
    tab.get_by_label("6 chữ cái").fill(new_letters(tab, people.api, hung, before))
    tab.get_by_label("PIN").fill(hung.pin)
    album.take(tab, "nguoi-dan-2-ma", tab.get_by_text("Không đọc mã này"))
    tab.get_by_role("button", name="Đăng nhập", exact=True).click()
    key = tab.get_by_role("button", name="Tạo khóa")
    key.wait_for()
    album.take(tab, "nguoi-dan-3-khoa", tab.get_by_role("heading", level=1))
    key.click()
    tab.wait_for_url(f"{album.base}/")
    trust_newest_browser(people.app(HUNG))
    tab.goto(f"{album.base}/")
    album.take(tab, "nguoi-dan-4-hom-nay", tab.get_by_role("heading", level=1))
    tab.locator(".menu__small summary").click()
    album.take(tab, "nguoi-dan-5-muc-luc", tab.locator(".menu__small"))
    return tab


def ask(album: Album, people: People) -> Page:
    """A doctor's way to the waiting screen; the tab stays."""
    door = album.open(*DESK)
    card = next(one for one in people.sheet.practitioners if one.username == NAM)
    door.goto(f"{album.base}/doctor/sign-in")
    door.get_by_label("Tên đăng nhập").fill(card.username)
    door.get_by_label("Mật khẩu").fill(card.password)
    door.get_by_label("Mã 6 số").fill(pyotp.TOTP(card.totp_secret).at(datetime.now(UTC)))
    album.take(door, "bac-si-1-dang-nhap", door.get_by_role("heading", level=1))
    close(door)
    desk = album.open(*DESK, {"staff": people.staff(NAM).token})
    desk.goto(f"{album.base}/doctor")
    desk.locator("#subject").fill(people.app(HUNG).qr())
    album.take(desk, "bac-si-2-quet", desk.get_by_role("heading", level=1))
    desk.get_by_role("button", name="Gửi yêu cầu").click()
    desk.wait_for_url(f"{album.base}/doctor/requests/*")
    album.take(desk, "bac-si-3-cho", desk.get_by_role("heading", level=1))
    return desk


def agree(album: Album, phone: Page, desk: Page) -> None:
    """The citizen's answer, and the summary that comes of it."""
    phone.goto(f"{album.base}/me/requests")
    album.take(phone, "nguoi-dan-6-yeu-cau", phone.get_by_role("heading", level=1))
    phone.locator("a.nhsuk-card__link").first.click()
    phone.wait_for_load_state()
    album.take(phone, "nguoi-dan-7-chon", phone.get_by_text("Bạn cho xem những gì?"))
    phone.get_by_role("radio", name=re.compile("^Tất cả")).check()
    phone.get_by_role("radio", name=re.compile("như bác sĩ xin")).check()
    digits = phone.get_by_label("6 số trên màn hình của bác sĩ")
    digits.fill(desk.locator(".waiting__digits").inner_text().replace(" ", ""))
    album.take(phone, "nguoi-dan-8-sau-so", phone.get_by_text("Xem trong bao lâu?", exact=True))
    phone.get_by_role("button", name="Tiếp tục để xem lại").click()
    yes = phone.get_by_role("button", name="Tôi đồng ý cho xem")
    yes.wait_for()
    album.take(phone, "nguoi-dan-9-dong-y", phone.get_by_text("Trong bao lâu"))
    yes.click()
    phone.wait_for_url(f"{album.base}/me/requests/allowed/*")
    album.take(phone, "nguoi-dan-10-da-cho", phone.get_by_role("heading", level=1))
    desk.wait_for_url(f"{album.base}/doctor/patients/*")


def look(album: Album, phone: Page, desk: Page, people: People) -> None:
    """What the doctor reads, who looked, and the end of it."""
    desk.get_by_role("heading", level=1).wait_for()
    album.take(desk, "bac-si-4-tom-tat", desk.locator(".grant-bar"))
    desk.get_by_role("link", name="Kết quả", exact=True).click()
    desk.wait_for_url("**/results")
    album.take(desk, "bac-si-5-ket-qua", desk.locator(".grant-bar"))
    desk.goto(f"{album.base}/doctor/patients/{people.app(HUNG).patient_id}/delegations")
    album.take(desk, "dieu-duong-2-giao", desk.locator(".grant-bar"))
    phone.goto(f"{album.base}/me/log")
    album.take(phone, "nguoi-dan-11-ai-da-xem", phone.get_by_role("heading", level=1))
    phone.goto(f"{album.base}/me/who-can-see-me")
    album.take(phone, "nguoi-dan-12-ai-xem-duoc", phone.get_by_role("heading", level=1))
    phone.get_by_role("button", name="Dừng ngay").first.click()
    phone.get_by_text("Hiện không ai ngoài bạn").wait_for()
    phone.goto(f"{album.base}/me/certificates")
    phone.get_by_role("link", name="Mở mã QR").first.click()
    album.take(phone, "nguoi-dan-13-chung-nhan", phone.get_by_role("heading", level=1))
    phone.goto(f"{album.base}/")
    phone.get_by_role("button", name="Chữ lớn").click()
    album.take(phone, "nguoi-dan-14-chu-lon")
    ward = album.open(*DESK, {"staff": people.staff("bs.thu").token})
    ward.goto(f"{album.base}/doctor/emergency")
    album.take(ward, "bac-si-6-cap-cuu", ward.get_by_role("heading", level=1))
    close(ward)


def family(album: Album, people: People) -> None:
    """A mother in her daughter's book."""
    tab = album.open(*PHONE, {"citizen": people.app("huong").token()})
    tab.goto(f"{album.base}/me/family")
    album.take(tab, "gia-dinh-1-nguoi-nha", tab.get_by_text("Người tôi chăm sóc"))
    tab.get_by_role("button", name="Mở sổ này").first.click()
    tab.wait_for_load_state()
    tab.goto(f"{album.base}/me/vaccination")
    album.take(tab, "gia-dinh-2-so-cua-con", tab.locator(".whose"))
    tab.goto(f"{album.base}/me/family")
    album.take(tab, "gia-dinh-3-tro-ve", tab.get_by_role("heading", level=1))
    tab.get_by_role("button", name="Trở về sổ của tôi").click()
    tab.wait_for_load_state()
    tab.goto(f"{album.base}/me/family/invite")
    album.take(tab, "gia-dinh-4-moi", tab.get_by_role("heading", level=1))
    close(tab)


def front_desk(album: Album, people: People) -> None:
    """Counter and line, the quarantine, and what an administrator sets up."""
    clerk = people.staff("tn.an")
    counter = clerk.get("/v1/facility/counters")["items"][0]
    tab = album.open(*DESK, {"staff": clerk.token})
    tab.goto(f"{album.base}/facility")
    album.take(tab, "co-so-1-trang-dau", tab.get_by_role("heading", level=1))
    arrival = {"qr": people.app("lan").qr(), "counter_id": counter["counter_id"]}
    clerk.post("/v1/facility/check-ins", arrival, expect=201)
    tab.goto(f"{album.base}/facility/desk")
    album.take(tab, "co-so-2-tiep-don", tab.get_by_role("heading", level=1))
    tab.goto(f"{album.base}/facility/counters/{counter['counter_id']}")
    album.take(tab, "co-so-3-quay", tab.get_by_role("heading", level=1))
    tab.goto(f"{album.base}/facility/look-ups")
    album.take(tab, "co-so-4-tim", tab.get_by_role("heading", level=1))
    close(tab)
    _send_wrong(people)
    for user, path, name in (
        ("hs.dao", "/facility/quarantine", "co-so-5-cho-doi-chieu"),
        ("qt.mot", "/facility/kiosks", "co-so-6-ki-ot"),
        ("dd.mua", "/doctor", "dieu-duong-1-mo-so"),
    ):
        tab = album.open(*DESK, {"staff": people.staff(user).token})
        tab.goto(album.base + path)
        album.take(tab, name, tab.get_by_role("heading", level=1))
        close(tab)


def _send_wrong(people: People) -> None:
    """A record whose birth date is not the person's: it waits for an officer."""
    other = msgspec.structs.replace(_citizen(people, "pao"), birth_date="1931-01-30")
    sender = next(one for one in people.sheet.facility_systems if one.facility_code != HOSPITAL)
    # The four members that a bundle says of a person are those of the sheet, too.
    raw = bundle(cast("Citizen", other), allergy())
    people.machine(sender.facility_code).send_records(raw, "application/fhir+json")


def kiosk(album: Album, people: People) -> None:
    """From the code that an administrator made to a person's number."""
    admin = people.staff("qt.mot")
    counter = admin.get("/v1/facility/counters")["items"][0]
    new = {"counter_id": counter["counter_id"], "name": "Ki-ốt sảnh"}
    made = admin.post("/v1/facility/kiosks", {"reason": "ki-ốt ở sảnh", "kiosk": new}, expect=201)
    tab = album.open(*HALL)
    tab.goto(f"{album.base}/kiosk")
    tab.locator("#code").fill(made["code"])
    album.take(tab, "ki-ot-1-lap-dat")
    tab.keyboard.press("Enter")
    tab.locator("#scan").wait_for()
    album.take(tab, "ki-ot-2-bat-dau")
    tab.locator("#scan").fill(_citizen(people, "minh").card_text)
    tab.keyboard.press("Enter")
    tab.locator(".kiosk-ticket").wait_for()
    album.take(tab, "ki-ot-3-so")
    tab.goto(f"{album.base}/kiosk/wall")
    album.take(tab, "ki-ot-4-man-hinh-quay")
    close(tab)


def verify(album: Album, people: People) -> None:
    """A genuine certificate, and one that somebody else signed."""
    app = people.app(HUNG)
    listed = app.get("/v1/me/certificates")["doses"]
    first = next(one["certificate"] for one in listed if one["certificate"])
    genuine = app.get(f"/v1/me/certificates/{first['certificate_id']}/text")["text"]
    tab = album.open(*PHONE)
    for text, name in ((genuine, "kiem-tra-2-hop-le"), (_foreign(), "kiem-tra-3-khong")):
        tab.goto(f"{album.base}/verify")
        tab.get_by_text("tải về lúc").wait_for()
        if name == "kiem-tra-2-hop-le":
            album.take(tab, "kiem-tra-1-bat-dau", tab.get_by_role("heading", level=1))
        tab.locator("#text").fill(text)
        tab.get_by_role("button", name="Kiểm tra", exact=True).click()
        tab.locator("#verdict h2").first.wait_for()
        album.take(tab, name, tab.locator("#verdict"))
    close(tab)


def _foreign() -> str:
    """A certificate of a key that no list holds."""
    now = datetime.now(UTC)
    times = {4: int((now + timedelta(days=30)).timestamp()), 6: int(now.timestamp())}
    return hc1(es256(), CLAIMS | times)


def demo(album: Album) -> None:
    """The walk and the accounts."""
    tab = album.open(1280, 900)
    tab.goto(f"{album.base}/demo")
    album.take(tab, "chay-thu-1-di-thu")
    tab.goto(f"{album.base}/demo/accounts")
    album.take(tab, "chay-thu-2-tai-khoan", tab.get_by_role("heading", name="Người dân"))
    close(tab)


def _citizen(people: People, key: str) -> DemoCitizen:
    return next(one for one in people.sheet.citizens if one.key == key)
