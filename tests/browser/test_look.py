"""How pages look to somebody who sees badly, holds a phone, has no script or prints: large type, dark mode,
320 px, targets for a finger, paper."""

from typing import Any

from playwright.sync_api import Page

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.chromium import axe

SIZE = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
GROUND = "getComputedStyle(document.body).backgroundColor"
WIDTH = "document.documentElement.scrollWidth"
# A link in a sentence may be as small as its words (WCAG 2.2, 2.5.8).
SMALL = """[...document.querySelectorAll(
    "button, select, summary, a.nhsuk-button, .menu a, .brand, input:not([type=hidden])")]
  .map(one => [one.textContent.trim() || one.id, one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && box.height < 44).map(([name]) => name)"""


def light_of(colour: str) -> float:
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return (red + green + blue) / 3


def test_large_type_and_dark_mode_are_one_press_each_without_script_and_stay(person: Person) -> None:
    watched = person(width=320, height=640, script=False)
    tab = watched.page("/")
    before: Any = tab.evaluate(SIZE)
    tab.get_by_role("button", name="Chữ lớn").click()
    assert tab.evaluate(SIZE) >= before * 1.2
    assert tab.evaluate(WIDTH) <= 320
    assert light_of(tab.evaluate(GROUND)) > 200
    tab.get_by_role("button", name="Nền tối").click()
    assert light_of(tab.evaluate(GROUND)) < 50
    tab.goto(f"{watched.base}/sign-in")
    assert tab.evaluate(SIZE) >= before * 1.2
    assert light_of(tab.evaluate(GROUND)) < 50
    tab.get_by_role("button", name="Nền sáng").click()
    assert light_of(tab.evaluate(GROUND)) > 200


def test_a_dark_system_gets_dark_pages_and_is_offered_light_ones(person: Person) -> None:
    tab = person(dark=True).page("/")
    assert light_of(tab.evaluate(GROUND)) < 50
    assert not tab.get_by_role("button", name="Nền tối").is_visible()
    tab.get_by_role("button", name="Nền sáng").click()
    assert light_of(tab.evaluate(GROUND)) > 200


def test_words_are_in_our_font_with_every_letter_of_the_language(person: Person) -> None:
    watched = person()
    tab = watched.page("/")
    tab.evaluate("document.fonts.ready.then(() => true)")
    assert tab.evaluate("document.fonts.check('400 16px \"Be Vietnam Pro\"', 'ữợậẵỹđ')")
    fonts = {url.rpartition("/")[2] for url in watched.requests if url.endswith(".woff2")}
    assert "be-vietnam-pro-vietnamese-400-normal.woff2" in fonts


def opened(person: Person, people: People, width: int) -> Page:
    watched = person(width=width, height=844)
    token = people.app("hung").token()
    watched.context.add_cookies([{"name": "citizen", "value": token, "url": watched.base}])
    return watched.page("/")


def test_what_one_presses_is_high_enough_for_a_finger(person: Person, people: People) -> None:
    for width in (390, 1280):
        tab = opened(person, people, width)
        for path in ("/", "/me/results", "/me/sharing", "/me/settings"):
            tab.goto(tab.url.partition("/me")[0].rstrip("/") + path)
            assert tab.evaluate(SMALL) == [], (width, path)


def test_the_sections_open_on_a_phone_without_script(
    person: Person, people: People, sheet: DemoSheet
) -> None:
    watched = person(width=390, height=844, script=False)
    token = people.app(sheet.citizens[0].key).token()
    watched.context.add_cookies([{"name": "citizen", "value": token, "url": watched.base}])
    tab = watched.page("/")
    assert not tab.get_by_role("link", name="Tiêm chủng", exact=True).is_visible()
    tab.locator("nav.menu summary").click()
    tab.get_by_role("link", name="Tiêm chủng", exact=True).click()
    assert tab.url.endswith("/me/vaccination")
    assert tab.locator("nav.menu [aria-current]").first.text_content() == "Tiêm chủng"


def test_paper_carries_what_was_read_in_black_and_nothing_to_press(person: Person, people: People) -> None:
    tab = opened(person, people, 1280)
    tab.goto(tab.url.rstrip("/") + "/me/results")
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.get_by_role("heading", level=1).is_visible()
    assert tab.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    for gone in ("nav.menu", "form.display", "footer", ".nhsuk-skip-link"):
        assert not tab.locator(gone).first.is_visible(), gone
    assert [one for one in tab.get_by_role("button").all() if one.is_visible()] == []


def test_a_part_that_no_longer_updates_says_so_without_script(person: Person, people: People) -> None:
    """The clock of its animation is moved, not waited for."""
    tab = opened(person, people, 390)
    tab.goto(tab.url.rstrip("/") + "/me/card/code")
    stale = tab.locator(".stale")
    assert stale.bounding_box() == {**(stale.bounding_box() or {}), "height": 0}
    tab.evaluate("document.querySelector('.stale').getAnimations()[0].finish()")
    assert (stale.bounding_box() or {})["height"] >= 40
    assert "Chưa cập nhật được" in stale.inner_text()


def test_the_older_pages_are_whole_in_both_modes_at_every_width(person: Person) -> None:
    for dark, width in ((False, 1280), (True, 320)):
        watched = person(width=width, dark=dark)
        for path in ("/the-khan-cap", "/lien-he", "/kiem-tra-giay-to", "/connect", "/docs"):
            tab = watched.page(path)
            assert axe(tab) == [], (path, dark, width)
            assert tab.evaluate(WIDTH) <= width, (path, width)
            assert (light_of(tab.evaluate(GROUND)) < 50) is dark
            tab.close()
