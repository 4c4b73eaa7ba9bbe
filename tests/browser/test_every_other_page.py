"""The same of everybody else's pages: without a session, a doctor's, the desk's, a kiosk's, the demo's."""

from tests.browser.conftest import Person
from tests.browser.test_every_citizen_page import words_of
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.crawling import crawl, page_routes

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


def test_every_page_of_the_desk(person: Person, people: People) -> None:
    for username in ("tn.an", "qt.mot"):
        watched = person()
        token = people.staff(username).token
        watched.context.add_cookies([{"name": "staff", "value": token, "url": watched.base}])
        walk = crawl(watched, ["/facility"], set(), inside="/facility")
        assert walk.wrong == []
