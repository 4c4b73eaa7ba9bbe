"""`make screenshots`: pictures of the pages, from one demo of invented people.

    docs/pictures/       the eight main pages on a phone (390 px) and on a desk (1280 px), for the README
    docs/huong-dan/hinh/ the steps of the guides (tests/browser/guide_pictures.py)

A picture that looks as before is left as it is; `make screenshots ANEW=1` takes all of them.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from healthbook.demo_sheet import load_sheet
from tests.browser.guide_pictures import take_steps
from tests.browser.picture_taking import Album, close
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.chromium import running
from tests.support.client import Api
from tests.support.service import make_demo_place, start_service

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTHS = {"390": (390, 844), "1280": (1280, 900)}


def take_all(data: Path, docs: Path, *, anew: bool) -> None:
    """Every picture, from a demo in that directory."""
    service = start_service(data, workers=1)
    try:
        base = f"http://localhost:{service.port}"
        with running() as browser:
            people = People(Api(service.base_url), load_sheet(data / "demo.json"))
            pages = Album(browser, base, docs / "pictures", anew=anew)
            take_pages(pages, people)
            pages.remove_others()
            steps = Album(browser, base, docs / "huong-dan" / "hinh", anew=anew)
            take_steps(steps, people)
            steps.remove_others()
    finally:
        service.stop()


def take_pages(album: Album, people: People) -> None:
    """The eight main pages, along the main path."""
    citizen, doctor = people.app("hung"), people.staff("bs.nam")
    book, screen = {"citizen": citizen.token()}, {"staff": doctor.token}
    waiting, _ = present(citizen, doctor)
    asked = citizen.get(f"/v1/me/access-requests/{waiting['request_id']}")
    at_both(album, "hom-nay", "/", book)
    at_both(album, "yeu-cau", f"/me/requests/{waiting['request_id']}", book)
    at_both(album, "bac-si-cho", f"/doctor/requests/{waiting['request_id']}", screen)
    citizen.approve(asked, "B", waiting["display"]["digits"])
    at_both(album, "bac-si-tom-tat", f"/doctor/patients/{citizen.patient_id}", screen)
    at_both(album, "ket-qua", "/me/results", book)
    at_both(album, "tiem-chung", "/me/vaccination", book)
    at_both(album, "ai-da-xem", "/me/log", book)
    at_both(album, "kiem-tra", "/verify", {})
    doctor.get(f"/v1/doctor/patients/{citizen.patient_id}/summary")
    grants = citizen.get("/v1/me/grants")["items"]
    citizen.delete(f"/v1/me/grants/{grants[0]['grant_id']}")


def at_both(album: Album, name: str, path: str, cookies: dict[str, str]) -> None:
    for width, (wide, high) in WIDTHS.items():
        tab = album.open(wide, high, cookies)
        tab.goto(album.base + path)
        assert urlsplit(tab.url).path == path, f"{path} led to {tab.url}"
        album.take(tab, f"{name}-{width}")
        close(tab)


def main() -> None:
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    directory = Path(tempfile.mkdtemp(prefix="hbj-"))
    try:
        sys.stdout.write("making a demo ...\n")
        sys.stdout.flush()
        make_demo_place(directory / "data")
        take_all(directory / "data", docs, anew=bool(os.environ.get("ANEW")))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
