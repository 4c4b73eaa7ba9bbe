"""`make screenshots`: the eight main pages as they look, on a phone (390 px) and on a desk (1280 px).

They go to docs/pictures/ and stand in the README. What is in them is the demo's: invented people.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from healthbook.demo_sheet import load_sheet
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.chromium import running
from tests.support.client import Api
from tests.support.service import make_demo_place, start_service

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDTHS = {"390": (390, 844), "1280": (1280, 900)}
COLOURS = 128


class Camera:
    """Takes one picture of a page at each width."""

    def __init__(self, browser: Browser, base: str, place: Path) -> None:
        self._browser, self._base, self._place = browser, base, place

    def take(self, name: str, path: str, cookies: dict[str, str] | None = None) -> None:
        """name: of the file, before its width. cookies: a session's."""
        for width, (wide, high) in WIDTHS.items():
            context = self._browser.new_context(
                locale="vi-VN",
                timezone_id="Asia/Ho_Chi_Minh",
                viewport=ViewportSize(width=wide, height=high),
            )
            for cookie, value in (cookies or {}).items():
                context.add_cookies([{"name": cookie, "value": value, "url": self._base}])
            self._one(context.new_page(), path, self._place / f"{name}-{width}.png")
            context.close()

    def _one(self, tab: Page, path: str, file: Path) -> None:
        tab.goto(self._base + path, wait_until="networkidle")
        assert urlsplit(tab.url).path == path, f"{path} led to {tab.url}"
        tab.evaluate("document.fonts.ready.then(() => true)")
        tab.screenshot(path=file)
        Image.open(file).convert("RGB").quantize(COLOURS).save(file, optimize=True)
        sys.stdout.write(f"{file.name}  {file.stat().st_size // 1024} kB\n")
        sys.stdout.flush()


def take_all(data: Path, place: Path) -> None:
    """Every picture, from a demo in that directory."""
    service = start_service(data, workers=1)
    try:
        api = Api(service.base_url)
        people = People(api, load_sheet(data / "demo.json"))
        with running() as browser:
            take_pages(Camera(browser, f"http://localhost:{service.port}", place), people)
    finally:
        service.stop()


def take_pages(camera: Camera, people: People) -> None:
    citizen, doctor = people.app("hung"), people.staff("bs.nam")
    book, screen = {"citizen": citizen.token()}, {"staff": doctor.token}
    waiting, _ = present(citizen, doctor)
    camera.take("hom-nay", "/", book)
    camera.take("yeu-cau", f"/me/requests/{waiting['request_id']}", book)
    camera.take("bac-si-cho", f"/doctor/requests/{waiting['request_id']}", screen)
    citizen.approve(
        citizen.get(f"/v1/me/access-requests/{waiting['request_id']}"), "B", waiting["display"]["digits"]
    )
    camera.take("bac-si-tom-tat", f"/doctor/patients/{citizen.patient_id}", screen)
    camera.take("ket-qua", "/me/results", book)
    camera.take("tiem-chung", "/me/vaccination", book)
    camera.take("ai-da-xem", "/me/log", book)
    camera.take("kiem-tra", "/verify")


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    place.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="hbj-"))
    try:
        sys.stdout.write("making a demo ...\n")
        sys.stdout.flush()
        make_demo_place(directory / "data")
        take_all(directory / "data", place)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
