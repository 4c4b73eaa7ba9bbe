"""The kiosk's own camera, in a browser whose camera is a film of a card."""

from pathlib import Path

from playwright.sync_api import ViewportSize, expect

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import citizen_of
from tests.browser.test_camera import drawn, fake_camera, film
from tests.browser.test_kiosk import set_up
from tests.journeys.conftest import People
from tests.support.chromium import Watched, running


def test_a_card_before_the_kiosks_camera_gets_a_number(
    base: str, people: People, sheet: DemoSheet, tmp_path: Path
) -> None:
    film(drawn(citizen_of(sheet, "hung").card_text, "M"), tmp_path / "film.mjpeg")
    with running(*fake_camera(tmp_path / "film.mjpeg")) as browser:
        context = browser.new_context(viewport=ViewportSize(width=1080, height=1920), permissions=["camera"])
        context.add_cookies([{"name": "kiosk-key", "value": set_up(people), "url": base}])
        watched = Watched(context, base)
        tab = watched.page("/kiosk")
        tab.get_by_role("button", name="Dùng máy ảnh").click()
        expect(tab.locator(".kiosk-number")).to_be_visible()
        context.close()
        watched.require_clean()
