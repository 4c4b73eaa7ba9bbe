"""Who looked, on the citizen's pages: lines, their proof, the question why, and a child's log."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from healthbook.root_jobs import build_root
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

NAME = "Bùi Quang Ứng"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), name=NAME)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def browser(client: httpx.AsyncClient, citizen: Citizen) -> Browser:
    return Browser(client, "citizen", citizen.token)


@pytest.fixture
async def looked(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor
) -> Doctor:
    """The doctor looked at the summary."""
    await granted(store, clock, doctor, citizen)
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    answer = await client.get(path, headers=bearer(doctor.token))
    assert answer.status_code == 200, answer.text
    return doctor


def line_of(page: Page, words: str) -> dict[str, str]:
    """The form of the line that says so."""
    item = next(one for one in page.tree.iter("li") if words in " ".join(one.text_content().split()))
    form: Any = item.find(".//form")
    return dict(form.form_values())


async def test_a_look_stands_there_in_words_and_is_proven_once_a_root_holds_it(
    store: Store, clock: FrozenClock, browser: Browser, looked: Doctor
) -> None:
    page = await browser.get("/me/log")
    assert f"BS {NAME}" in page.text
    assert "đã xem tóm tắt sổ" in page.text
    fields = line_of(page, "đã xem tóm tắt sổ")
    before = await browser.post("/me/log/line", fields)
    assert before.status == 200, before.text
    assert "Chưa có gốc" in before.text
    clock.advance(minutes=1)
    assert await build_root(store, clock, clock.now() + timedelta(minutes=1))
    after = await browser.post("/me/log/line", fields)
    assert "Đã đối chiếu, khớp" in after.text, after.text
    assert NAME in after.text
    assert looked.actor.licence in after.text
    assert NAME not in after.tree.findtext(".//title")


async def test_a_line_is_asked_about_once_and_the_answer_has_a_day(browser: Browser, looked: Doctor) -> None:
    fields = line_of(await browser.get("/me/log"), "đã xem tóm tắt sổ")
    line = await browser.post("/me/log/line", fields)
    unsaid = await browser.submit(line, "/me/log/report")
    assert unsaid.status == 422
    assert "Hãy chọn một lý do" in unsaid.text
    asked = await browser.submit(line, "/me/log/report", reason="knows-me")
    assert "quen biết riêng tôi" in asked.text
    assert "Hạn trả lời" in asked.text


async def test_own_acts_are_not_asked_about_and_strange_lines_are_not_there(browser: Browser) -> None:
    await browser.get("/me/sharing")
    await browser.get("/me/log")
    page = await browser.get("/me/log")
    fields = line_of(page, "Bạn đã xem nhật ký")
    line = await browser.post("/me/log/line", fields)
    assert "Hỏi vì sao" not in line.text
    assert (await browser.post("/me/log/line", fields | {"seq": "99999"})).status == 404
    assert (await browser.post("/me/log/line", fields | {"seq": "x"})).status == 404


async def test_filters_and_pages_go_by_post(browser: Browser, looked: Doctor) -> None:
    page = await browser.get("/me/log")
    refused = await browser.submit(page, "/me/log", kind="refused")
    assert "Chưa có dòng nào" in refused.text
    reads = await browser.submit(page, "/me/log", kind="read")
    assert "đã xem tóm tắt sổ" in reads.text
    assert "cho phép xem sổ" not in reads.text
    assert not [path for path in reads.links() if "?" in path]
    bad = await browser.submit(page, "/me/log", cursor="nonsense")
    assert bad.status == 400


async def test_the_log_comes_as_a_file_that_is_checked_offline(browser: Browser, looked: Doctor) -> None:
    page = await browser.get("/me/log/export")
    assert page.status == 200
    assert page.response.headers["content-type"].startswith("application/x-ndjson")
    assert "attachment" in page.response.headers.get("content-disposition", "attachment")


async def test_a_guardian_reads_a_childs_log_without_places(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    child = await make_child(store, clock, citizen)
    browser.cookies["book"] = str(child)
    await browser.get("/me/log")
    page = await browser.get("/me/log")
    assert page.status == 200, page.text
    assert "Trần Bé Thử" in page.text
    assert not [form for form in page.tree.iter("form") if form.get("action") == "/me/log/line"]
    assert "/me/log/export" not in page.links()


async def test_on_probation_the_log_says_why_it_is_shut(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    young = await make_citizen(store, clock, probation=True)
    page = await Browser(client, "citizen", young.token).get("/me/log")
    assert page.status == 403
    assert "/me/settings" in page.links()


async def test_english(browser: Browser, looked: Doctor) -> None:
    browser.cookies["display"] = "en.normal.auto"
    page = await browser.get("/me/log")
    assert "Who looked at your book" in page.text
    line = await browser.post("/me/log/line", line_of(page, "tóm tắt sổ"))
    assert "Ask why" in line.text
