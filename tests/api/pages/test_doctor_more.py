"""A doctor's pages besides the parts of the book: growth, prescriptions, what was said, wishes, a nurse."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consent.models import Grant
from identity.models import Facility
from kernel.access import RecordType
from store.database import Store
from tests.consent.test_wishes import SAID, state
from tests.ehr.growth.test_growth import measured
from tests.ehr.prescriptions.test_reading import send
from tests.ehr.statements.test_statements import PENICILLIN, say
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, make_machine
from tests.support.record import write


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def facility(store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(store, clock)


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock, facility: Facility) -> Doctor:
    return await make_doctor(store, clock, facility)


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Nguyễn Văn Hùng")


@pytest.fixture
def browser(client: httpx.AsyncClient, doctor: Doctor) -> Browser:
    return Browser(client, "staff", doctor.token)


def book(person: Citizen, part: str = "") -> str:
    return f"/doctor/patients/{person.patient_id}{part}"


async def lines(client: httpx.AsyncClient, person: Citizen) -> list[dict[str, Any]]:
    """What others read, as the person's log shows it."""
    found = (await client.get("/v1/me/access-log", headers=bearer(person.token))).json()["items"]
    return [one for one in found if not one["is_own"] and one["action"].startswith("record:")]


# -- growth


async def youth(store: Store, clock: FrozenClock, *rows: dict[str, Any]) -> Citizen:
    """Old enough to answer a request alone, and young enough for WHO's charts."""
    child = await make_citizen(store, clock, birth_date="2009-11-20", sex="male")
    await write(store, child.patient_id, list(rows), clock.now())
    return child


async def test_a_child_s_growth_is_a_picture_a_table_and_one_line_of_the_log(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor
) -> None:
    rows = [
        measured("h1", "8302-2", "2026-05-20", "158.5", "cm"),
        measured("h2", "8302-2", "2026-08-20", "160.5", "cm"),
        measured("w2", "29463-7", "2026-08-20", "50", "kg"),
    ]
    child = await youth(store, clock, *rows)
    await granted(store, clock, doctor, child)
    assert book(child, "/growth") in (await browser.get(book(child))).links(), "the summary of a child"
    before = len(await lines(client, child))
    page = await browser.get(book(child, "/growth"))
    assert page.status == 200
    assert "160,5" in page.text
    (chart,) = [one for one in page.tree.iter("img") if one.get("src", "").startswith("data:image/svg")]
    assert chart.get("alt")
    assert page.tree.xpath("//table//th[@scope='row']")[0].text_content() == "20/08/2026"
    assert len(await lines(client, child)) == before + 1, "numbers and picture are one opening"
    others = [link for link in page.links() if link.startswith(book(child, "/growth/"))]
    assert len(others) >= 2
    assert (await browser.get(others[-1])).status == 200
    assert (await browser.get(book(child, "/growth/99"))).status == 404


async def test_growth_of_an_adult_and_outside_the_grant_is_a_sentence(
    store: Store, clock: FrozenClock, browser: Browser, doctor: Doctor, person: Citizen
) -> None:
    await granted(store, clock, doctor, person)
    adult = await browser.get(book(person, "/growth"))
    assert adult.status == 200
    assert not adult.tree.xpath("//main//img")
    assert book(person, "/growth") not in (await browser.get(book(person))).links()
    child = await youth(store, clock)
    await granted(store, clock, doctor, child, types=frozenset({"Condition"}))
    assert "nằm ngoài phạm vi được xem" in (await browser.get(book(child, "/growth"))).text


# -- prescriptions


async def test_prescriptions_say_what_was_ordered_and_what_is_left(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    await granted(store, clock, doctor, person)
    empty = await browser.get(book(person, "/prescriptions"))
    assert "Chưa có trong sổ" in empty.text
    machine = await make_machine(store, clock, await make_facility(store, clock, "25366"))
    code = await send(client, machine, person)
    page = await browser.get(book(person, "/prescriptions"))
    assert page.status == 200
    for words in ("Amlodipin 5 mg", "30 viên", "1 viên/lần", "lấy thuốc đến"):
        assert words in page.text, words
    assert code not in page.text, "the code is the person's"
    assert book(person, "/prescriptions") in (await browser.get(book(person, "/medicines"))).links()


# -- what was said


async def test_a_doctor_confirms_what_was_said_and_it_stays_as_it_was_said(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    await granted(store, clock, doctor, person)
    assert "Chưa có trong sổ" in (await browser.get(book(person, "/statements"))).text
    ident = (await say(client, person, PENICILLIN)).json()["statement_id"]
    page = await browser.get(book(person, "/statements"))
    assert "Tự khai" in page.text
    action = book(person, f"/statements/{ident}/verdict")
    stale = await browser.submit(page, action, outcome="confirmed", version="7")
    assert stale.status == 409
    assert stale.tree.find_class("nhsuk-error-summary")
    done = await browser.submit(page, action, outcome="confirmed", note="Đã hỏi bệnh sử")
    assert done.status == 200
    assert "Bác sĩ đã xác nhận" in done.text
    assert "Đã hỏi bệnh sử" in done.text
    refuted = await browser.submit(done, action, outcome="refuted")
    assert "Bác sĩ đã bác bỏ" in refuted.text
    for outcome, version in (("maybe", "1"), ("confirmed", "x")):
        assert (await browser.submit(page, action, outcome=outcome, version=version)).status == 400


# -- wishes


async def test_wishes_show_where_they_are_ticked_for_and_with_what_they_are_not(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    await granted(store, clock, doctor, person)
    await state(client, clock, person, "treatment-limits", text=SAID)
    hidden = await browser.get(book(person, "/wishes"))
    assert SAID not in hidden.text
    assert "không nói lên" in hidden.text
    await state(client, clock, person, "treatment-limits", text=SAID, shown_to_doctors=True)
    shown = await browser.get(book(person, "/wishes"))
    assert SAID in shown.text
    assert "không phải văn bản pháp lý" in shown.text


# -- a nurse


async def test_a_doctor_hands_a_part_to_a_nurse_and_takes_it_back(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
    facility: Facility,
) -> None:
    nurse = await make_doctor(store, clock, facility, "nurse")
    hers = Browser(client, "staff", nurse.token)
    await granted(store, clock, doctor, person)
    assert book(person, "/delegations") in (await browser.get(book(person))).links()
    page = await browser.get(book(person, "/delegations"))
    assert "Chưa giao cho ai." in page.text
    wrong = await browser.submit(page, book(person, "/delegations"), licence="nobody")
    assert wrong.status == 404
    assert wrong.tree.xpath("//input[@name='licence']/@value") == ["nobody"]
    parts = {"licence": nurse.actor.licence or "", "type-Condition": "on"}
    handed = await browser.post(book(person, "/delegations"), page.form(book(person, "/delegations")) | parts)
    assert handed.status == 200
    assert nurse.actor.name in handed.text
    seen = await hers.get(book(person))
    assert seen.status == 200
    assert person.name in seen.text
    assert book(person, "/delegations") not in seen.links(), "what was handed on is not handed on again"
    assert (await hers.get(book(person, "/delegations"))).status == 403
    assert "nằm ngoài phạm vi được xem" in (await hers.get(book(person, "/medicines"))).text
    (action,) = handed.tree.xpath("//form[contains(@action, '/delegations/')]/@action")
    ended = await browser.submit(handed, action)
    assert "Chưa giao cho ai." in ended.text
    assert (await hers.get(book(person))).status == 403


async def test_a_nurse_gives_back_on_the_page_and_the_doctor_reads_on(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
    facility: Facility,
) -> None:
    nurse = await make_doctor(store, clock, facility, "nurse")
    hers = Browser(client, "staff", nurse.token)
    await granted(store, clock, doctor, person)
    page = await browser.get(book(person, "/delegations"))
    await browser.submit(page, book(person, "/delegations"), licence=nurse.actor.licence or "")
    seen = await hers.get(book(person))
    (action,) = seen.tree.xpath("//form[starts-with(@action, '/doctor/grants/')]/@action")
    ended = await hers.submit(seen, action)
    assert "Bạn không còn xem được sổ này." in ended.text
    assert (await hers.get(book(person))).status == 403
    assert (await browser.get(book(person))).status == 200
    assert "Chưa giao cho ai." in (await browser.get(book(person, "/delegations"))).text


# -- what holds for all of them


async def test_forms_of_elsewhere_do_nothing_and_what_was_taken_back_answers_403(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    browser: Browser,
    doctor: Doctor,
    person: Citizen,
) -> None:
    grant: Grant = await granted(store, clock, doctor, person)
    ident = (await say(client, person, PENICILLIN)).json()["statement_id"]
    for path in (
        "/delegations",
        f"/delegations/{ident}/end",
        f"/statements/{ident}/verdict",
        "/prescriptions",
    ):
        assert (await browser.post(book(person, path), {"outcome": "confirmed"})).status == 403, path
    await revoke(store, clock, person, grant.grant_id)
    for path in ("/growth", "/prescriptions", "/statements", "/wishes", "/delegations"):
        page = await browser.get(book(person, path))
        assert page.status == 403, path
        assert "/doctor" in page.links()
        assert "Hùng" not in page.text


async def test_pages_speak_english(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, browser: Browser, doctor: Doctor
) -> None:
    child = await youth(store, clock, measured("h1", "8302-2", "2026-05-20", "158.5", "cm"))
    types: frozenset[RecordType] = frozenset({"Observation.vital-signs", "MedicationRequest"})
    await granted(store, clock, doctor, child, types=types)
    browser.cookies["display"] = "en.normal.auto"
    for part, words in (
        ("growth", "Length or height for age"),
        ("prescriptions", "Not in the book"),
        ("statements", "What the patient said"),
        ("wishes", "No wishes are shown"),
        ("delegations", "Hand on to a nurse"),
    ):
        page = await browser.get(book(child, f"/{part}"))
        assert words in page.text, part
