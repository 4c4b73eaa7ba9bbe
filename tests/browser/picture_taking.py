"""Pictures of pages: taken alike each time, small, and written only where they look different.

Codes, times and numbers change with each run. A picture that looks as before from some steps away stays as it
is in the repository, so that a second run changes nothing that nobody changed.
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize

COLOURS = 128
# How far away the eye is: one dot for so many; how much a dot may change, and which part of all dots.
STEPS_AWAY, LEVELS, PART = 8, 56, 0.015
WAIT_MS = 20_000
# Codes and digits, which are drawn anew each minute.
CODES = """() => [...document.querySelectorAll('img[src^="data:"], .waiting__digits, textarea')]
  .filter((one) => !one.closest(".picture--chart"))
  .map((one) => one.getBoundingClientRect())
  .map(({ left, top, right, bottom }) => [left, top, right, bottom].map(Math.round))"""

Box = tuple[int, int, int, int]


def keep(shot: bytes, file: Path, codes: list[Box], *, anew: bool) -> bool:
    """Write a screenshot with few colours, unless the file looks the same. codes: what differs each time;
    anew: in any case."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    if not anew and file.exists() and looks_alike(picture, Image.open(file).convert("RGB"), codes):
        return False
    picture.quantize(COLOURS).save(file, optimize=True)
    return True


def looks_alike(one: Image.Image, other: Image.Image, codes: list[Box]) -> bool:
    """Whether two pictures of one size differ in a few small places alone, the codes left out."""
    if one.size != other.size:
        return False
    far, as_far = (_from_away(picture, codes) for picture in (one, other))
    changed = sum(
        count for level, count in enumerate(ImageChops.difference(far, as_far).histogram()) if level > LEVELS
    )
    return changed <= PART * far.width * far.height


def _from_away(picture: Image.Image, codes: list[Box]) -> Image.Image:
    grey = picture.convert("L")
    for box in codes:
        grey.paste(128, box)
    return grey.reduce(STEPS_AWAY)


class Album:
    """Where pictures go. only: the beginning of the names that are taken; anew: also what looks the same."""

    def __init__(self, browser: Browser, base: str, place: Path, *, anew: bool = False) -> None:
        self.base, self._browser, self._place, self._anew = base, browser, place, anew
        self.taken: set[str] = set()
        place.mkdir(parents=True, exist_ok=True)

    def open(self, wide: int, high: int, cookies: dict[str, str] | None = None) -> Page:
        """A new person's tab. cookies: of a session."""
        context = self._browser.new_context(
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            viewport=ViewportSize(width=wide, height=high),
            color_scheme="light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT_MS)
        for cookie, value in (cookies or {}).items():
            context.add_cookies([{"name": cookie, "value": value, "url": self.base}])
        return context.new_page()

    def take(self, tab: Page, name: str, at: Locator | None = None) -> None:
        """What the tab shows. at: what is brought to the top, below a margin."""
        tab.mouse.move(0, 0)
        tab.wait_for_load_state("networkidle")
        tab.evaluate("document.fonts.ready.then(() => true)")
        if at is not None:
            at.evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 24)")
        file = self._place / f"{name}.png"
        codes: list[Box] = [tuple(box) for box in tab.evaluate(CODES)]
        changed = keep(tab.screenshot(caret="hide"), file, codes, anew=self._anew)
        self.taken.add(file.name)
        sys.stdout.write(f"{file.name}  {file.stat().st_size // 1024} kB{'' if changed else '  as before'}\n")
        sys.stdout.flush()

    def remove_others(self) -> None:
        """Pictures that nobody takes any more."""
        for file in self._place.glob("*.png"):
            if file.name not in self.taken:
                file.unlink()


def close(tab: Page) -> None:
    context: BrowserContext = tab.context
    context.close()
