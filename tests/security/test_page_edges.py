"""Pages at their edges: what a browser may send, and what it is given on a host that nobody named."""

import httpx
import pytest

from api.pages.browser import OWN_FORM, form_secret
from store.database import Store
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.http import client_of
from tests.support.page_doors import sign_in, signed_in, someone, staff_in
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

ODD = "bí mật \u20ac"


async def test_s34_a_real_host_gets_secure_cookies_though_nobody_said_where_browsers_come(
    store: Store, clock: FrozenClock
) -> None:
    """Without APP_ORIGIN the service thinks of itself as http://localhost, wherever it stands."""
    citizen = await someone(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as client:
        client.base_url = httpx.URL("https://so.example.vn")
        browser = Browser(client)
        seen = [await browser.get("/sign-in"), await sign_in(store, clock, browser, citizen)]
        assert (await browser.get("/me/settings", follow=False)).status == 200
        seen.append(await staff_in(clock, browser, doctor))
    lines = [line for page in seen for line in page.response.headers.get_list("set-cookie")]
    assert len(lines) >= 4
    for line in lines:
        assert line.startswith("__Host-"), line
        assert line.endswith("; Secure"), line


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
async def test_on_this_machine_cookies_need_no_tls(store: Store, clock: FrozenClock, host: str) -> None:
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as client:
        page = await client.get("/sign-in", headers={"host": host})
    assert "Secure" not in page.headers["set-cookie"]


async def test_secrets_that_are_no_ascii_are_wrong_ones(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    kiosk = await make_machine(store, clock, facility, "kiosk")
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as client:
        citizen = await signed_in(client, store, clock, await someone(store, clock))
        token = citizen.cookies["citizen"]
        staff = Browser(client, "staff", doctor.token)
        nobody, machine = Browser(client), Browser(client, "kiosk", kiosk.token)
        assert (await nobody.post("/sign-in", {OWN_FORM: ODD})).status == 403
        assert (await machine.post("/kiosk", {OWN_FORM: ODD})).status == 403
        own = {OWN_FORM: form_secret(token, ""), "door": ODD}
        assert (await citizen.post("/sign-in/continue", own, follow=False)).status == 303
        theirs = {OWN_FORM: form_secret(doctor.token, ""), "door": ODD, "role": ODD}
        assert (await staff.post("/doctor/sign-in/role", theirs, follow=False)).status == 303


async def test_what_draws_a_code_anew_names_whose_it_is(store: Store, clock: FrozenClock) -> None:
    """Another tab may have opened another book since; a desk would note that the wrong person came."""
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as client:
        browser = Browser(client, "citizen", mother.token)
        browser.cookies["book"] = str(child)
        theirs = (await browser.get("/me/card/code")).tree.get_element_by_id("code")
        del browser.cookies["book"]
        own = (await browser.get("/me/card/code")).tree.get_element_by_id("code")
    assert "Trần Bé Thử" in theirs.text_content()
    assert "Trần Bé Thử" not in own.text_content()


async def test_a_child_that_is_no_id_is_nobody(store: Store, clock: FrozenClock) -> None:
    citizen = await someone(store, clock)
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as client:
        browser = await signed_in(client, store, clock, citizen)
        form = {OWN_FORM: form_secret(browser.cookies["citizen"], ""), "child": ODD}
        assert (await browser.post(f"/me/family/{citizen.patient_id}/object", form)).status == 403
