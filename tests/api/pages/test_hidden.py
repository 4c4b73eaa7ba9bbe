"""Hiding a visit or a result from its page, from whom, and showing it again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.ehr.test_redaction import coded
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import our_id, write

PAGE, NEW = "/me/hidden", "/me/hidden/new"
RESULT = f"/me/results/{our_id('a', 'x')}"
VISIT = f"/me/timeline/{our_id('a', 'visit')}"
DOCTOR = "Bùi Quang Ứng"
EVERYBODY: dict[str, Any] = {"from": "everybody"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    """With one visit and one result."""
    made = await make_citizen(store, clock)
    visit = {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": HOSTILE_TEXTS[9]}],
        "period": {"start": "2026-11-13T08:40:00+07:00"},
    }
    result = coded("Observation", "x", "X", "2026-11-02")
    await write(store, made.patient_id, [visit, result], clock.now())
    return made


async def test_a_visit_is_hidden_from_its_page_and_shown_again(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    assert PAGE in (await browser.get("/me/sharing")).links()
    assert "chưa ẩn mục nào" in (await browser.get(PAGE)).text
    form = await browser.submit(await browser.get(VISIT), NEW)
    assert form.status == 200, form.text
    assert HOSTILE_TEXTS[9].split()[0] in form.text
    silent = await browser.submit(form, PAGE)
    assert silent.status == 422
    assert "Hãy chọn ẩn với ai" in silent.text
    hidden = await browser.submit(silent, PAGE, **EVERYBODY)
    assert hidden.status == 200, hidden.text
    assert "Ẩn với mọi người, trừ bạn" in hidden.text
    assert {VISIT} <= set(hidden.links())
    marked = await browser.get(VISIT)
    assert "Bạn đã ẩn" in marked.text
    assert PAGE in marked.links()
    end = next(
        one.get("action") for one in hidden.tree.iter("form") if one.get("action", "").endswith("/show")
    )
    assert (await browser.post(end, {})).status == 403
    assert "chưa ẩn mục nào" in (await browser.submit(hidden, end)).text
    browser.cookies["display"] = "en.normal.auto"
    assert "You hide nothing." in (await browser.get(PAGE)).text


async def test_a_result_is_hidden_from_one_doctor_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    facility = await make_facility(store, clock)
    doctors = [await make_doctor(store, clock, facility, name=name) for name in (DOCTOR, "Lê Thị Khác")]
    grants = [await granted(store, clock, one, person) for one in doctors]
    browser = Browser(client, "citizen", person.token)
    form = await browser.submit(await browser.get(RESULT), NEW)
    assert DOCTOR in form.text
    hidden = await browser.post(PAGE, form.form(PAGE) | {"from": str(grants[0].grant_id)})
    assert f"Ẩn với {DOCTOR}" in hidden.text
    theirs = f"/v1/doctor/patients/{person.patient_id}/results"
    seen = [len((await client.get(theirs, headers=bearer(one.token))).json()["items"]) for one in doctors]
    assert seen == [0, 1]


async def test_what_cannot_be_hidden_is_refused_in_words(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    browser = Browser(client, "citizen", person.token)
    fields = (await browser.get(VISIT)).form(NEW)
    assert (await browser.post(NEW, fields | {"kind": "Patient"})).status == 404
    gone = await browser.post(PAGE, fields | {"id": "nothing", "from": "family"})
    assert gone.status == 404
    assert "Sổ không có mục này" in gone.text
    assert (await browser.post(PAGE, {"kind": "Encounter", "id": "x", "from": "family"})).status == 403
    young = (await keyed_browser(store, clock, client, person, probation=True)).pages
    refused = await young.get(PAGE)
    assert (refused.status, "/me/settings" in refused.links()) == (403, True), refused.text
