"""Every page of a citizen: axe-core finds nothing in both modes, ≤ 150 kB, 320 px wide, nothing clinical in a
title or an address, nothing from elsewhere."""

from typing import Any

from healthbook.demo_sheet import DemoSheet
from healthbook.demo_statements import WHO
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.crawling import crawl

# How a citizen's pages are reached that no link of a full book leads to.
ROOTS = [
    "/",
    "/me/timeline",
    "/me/results",
    "/me/medicines",
    "/me/vaccination",
    "/me/vitals",
    "/me/documents",
    "/me/appointments",
]
# What is done on pages beside reading: a link of the full book leads to each.
DOING = {
    "/me/appointments/new",
    "/me/appointments/at/{facility_id:uuid}",
    "/me/appointments/at/{facility_id:uuid}/{schedule_id:uuid}",
    "/me/appointments/{appointment_id:uuid}",
    "/me/appointments/letters/{letter_id:str}",
    "/me/appointments/letters/{letter_id:str}/{facility_id:uuid}/{schedule_id:uuid}",
    "/me/medicines/reminders/{reminder_id:uuid}/times",
    "/me/vitals/add",
    "/me/vitals/limits",
    "/me/vitals/add/{ident:int}",
    "/me/settings/notices",
    "/me/rights",
    "/me/cases/missing",
    "/me/emergency/contacts",
    "/me/emergency/settings",
    "/me/sharing/given",
    "/me/sharing/uses",
    "/me/hidden",
}


def words_of(summary: Any) -> set[str]:
    """Names of diseases, medicines and tests that a summary says: five letters or more."""
    found: set[str] = set()
    waiting = [summary]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found |= {
                str(one[name]) for name in ("title", "display", "text") if isinstance(one.get(name), str)
            }
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return {word for word in found if len(word) >= 5}


def test_every_page_of_a_full_book(person: Person, people: People) -> None:
    app = people.app("hung")
    watched = person()
    watched.context.add_cookies([{"name": "citizen", "value": app.token(), "url": watched.base}])
    walk = crawl(watched, ROOTS, words_of(app.get("/v1/me/summary")))
    assert walk.wrong == []
    assert sum(1 for template in walk.seen if template.startswith("/me")) >= 20, walk.seen
    assert set(walk.seen) >= DOING


def test_every_page_of_what_a_person_said(person: Person, people: People) -> None:
    watched = person(width=390, height=844)
    watched.context.add_cookies([{"name": "citizen", "value": people.app(WHO).token(), "url": watched.base}])
    walk = crawl(watched, ["/me/entries"], set(), inside="/me/entries")
    assert walk.wrong == []
    assert "/me/entries/{entry_id:uuid}/change" in walk.seen


def test_every_page_of_a_childs_book(person: Person, people: People, sheet: DemoSheet) -> None:
    child = next(one for one in sheet.children if one.key == "bao-anh")
    app = people.app(child.guardian)
    watched = person(width=390, height=844)
    watched.context.add_cookies(
        [
            {"name": "citizen", "value": app.token(), "url": watched.base},
            {"name": "book", "value": child.patient_id, "url": watched.base},
        ]
    )
    walk = crawl(watched, [*ROOTS, "/me/growth"], set())
    assert walk.wrong == []
