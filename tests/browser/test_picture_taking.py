"""When a picture of a page is written anew, and when it stays as it is in the repository."""

import io
from pathlib import Path

from PIL import Image, ImageDraw

from tests.browser.picture_taking import keep, looks_alike

SIZE = (390, 844)
CODE = (95, 300, 295, 500)


def page(words: str, *, moved: int = 0, code: int = 0) -> Image.Image:
    """A page with a heading, a block of text and a code that differs each time."""
    drawn = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((0, 0, 390, 90), fill="#00635d")
    pen.text((20, 140 + moved), words, fill="black")
    pen.rectangle((20, 560 + moved, 370, 620 + moved), fill="#00756c")
    for step in range(0, 200, 10):
        pen.rectangle((95 + step, 300, 100 + step, 300 + (step * (code + 1)) % 200), fill="black")
    return drawn


def test_another_time_or_code_is_no_other_picture() -> None:
    assert looks_alike(page("19:24 23/11/2026"), page("08:05 02/12/2026"), [])
    assert not looks_alike(page("19:24"), page("19:24", code=6), [])
    assert looks_alike(page("19:24"), page("19:24", code=6), [CODE])


def test_what_moved_or_has_another_size_is_another_picture() -> None:
    assert not looks_alike(page("Hôm nay"), page("Hôm nay", moved=30), [CODE])
    assert not looks_alike(page("Hôm nay"), Image.new("RGB", (390, 760), "white"), [])


def test_a_picture_is_written_once_and_anew_when_that_is_wanted(tmp_path: Path) -> None:
    file, shot = tmp_path / "trang.png", io.BytesIO()
    page("Hôm nay").save(shot, "PNG")
    assert keep(shot.getvalue(), file, [], anew=False)
    before = file.read_bytes()
    assert not keep(shot.getvalue(), file, [], anew=False)
    assert keep(shot.getvalue(), file, [], anew=True)
    assert file.read_bytes() == before
