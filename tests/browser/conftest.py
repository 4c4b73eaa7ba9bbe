"""Pages in Debian's Chromium, over a running service (two API processes, a worker) and a demo for each file.

    def test_…(person):                  # a new person's browser; at the end nothing may have left the origin
        tab = person().page("/sign-in")
        person(width=390, dark=True, script=False, citizen=token)

Everything here is synchronous: Playwright's own loop runs while a test waits.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from healthbook.demo_sheet import DemoCitizen, DemoSheet, load_sheet
from tests.journeys.conftest import People
from tests.journeys.test_main_path import LETTERS
from tests.support.chromium import Watched, give_authenticator, running
from tests.support.client import Api
from tests.support.service import Service, start_service

Person = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


@pytest.fixture(scope="module")
def service(place: Path) -> Iterator[Service]:
    running_service = start_service(place, workers=2)
    yield running_service
    running_service.stop()


@pytest.fixture(scope="module")
def base(service: Service) -> str:
    """Where browsers open the service: WebAuthn credentials are made for this origin."""
    return f"http://localhost:{service.port}"


@pytest.fixture(scope="module")
def api(service: Service) -> Api:
    return Api(service.base_url)


@pytest.fixture(scope="module")
def people(api: Api, sheet: DemoSheet) -> People:
    """Phones and screens that speak to /v1, for the half of a journey that is no page."""
    return People(api, sheet)


@pytest.fixture
def person(browser: Browser, base: str) -> Iterator[Person]:
    """Make a browser of one more person. cookies: tokens of sessions that exist already."""
    made: list[Watched] = []

    def make(
        width: int = 1280,
        height: int = 900,
        *,
        dark: bool = False,
        script: bool = True,
        others: tuple[str, ...] = (),
        **cookies: str,
    ) -> Watched:
        context = browser.new_context(
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            viewport=ViewportSize(width=width, height=height),
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        for name, value in cookies.items():
            # As the service sets them.
            context.add_cookies(
                [{"name": name, "value": value, "url": base, "httpOnly": True, "sameSite": "Strict"}]
            )
        made.append(Watched(context, base, others))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    for one in made:
        one.require_clean()


def citizen_of(sheet: DemoSheet, key: str) -> DemoCitizen:
    return next(one for one in sheet.citizens if one.key == key)


def letters_to(api: Api, citizen: DemoCitizen) -> list[str]:
    """The letters that were sent to this person's phone, newest first."""
    items = api.ask("GET", "/demo/inbox.json")["items"]
    texts = [str(one.get("text") or "") for one in items if one["patient_id"] == citizen.patient_id]
    return [found[1] for text in texts if (found := re.search(LETTERS, text))]


def new_letters(tab: Page, api: Api, citizen: DemoCitizen, before: list[str]) -> str:
    """The letters that came since."""
    for _ in range(100):
        found = letters_to(api, citizen)
        if len(found) > len(before):
            return found[0]
        tab.wait_for_timeout(100)
    raise AssertionError("no message arrived")


def sign_in(tab: Page, api: Api, base: str, citizen: DemoCitizen, *, with_key: bool = True) -> None:
    """Sign a citizen of the demo in by number, letters and PIN. with_key: the browser makes a key."""
    if with_key:
        give_authenticator(tab)
    tab.goto(f"{base}/sign-in")
    tab.get_by_label("Số định danh").fill(citizen.number)
    before = letters_to(api, citizen)
    tab.get_by_role("button", name="Gửi mã cho tôi").click()
    tab.get_by_label("6 chữ cái").fill(new_letters(tab, api, citizen, before))
    tab.get_by_label("PIN").fill(citizen.pin)
    tab.get_by_role("button", name="Đăng nhập", exact=True).click()
    if with_key:
        tab.get_by_role("button", name="Tạo khóa").click()
    else:
        tab.get_by_role("link", name="Tiếp tục không dùng khóa").click()
    tab.wait_for_url(f"{base}/")
