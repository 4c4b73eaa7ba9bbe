"""docs/huong-dan and the pictures of the README: what they name is there, and nothing there goes unnamed.

Words in “…” are words of a page; an address in `…` is a page's; a picture is one that `make screenshots`
takes.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from litestar.handlers import HTTPRouteHandler
from PIL import Image

from api.app import collect_handlers

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs" / "huong-dan"
PAGES = sorted(GUIDES.glob("*.md"))
PICTURES = ROOT / "docs" / "pictures"
README = ROOT / "README.md"
KILOBYTES_MAX = 150
# What the words of pages stand in: templates, the words that Python gives them, and what scripts say.
SOURCES = ("*.html", "*.py", "*.js")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
HTML_IMAGE = re.compile(r'<img [^>]*src="([^"]+)"')


@cache
def words_of_pages() -> str:
    """Everything that pages can say, with single blanks."""
    files = (path for kind in SOURCES for path in sorted((ROOT / "api" / "pages").rglob(kind)))
    return " ".join(" ".join(path.read_text() for path in files).split())


@cache
def addresses() -> frozenset[str]:
    return frozenset(
        str(path)
        for handler in collect_handlers(demo=True)
        if isinstance(handler, HTTPRouteHandler) and "pages" in (handler.tags or ())
        for path in handler.paths
    )


def test_there_is_a_page_for_each_role_and_the_first_leads_to_all() -> None:
    named = set(LINK.findall((GUIDES / "README.md").read_text()))
    assert {path.name for path in PAGES} - {"README.md"} == {one for one in named if one.endswith(".md")}
    assert len(PAGES) >= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_what_a_guide_quotes_stands_on_a_page(page: Path) -> None:
    quoted = re.findall(r"“([^”]+)”", page.read_text())
    unknown = [one for one in quoted if one not in words_of_pages() and one != "như thế này"]
    assert unknown == [], "a page says it in other words now"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_address_and_link_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`(/[^`]*)`", text)
    assert [one for one in named if one not in addresses()] == []
    assert [one for one in LINK.findall(text) if not (GUIDES / one).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_picture_says_in_words_what_it_shows(page: Path) -> None:
    assert [where for words, where in IMAGE.findall(page.read_text()) if len(words) < len("Ki-ốt")] == []


def test_every_picture_that_is_taken_is_shown_and_the_other_way_round() -> None:
    shown = {where.removeprefix("hinh/") for page in PAGES for _, where in IMAGE.findall(page.read_text())}
    assert shown == {path.name for path in (GUIDES / "hinh").glob("*.png")}
    in_readme = {Path(where).name for where in HTML_IMAGE.findall(README.read_text())}
    assert in_readme == {path.name for path in PICTURES.glob("*.png")}


def test_the_eight_main_pages_are_shown_on_a_phone_and_on_a_desk() -> None:
    widths = {path.name: Image.open(path).width for path in PICTURES.glob("*.png")}
    assert all(name.endswith(f"-{width}.png") for name, width in widths.items())
    assert sorted(widths.values()) == [390] * 8 + [1280] * 8


@pytest.mark.parametrize("place", [PICTURES, GUIDES / "hinh"], ids=lambda path: path.name)
def test_pictures_are_small(place: Path) -> None:
    heavy = [path.name for path in place.glob("*.png") if path.stat().st_size > KILOBYTES_MAX * 1024]
    assert heavy == []
