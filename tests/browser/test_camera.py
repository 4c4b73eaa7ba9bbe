"""camera.js: codes from a camera and from pictures, in the browser, under the policy of the pages."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page, Route

from api.pages.showing import POLICY
from api.pages.static import PLACE, TYPES
from qr.draw import Level, best_matrix, svg
from tests.support.chromium import running
from tests.support.shared import shared

FORM = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Mã</title>
<link rel="icon" href="data:,"><script type="module" src="/static/x/camera.js"></script>
<h1>Mã</h1><form action="/done" method="get"><label>Mã <input id="code" name="code"></label>
<button type="button" data-camera="code" hidden>Dùng máy ảnh</button>
<div hidden><label>Ảnh <input type="file" data-picture="code"></label></div></form></html>"""
ORIGIN = "http://localhost"
SCREEN = "SSK1:7K2M9QH4T6ZP0WXB3C5D"


def certificate() -> str:
    """A certificate's text of a public test set: it has to be read as it is, spaces and all."""
    rows = json.loads(shared("data/dgc/qa/expected.json").read_text())
    texts = sorted((one["text"] for one in rows if one.get("text")), key=len)
    return str(texts[len(texts) // 2])


def drawn(text: str, level: Level, size: tuple[int, int] = (1280, 720), fill: float = 0.8) -> Image.Image:
    """The code as a camera sees it: turned a little, a little out of focus, on a grey table."""
    rows = best_matrix(text, level)
    paper = Image.new("L", (len(rows) + 8, len(rows) + 8), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            paper.putpixel((x + 4, y + 4), 0 if dark else 255)
    side = int(min(size) * fill)
    paper = paper.resize((paper.width * 12, paper.width * 12), Image.Resampling.NEAREST).resize((side, side))
    turned = paper.rotate(5, expand=True, fillcolor=200, resample=Image.Resampling.BICUBIC)
    seen = Image.new("L", size, 200)
    seen.paste(turned, ((size[0] - turned.width) // 2, (size[1] - turned.height) // 2))
    return seen.filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")


def film(picture: Image.Image, path: Path) -> None:
    """A film of Motion JPEG is its pictures one behind the other."""
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=90)
    path.write_bytes(packed.getvalue() * 3)


def answer(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
    headers = {"Content-Security-Policy": POLICY}
    if path.startswith("/static/x/"):
        name = path.removeprefix("/static/x/")
        route.fulfill(body=(PLACE / name).read_bytes(), content_type=TYPES[Path(name).suffix])
    else:
        body = FORM if path == "/" else "<!doctype html><title>x</title>"
        route.fulfill(body=body, content_type="text/html", headers=headers)


@contextmanager
def opened(*options: str, allowed: bool = True) -> Iterator[Page]:
    with running(*options) as browser:
        context = browser.new_context(permissions=["camera"] if allowed else [])
        context.set_default_timeout(15_000)
        broken: list[str] = []
        context.on("weberror", lambda error: broken.append(str(error.error)))
        context.on("console", lambda line: broken.append(line.text) if "Security" in line.text else None)
        page = context.new_page()
        page.route("**/*", answer)
        page.goto(ORIGIN)
        yield page
        assert broken == []


def fake_camera(path: Path) -> tuple[str, ...]:
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    )


def given(page: Page) -> str:
    """What the form sent."""
    page.wait_for_url(f"{ORIGIN}/done?**")
    return str(page.evaluate("new URLSearchParams(location.search).get('code')"))


@pytest.mark.parametrize("level", ["L", "Q"])
def test_a_certificate_is_read_by_the_camera(tmp_path: Path, level: Level) -> None:
    text = certificate()
    film(drawn(text, level), tmp_path / "film.mjpeg")
    with opened(*fake_camera(tmp_path / "film.mjpeg")) as page:
        page.get_by_role("button", name="Dùng máy ảnh").click()
        assert given(page) == text


def test_a_screens_code_is_read_by_the_camera(tmp_path: Path) -> None:
    film(drawn(SCREEN, "M", fill=0.35), tmp_path / "film.mjpeg")
    with opened(*fake_camera(tmp_path / "film.mjpeg")) as page:
        page.get_by_role("button", name="Dùng máy ảnh").click()
        assert given(page) == SCREEN


def test_closing_turns_the_camera_off(tmp_path: Path) -> None:
    film(Image.new("RGB", (640, 480), "white"), tmp_path / "film.mjpeg")
    with opened(*fake_camera(tmp_path / "film.mjpeg")) as page:
        page.get_by_role("button", name="Dùng máy ảnh").click()
        page.get_by_text("Giữ yên").wait_for()
        track = page.evaluate_handle("document.querySelector('video').srcObject.getTracks()[0]")
        page.keyboard.press("Escape")
        # By its tag: closed, it has no role any more, before what follows its end was done.
        page.locator("dialog").wait_for(state="detached")
        assert track.evaluate("track => track.readyState") == "ended"
        assert page.get_by_label("Mã").input_value() == ""


def test_without_permission_the_field_is_pointed_to(tmp_path: Path) -> None:
    with opened("--use-fake-device-for-media-stream", "--deny-permission-prompts", allowed=False) as page:
        page.get_by_role("button", name="Dùng máy ảnh").click()
        page.get_by_text("Trình duyệt chưa được phép dùng máy ảnh").wait_for()
        assert page.get_by_role("dialog").count() == 0


def test_controls_that_come_later_work_too(tmp_path: Path) -> None:
    """A part of a page that was drawn anew, as htmx does it."""
    film(drawn(SCREEN, "M", fill=0.5), tmp_path / "film.mjpeg")
    with opened(*fake_camera(tmp_path / "film.mjpeg")) as page:
        page.get_by_role("button", name="Dùng máy ảnh").wait_for()
        page.evaluate("""() => {
          const form = document.querySelector("form");
          const fresh = new DOMParser().parseFromString(form.outerHTML, "text/html").querySelector("form");
          fresh.querySelector("[data-camera]").hidden = true;
          form.replaceWith(fresh);
        }""")
        page.get_by_role("button", name="Dùng máy ảnh").click()
        assert given(page) == SCREEN


def test_pictures_are_read_here(tmp_path: Path) -> None:
    text = certificate()
    drawn(text, "Q", (3000, 4000), 0.5).save(tmp_path / "photo.jpg", quality=80)
    drawn(SCREEN, "M", (220, 220), 0.9).save(tmp_path / "small.png")
    Image.new("RGB", (800, 600), "white").save(tmp_path / "empty.png")
    (tmp_path / "no-picture.png").write_text("<svg onload='alert(1)'>")
    with opened() as page:
        for none in ("empty.png", "no-picture.png"):
            page.get_by_label("Ảnh").set_input_files(tmp_path / none)
            page.get_by_text("Không thấy mã nào trong ảnh này").wait_for()
        page.get_by_label("Ảnh").set_input_files(tmp_path / "photo.jpg")
        assert given(page) == text
        page.goto(ORIGIN)
        page.get_by_label("Ảnh").set_input_files(tmp_path / "small.png")
        assert given(page) == SCREEN


def test_a_code_that_was_saved_from_a_page_is_read(tmp_path: Path) -> None:
    text = certificate()
    (tmp_path / "code.svg").write_text(svg(text))
    with opened() as page:
        page.get_by_label("Ảnh").set_input_files(tmp_path / "code.svg")
        assert given(page) == text
