"""What is open goes from the screen without a click: when it is taken back, when nobody sits there, when
somebody left in another tab.

The minute of the pages' own question is not waited for: coming into sight asks too.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
from playwright.sync_api import Page, expect

from identity.tokens import read_access_token
from store.postgres import start_server
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.service import Service

IDLE = "UPDATE session SET idle_until = now() - interval '1 second' WHERE access_hash = $1"


def in_the_database(service: Service, sql: str, *values: object) -> None:
    """As its owner; beside this thread, in which Playwright's loop runs."""
    dsn = start_server(service.data / "postgres").dsn("hb_owner")

    async def change() -> None:
        connection = await asyncpg.connect(dsn)
        assert await connection.execute(sql, *values) == "UPDATE 1"
        await connection.close()

    with ThreadPoolExecutor() as beside:
        beside.submit(asyncio.run, change()).result()


def into_sight(tab: Page) -> None:
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_record_whose_access_is_taken_back_leaves_the_doctor_s_screen(
    person: Person, people: People, base: str
) -> None:
    app, doctor = people.app("tu"), people.staff("bs.yen")
    opened = doctor.ask("citizen-qr", app.qr())
    request = app.get(f"/v1/me/access-requests/{opened['request_id']}")
    app.approve(request, "B", opened["display"]["digits"])
    here = f"/doctor/patients/{app.patient_id}"
    watched = person(staff=doctor.token)
    tab = watched.page(here)
    expect(tab.locator(".allergies")).to_be_visible()
    with tab.expect_response(f"**{here}/alive") as well:
        into_sight(tab)
    assert well.value.status == 204
    tab.wait_for_timeout(300)
    assert tab.url == base + here
    (grant,) = [one for one in app.get("/v1/me/grants")["items"] if one["live"]]
    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    into_sight(tab)
    tab.wait_for_url(f"{base}/doctor/ended")
    expect(tab.get_by_text("Quyền xem sổ này đã kết thúc")).to_be_visible()
    expect(tab.locator(".allergies")).to_have_count(0)
    tab.go_back()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Không mở được sổ này")


def test_nobody_there_for_a_quarter_of_an_hour_is_signed_out_on_the_screen_too(
    person: Person, people: People, service: Service, base: str
) -> None:
    app = people.app("lan")
    token = app.token()
    tab = person(citizen=token).page("/me/results")
    expect(tab.locator("main")).to_be_visible()
    presented = read_access_token(token)
    assert presented is not None
    in_the_database(service, IDLE, presented[1])
    into_sight(tab)
    tab.wait_for_url(f"{base}/sign-in/ended")
    expect(tab.get_by_text("Bạn đã được đăng xuất")).to_be_visible()


def test_who_signs_out_in_one_tab_is_gone_from_the_other(person: Person, people: People, base: str) -> None:
    watched = person(citizen=people.app("minh").token())
    left, other = watched.page("/me/results"), watched.page("/me/settings")
    other.get_by_role("button", name="Đăng xuất").click()
    other.wait_for_url(f"{base}/")
    into_sight(left)
    left.wait_for_url(f"{base}/sign-in/ended")
