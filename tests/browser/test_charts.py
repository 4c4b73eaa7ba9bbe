"""Charts on a phone and on a desk: the smallest text is as high as a person of 70 needs, light and dark."""

from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from healthbook.demo_sheet import DemoSheet
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.chromium import Watched, weight
from tests.support.client import App
from tests.support.crawling import WEIGHT_MAX

TEXT_MIN = 12
WIDTHS = [390, 1280]
# Of an SVG that stands as wide as it does on its page: the heights of its texts, as they are shown.
SIZES = """() => {
    const scale = document.querySelector('svg').getScreenCTM().a;
    const size = one => parseFloat(getComputedStyle(one).fontSize) * scale;
    return [...document.querySelectorAll('text')].map(size);
}"""
INNER_WIDTH = "one => one.clientWidth - 2 * parseFloat(getComputedStyle(one).paddingLeft)"
IN_SIGHT = """() => {
    const svg = document.querySelector('svg').getBoundingClientRect();
    return [...document.querySelectorAll('text')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.left < svg.left - 1 || box.right > svg.right + 1 || box.bottom > svg.bottom + 1;
    }).map(one => one.textContent);
}"""


def drawn(tab: Page) -> list[tuple[float, str]]:
    """Each chart of the page: how wide it stands, and its SVG."""
    images = tab.locator(".picture--chart img").all()
    sources = [one.get_attribute("src") or "" for one in images]
    assert all(one.startswith("data:image/svg+xml;base64,") for one in sources)
    return [
        (one.evaluate(INNER_WIDTH), b64decode(source.partition(",")[2]).decode())
        for one, source in zip(images, sources, strict=True)
    ]


def look_at(watched: Watched, width: float, svg: str) -> tuple[list[float], list[str]]:
    """Heights of the texts of an SVG that is so wide, and which texts leave it."""
    tab = watched.page()
    tab.set_content(f"<body style='margin:0'><div style='width:{width}px'>{svg.partition('?>')[2]}</div>")
    found: tuple[Any, Any] = tab.evaluate(SIZES), tab.evaluate(IN_SIGHT)
    tab.close()
    return found


def result_with_a_trend(app: App) -> str:
    items = app.get("/v1/me/results?limit=50")["items"]
    return str(next(one["id"] for one in items if one.get("code") and one.get("value")))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_smallest_text_of_a_chart_can_be_read(
    person: Person, people: People, sheet: DemoSheet, width: int
) -> None:
    hung, child = people.app("hung"), next(one for one in sheet.children if one.key == "bao-anh")
    guardian = people.app(child.guardian)
    own, childs = person(width=width), person(width=width)
    own.context.add_cookies([{"name": "citizen", "value": hung.token(), "url": own.base}])
    childs.context.add_cookies(
        [
            {"name": "citizen", "value": guardian.token(), "url": own.base},
            {"name": "book", "value": child.patient_id, "url": own.base},
        ]
    )
    pages = [(own, f"/me/results/{result_with_a_trend(hung)}")]
    pages += [(childs, f"/me/growth/{number}") for number in range(1, 6)]
    for watched, path in pages:
        tab = watched.page()
        assert weight(tab, watched.base + path) <= WEIGHT_MAX, path
        charts = drawn(tab)
        assert charts, path
        for shown, svg in charts:
            heights, outside = look_at(watched, shown, svg)
            assert min(heights) >= TEXT_MIN, (path, shown)
            assert outside == [], path


def test_a_chart_follows_the_pages_own_switch(person: Person, people: People) -> None:
    """Dark by the switch while the device is light: the chart has its dark ground too, seen in its pixels."""
    app = people.app("hung")
    watched = person(width=390)
    watched.context.add_cookies(
        [
            {"name": "citizen", "value": app.token(), "url": watched.base},
            {"name": "display", "value": "vi.normal.dark", "url": watched.base},
        ]
    )
    tab = watched.page(f"/me/results/{result_with_a_trend(app)}")
    seen = Image.open(BytesIO(tab.locator(".picture--chart img").first.screenshot())).convert("L")
    ground: Any = seen.getpixel((seen.width // 2, 12))
    assert ground < 64
