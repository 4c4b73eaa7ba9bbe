"""The same of everybody else's pages: without a session, a doctor's, the desk's, a kiosk's, the demo's."""

from collections import Counter
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Person, citizen_of
from tests.browser.test_every_citizen_page import words_of
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.chromium import Watched
from tests.support.crawling import crawl, page_routes, seen_wrong
from tests.support.house import at_work, hold_back

PUBLIC = ["/", "/sign-in", "/doctor/sign-in", "/verify", "/kiosk/set-up", "/docs", "/demo"]


def test_every_page_without_a_session(person: Person) -> None:
    walk = crawl(person(), [path for path in PUBLIC if path in page_routes()], set())
    assert walk.wrong == []


def test_every_page_of_a_doctor(person: Person, people: People) -> None:
    app, doctor = people.app("hung"), people.staff("bs.nam")
    opened, request = present(app, doctor)
    app.approve(request, "B", opened["display"]["digits"])
    waiting, _ = present(people.app("lan"), doctor)
    watched = person()
    watched.context.add_cookies([{"name": "staff", "value": doctor.token, "url": watched.base}])
    roots = ["/doctor", f"/doctor/requests/{waiting['request_id']}"]
    walk = crawl(watched, roots, words_of(doctor.read(app.patient_id)), inside="/doctor")
    assert walk.wrong == []
    assert "/doctor/patients/{patient_id:uuid}" in walk.seen, walk.seen


def test_every_page_of_a_doctor_of_the_emergency_unit_and_of_a_nurse(person: Person, people: People) -> None:
    for username in ("bs.thu", "dd.hoa"):
        walk = crawl(
            signed_in(person, people, username), ["/doctor", "/doctor/emergency"], set(), inside="/doctor"
        )
        assert walk.wrong == [], username


def test_what_a_doctor_gets_after_a_form_is_as_clean(person: Person, people: People) -> None:
    """Narrowed visits, one test over time, what a search found, a nurse nobody knows."""
    app, doctor = people.app("hung"), people.staff("bs.nam")
    opened, request = present(app, doctor)
    app.approve(request, "B", opened["display"]["digits"])
    base = f"/doctor/patients/{app.patient_id}"
    tab = signed_in(person, people, "bs.nam").page(f"{base}/timeline")
    tab.get_by_label("Loại").select_option("medications")
    tab.get_by_role("button", name="Lọc").click()
    expect(tab.get_by_text("Đang lọc:")).to_be_visible()
    assert seen_wrong(tab) == []
    tab.get_by_role("link", name="Kết quả", exact=True).click()
    tab.locator("form[action$='/results/trend'] button").first.click()
    expect(tab.get_by_role("link", name="Tất cả kết quả")).to_be_visible()
    assert seen_wrong(tab) == []
    tab.get_by_text("Được xem gì").click()
    tab.get_by_role("link", name="Giao một phần cho điều dưỡng").click()
    tab.get_by_label("Số giấy phép").fill("không-ai")
    tab.get_by_role("button", name="Giao", exact=True).click()
    expect(tab.get_by_role("alert")).to_be_visible()
    assert seen_wrong(tab) == []


def test_every_page_of_the_desk(person: Person, people: People) -> None:
    house = at_work(people)
    roots = ["/facility", house.appointments, house.vaccination]
    seen: Counter[str] = Counter()
    for username in ("tn.an", "dd.hoa", "bs.nam", "qt.mot", "hs.dao"):
        watched = signed_in(person, people, username)
        mine = [one for one in roots if username in ("tn.an", "dd.hoa") or one == "/facility"]
        walk = crawl(watched, mine, {"severe-allergy", "Trần Thị Lan"}, inside="/facility")
        assert walk.wrong == [], username
        seen += walk.seen
    every = {one for one in page_routes() if one.startswith("/facility")}
    assert every - set(seen) <= NOT_FOLLOWED


# The desk's one list of a day without appointments is the same page as of another day; a file is no page.
NOT_FOLLOWED = {"/facility/figures/{month:str}/accountability"}


def signed_in(person: Person, people: People, username: str, **more: Any) -> Watched:
    watched = person(**more)
    token = people.staff(username).token
    watched.context.add_cookies([{"name": "staff", "value": token, "url": watched.base}])
    return watched


def test_what_the_desk_gets_after_a_form_is_as_clean(person: Person, people: People) -> None:
    """Pages that only a form leads to: a comparison, a person who was found, refusals, codes shown once."""
    hold_back(people)
    officer = signed_in(person, people, "hs.dao").page("/facility/quarantine")
    officer.locator("summary", has_text="Mở để đối chiếu").first.click()
    officer.get_by_label("Lý do").first.fill("đối chiếu giấy tờ")
    officer.get_by_role("button", name="Mở", exact=True).first.click()
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đối chiếu")
    assert seen_wrong(officer) == []
    clerk = signed_in(person, people, "tn.an").page("/facility/look-ups")
    known = citizen_of(people.sheet, "hung")
    clerk.get_by_label("Số", exact=True).fill(known.number)
    clerk.get_by_role("button", name="Tìm").click()
    expect(clerk.get_by_role("heading", name="Có thể là")).to_be_visible()
    assert seen_wrong(clerk) == []
    clerk.get_by_label("Họ tên đầy đủ").fill(known.name)
    clerk.get_by_role("button", name="Đối chiếu").click()
    expect(clerk.get_by_text(known.name)).to_be_visible()
    assert seen_wrong(clerk) == []
    assert known.name not in clerk.title() + clerk.url
    for path, button in FORMS:
        admin = signed_in(person, people, "qt.mot").page(path)
        fold = admin.locator(
            "details", has=admin.get_by_role("button", name=button, exact=True, include_hidden=True)
        ).last
        fold.evaluate("one => one.open = true")
        fold.locator("form").evaluate("one => one.noValidate = true")
        fold.get_by_role("button", name=button, exact=True).click()
        expect(admin.get_by_role("alert")).to_be_visible()
        assert seen_wrong(admin) == [], path
        admin.context.close()


# What an empty form answers: the refusal inside the frame, the form still open.
FORMS = (
    ("/facility/counters", "Mở quầy"),
    ("/facility/kiosks", "Tạo mã lắp đặt"),
    ("/facility/departments", "Thêm khoa"),
    ("/facility/systems", "Đề nghị thêm"),
    ("/facility/staff", "Đề nghị giao vai trò"),
    ("/facility/schedules", "Lập lịch"),
)
