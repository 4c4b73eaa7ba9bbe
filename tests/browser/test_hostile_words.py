"""Stored XSS: a book, a desk and a hall whose every word tries to be markup, script, an address or htmx's
attribute. Pages show them as they were written: nothing runs, nothing becomes an element, nobody is asked."""

import base64
import re

import pytest
from lxml import etree
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.chromium import Watched
from tests.support.crawling import IS_NO_PAGE, places
from tests.support.hostile_book import ATTACKS, MARK, HostileBook, make_hostile_book
from tests.support.service import Service

# What a text that was taken for markup would have left: elements, handlers, addresses, attributes that act.
LEFT = f"""() => {{
  const ours = /^(\\/(?!\\/)|#|data:image\\/|tel:|sms:)/;
  const acts = ({{name, value}}) => /^on|^hx-on/.test(name)
    || (/^(src|href|action|formaction|xlink:href)$/.test(name) && !ours.test(value))
    || (/^hx-/.test(name) && value.includes("{MARK}"));
  const left = [
    ...document.querySelectorAll("iframe, object, embed, base, style, [style], .{MARK}"),
    ...document.querySelectorAll("script:not([src^='/static/'])"),
    ...[...document.querySelectorAll("*")].filter(one => [...one.attributes].some(acts)),
  ];
  return left.map(one => one.outerHTML.slice(0, 200)).concat(window.{MARK} === undefined ? [] : ["it ran"]);
}}"""
PICTURES = "[...document.images].map(one => one.src).filter(one => one.startsWith('data:image/svg'))"
OF_A_CITIZEN = {
    *("/me/timeline", "/me/results", "/me/medicines", "/me/documents", "/me/entries", "/me/cases"),
    *("/me/sharing", "/me/log", "/me/who-can-see-me", "/me/requests"),
}


@pytest.fixture(scope="module")
def book(service: Service, people: People) -> HostileBook:
    return make_hostile_book(service, people)


def walked(watched: Watched, roots: list[str], inside: str) -> set[str]:
    """Open every page from there. The templates of those that showed such a word."""
    tab, shown = watched.page(), set()
    for template, path in places(tab, roots, inside):
        if IS_NO_PAGE.search(path):
            _take(watched, path)
            continue
        try:
            tab.goto(watched.base + path)
        except Error as error:
            if "Download is starting" not in str(error):
                raise
            _take(watched, path)
            continue
        _look(tab, path)
        if MARK in tab.locator("body").inner_text():
            shown.add(template.partition("/{")[0])
    return shown


def _look(tab: Page, path: str) -> None:
    tab.wait_for_load_state()
    assert tab.evaluate(LEFT) == [], path
    assert MARK not in tab.title() + tab.url, path
    for picture in tab.evaluate(PICTURES):
        drawn = etree.fromstring(base64.b64decode(picture.partition(",")[2]))
        for one in drawn.iter(etree.Element):
            assert etree.QName(one).localname not in {"script", "foreignObject", "a", "image"}, path
            assert not [name for name in one.attrib if re.search(r"^on|href$", str(name))], path


def _take(watched: Watched, path: str) -> None:
    """A file: no page by its kind, and named without a word of a record."""
    answer = watched.context.request.get(watched.base + path)
    said = answer.headers.get("content-disposition", "")
    assert answer.status < 500, path
    assert MARK not in str(answer.headers), path
    if answer.ok:
        kind = answer.headers["content-type"]
        assert not re.search("html|xml|svg|script", kind), (path, kind)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert not said or re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', said), (path, said)


def test_every_page_of_the_person(person: Person, book: HostileBook) -> None:
    watched = person(citizen=book.app.token())
    shown = walked(
        watched, ["/", *sorted(OF_A_CITIZEN), "/me/vaccination", f"/me/requests/{book.waiting}"], "/"
    )
    assert shown >= OF_A_CITIZEN, OF_A_CITIZEN - shown


def test_what_is_typed_into_a_search_and_found(person: Person, book: HostileBook) -> None:
    tab = person(citizen=book.app.token()).page("/me/search")
    for text in ("evil7", *ATTACKS):
        tab.locator("main input[type=search], main input[type=text]").first.fill(text[:80])
        tab.locator("main form button").first.click()
        _look(tab, text)


def test_the_book_of_another_in_a_relatives_hands(person: Person, book: HostileBook) -> None:
    watched = person(citizen=book.relative.token())
    tab = watched.page("/me/family")
    expect(tab.locator("main")).to_contain_text(ATTACKS[1])
    _look(tab, "/me/family")
    watched.context.add_cookies([{"name": "book", "value": book.app.patient_id, "url": watched.base}])
    for path in ("/", "/me/timeline", "/me/results"):
        tab.goto(watched.base + path)
        assert MARK in tab.locator("body").inner_text(), path
        _look(tab, path)


def test_every_page_of_a_doctor(person: Person, book: HostileBook) -> None:
    watched = person(staff=book.doctor.token)
    patient = f"/doctor/patients/{book.app.patient_id}"
    shown = walked(watched, ["/doctor", patient], "/doctor")
    assert shown >= {"/doctor", "/doctor/patients"}, shown
    tab = watched.page(f"{patient}/results")
    for button in range(min(3, tab.locator("form[action$='/trend'] button").count())):
        tab.locator("form[action$='/trend'] button").nth(button).click()
        _look(tab, "trend")
        tab.goto(f"{watched.base}{patient}/results")


@pytest.mark.parametrize("who", ["desk", "head"])
def test_every_page_of_the_desk(person: Person, book: HostileBook, who: str) -> None:
    shown = walked(person(staff=getattr(book, who).token), ["/facility"], "/facility")
    assert shown >= {"/facility/counters" if who == "head" else "/facility"}, shown


@pytest.fixture
def hall(person: Person, book: HostileBook) -> Watched:
    return person(**{"kiosk-key": book.kiosk_key})


def test_every_page_of_the_hall(hall: Watched) -> None:
    tab = hall.page()
    for path in ("/kiosk", "/kiosk/questions", "/kiosk/wall"):
        tab.goto(hall.base + path)
        _look(tab, path)
    tab.goto(f"{hall.base}/kiosk")
    assert MARK in tab.locator("body").inner_text()
    for text in ATTACKS:
        tab.locator("#scan").fill(text)
        tab.keyboard.press("Enter")
        tab.locator(".kiosk-ticket").wait_for()
        _look(tab, text)
        tab.goto(f"{hall.base}/kiosk")
