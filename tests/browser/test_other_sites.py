"""Other sites in the same browser: their forms, frames and links; and what a browser brought along before
anybody signed in. `near`: a port of this host, which SameSite does not hold back; `far`: another site."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person, citizen_of, letters_to, new_letters
from tests.browser.test_doctor import card_of
from tests.browser.test_doctor import sign_in as staff_sign_in
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.chromium import Watched
from tests.support.client import Api, App, Staff
from tests.support.elsewhere import Elsewhere, elsewhere

SENT = """<!doctype html><title>x</title><form id="f" method="post" action="{action}" target="_self">
{fields}</form><script>document.getElementById("f").submit()</script>"""
FETCHED = """<!doctype html><title>x</title><script>
fetch("{action}", {{method: "POST", mode: "no-cors", credentials: "include",
  headers: {{"content-type": "application/x-www-form-urlencoded"}}, body: "{body}"}})
  .then(() => document.title = "sent", () => document.title = "failed")</script>"""
STALE = "Trang này đã cũ hoặc không do bạn mở."


@pytest.fixture(scope="module")
def site() -> Iterator[Elsewhere]:
    with elsewhere() as running:
        yield running


@pytest.fixture(scope="module")
def doctor(people: People) -> Staff:
    return people.staff("bs.nam")


@pytest.fixture(scope="module")
def victim(people: People, doctor: Staff) -> App:
    """Somebody whose book a doctor may read."""
    app = people.app("hung")
    opened, request = present(app, doctor)
    app.approve(request, "B", opened["display"]["digits"])
    return app


@pytest.fixture
def both(person: Person, site: Elsewhere, victim: App, doctor: Staff) -> Watched:
    """A browser in which a citizen and a doctor are signed in at once."""
    return person(others=site.origins, citizen=victim.token(), staff=doctor.token)


def fields(given: dict[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in given.items())


def secret_of(tab: Page) -> str:
    """The secret of the first form of a page."""
    return str(
        tab.locator("main form input[type=hidden], header form input[type=hidden]").first.input_value()
    )


@pytest.mark.parametrize("where", ["near", "far"])
def test_a_form_of_another_site_does_nothing_even_with_a_secret_of_its_owner_s(
    person: Person, both: Watched, site: Elsewhere, victim: App, people: People, where: str
) -> None:
    own = person(citizen=people.app("lan").token()).page("/me/who-can-see-me")
    stolen = {"page_secret": secret_of(own), "form": secret_of(own)}
    tab, origin = both.page(), getattr(site, where)
    grant = victim.get("/v1/me/grants")["items"][0]["grant_id"]
    for path in (
        "/me/who-can-see-me/end-all",
        f"/me/sharing/grants/{grant}/end",
        "/doctor/sign-out",
        "/sign-out",
    ):
        for given in ({}, stolen):
            site.pages["/form"] = SENT.format(action=both.base + path, fields=fields(given))
            tab.goto(f"{origin}/form")
            tab.wait_for_url(f"{both.base}/**")
            assert STALE in tab.content() or tab.get_by_role("button", name="Gửi mã cho tôi").count(), path
    site.pages["/fetch"] = FETCHED.format(
        action=f"{both.base}/me/who-can-see-me/end-all", body="page_secret=x"
    )
    tab.goto(f"{origin}/fetch")
    tab.wait_for_function("document.title !== 'x'")
    assert victim.get("/v1/me/grants")["items"][0]["state"] == "live"
    for path in ("/me/settings", "/doctor"):
        tab.goto(both.base + path)
        assert tab.url == both.base + path
    both.broken.clear()  # what the other site's page says of its own refused request


@pytest.mark.parametrize("where", ["near", "far"])
def test_nobody_is_signed_in_by_another_site(
    person: Person, site: Elsewhere, sheet: DemoSheet, api: Api, base: str, where: str
) -> None:
    """Login CSRF: the attacker's own letters and PIN, sent by the victim's browser, would open the attacker's
    book in it, and the victim would write into that."""
    attacker = citizen_of(sheet, "minh" if where == "near" else "tu")
    own = person().page("/sign-in")
    own.get_by_label("Số định danh").fill(attacker.number)
    before = letters_to(api, attacker)
    own.get_by_role("button", name="Gửi mã cho tôi").click()
    letters = new_letters(own, api, attacker, before)
    hidden = own.locator("form[action='/sign-in/code'] input[type=hidden]")
    given = {one.get_attribute("name") or "": one.input_value() for one in hidden.all()}
    given |= {"code": letters, "pin": attacker.pin}
    site.pages["/login"] = SENT.format(action=f"{base}/sign-in/code", fields=fields(given))
    victim = person(others=site.origins)
    tab = victim.page("/sign-in")
    tab.goto(f"{getattr(site, where)}/login")
    tab.wait_for_url(f"{base}/**")
    assert STALE in tab.content()
    assert "citizen" not in {one.get("name") for one in victim.context.cookies()}


@pytest.mark.parametrize("where", ["near", "far"])
def test_no_page_stands_in_a_frame_of_another_site(both: Watched, site: Elsewhere, where: str) -> None:
    tab = both.page()
    for path in (
        "/",
        "/me/who-can-see-me",
        "/me/requests",
        "/doctor",
        "/sign-in",
        "/verify",
        "/kiosk/set-up",
    ):
        site.pages["/frame"] = f'<!doctype html><title>x</title><iframe src="{both.base}{path}"></iframe>'
        tab.goto(f"{getattr(site, where)}/frame", wait_until="load")
        tab.frames[-1].wait_for_url("chrome-error:**")
    refused = [line for line in both.broken if "frame-ancestors" in line or "Framing" in line]
    assert len(refused) >= 7
    both.broken.clear()


def test_a_window_that_another_site_opened_tells_it_nothing(both: Watched, site: Elsewhere) -> None:
    """Cross-Origin-Opener-Policy cuts the two apart: the other site neither counts frames nor moves it on."""
    site.pages["/open"] = f"""<!doctype html><title>x</title><a id="a">x</a><script>
      document.getElementById("a").onclick = () => {{ window.other = open("{both.base}/"); }}</script>"""
    tab = both.page()
    tab.goto(f"{site.near}/open")
    with tab.context.expect_page() as opened:
        tab.locator("#a").click()
    opened.value.wait_for_load_state()
    assert tab.evaluate("window.other.closed")
    assert opened.value.evaluate("window.opener") is None


def test_who_comes_by_a_link_of_another_site_finds_no_session_and_keeps_it(
    both: Watched, site: Elsewhere
) -> None:
    """A Strict cookie does not come along: the page is the one for nobody, and the session is still there."""
    site.pages["/link"] = f'<!doctype html><title>x</title><a href="{both.base}/">x</a>'
    tab = both.page()
    tab.goto(f"{site.far}/link")
    tab.locator("a").click()
    expect(tab.get_by_role("link", name="Người dân: mở sổ của tôi")).to_be_visible()
    tab.goto(f"{both.base}/")
    expect(tab.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_a_cookie_brought_along_is_never_taken_over(
    person: Person, people: People, doctor: Staff, sheet: DemoSheet, api: Api, base: str
) -> None:
    """Fixation: what an attacker planted before is not what the victim is signed in with, at both doors."""
    planted = {"citizen": people.app("lan").token(), "staff": doctor.token, "visit": "v" * 32}
    watched = person(**planted)
    tab, victim = watched.page("/sign-in"), citizen_of(sheet, "huong")
    tab.get_by_label("Số định danh").fill(victim.number)
    before = letters_to(api, victim)
    tab.get_by_role("button", name="Gửi mã cho tôi").click()
    tab.get_by_label("6 chữ cái").fill(new_letters(tab, api, victim, before))
    tab.get_by_label("PIN").fill(victim.pin)
    tab.get_by_role("button", name="Đăng nhập", exact=True).click()
    tab.get_by_role("link", name="Tiếp tục không dùng khóa").click()
    tab.wait_for_url(f"{base}/")
    staff_sign_in(tab, base, card_of(sheet, "bs.senh"), "/doctor/sign-in")
    held = {one.get("name", ""): one for one in watched.context.cookies()}
    for name in ("citizen", "staff"):
        assert held[name].get("value") != planted[name], name
        assert held[name].get("httpOnly") is True, name
        assert held[name].get("sameSite") == "Strict", name
        assert held[name].get("path") == "/", name
    assert "visit" not in held
    seen = watched.context.request.get(f"{base}/v1/me")
    assert seen.status == 401, "no cookie opens the contract"
    assert tab.evaluate("document.cookie") == ""
    for name, path in (("citizen", "/v1/me"), ("staff", "/v1/doctor/me")):
        answer = api.send("GET", path, token=str(held[name].get("value")))
        assert answer.status_code in {200, 404}, name
    assert (
        api.ask("GET", "/v1/me", token=str(held["citizen"].get("value")))["patient_id"] == victim.patient_id
    )
