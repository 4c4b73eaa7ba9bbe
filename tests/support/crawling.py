"""Walk the pages as somebody who follows every link, and look at each kind of page in both modes."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from litestar.handlers import HTTPRouteHandler
from playwright.sync_api import Error, Page

from api.app import collect_handlers
from tests.support.chromium import Watched, axe, weight

OF_A_TEMPLATE = 2
WEIGHT_MAX = 150 * 1024
NARROW = 320
# Files that a browser saves instead of showing, and parts of pages that only htmx fetches.
IS_NO_PAGE = re.compile(r"\.(pdf|json|csv|ics|zip|smart-health-card|svg|png)$|/content$|/file$|/download/")


def page_routes() -> list[str]:
    """The address templates of all pages that open with GET."""
    return sorted(
        str(path)
        for handler in collect_handlers(demo=True)
        if isinstance(handler, HTTPRouteHandler) and "pages" in (handler.tags or ())
        for path in handler.paths
        if "GET" in handler.http_methods
    )


def template_of(path: str, templates: list[str]) -> str | None:
    """Which template an address belongs to; an exact one before one with places."""
    fitting = [one for one in templates if re.fullmatch(_pattern(one), path)]
    return min(fitting, key=lambda one: one.count("{"), default=None)


def _pattern(template: str) -> str:
    parts = re.split(r"\{[^}]*\}", template)
    return "[^/]+".join(re.escape(part) for part in parts)


@dataclass
class Walk:
    """What was found. seen: how often each template; wrong: every finding with its place."""

    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    heaviest: tuple[int, str] = (0, "")


def crawl(watched: Watched, roots: list[str], secret_words: set[str], *, inside: str = "/") -> Walk:
    """Follow links from the roots. secret_words: what no title and no address may hold. inside: the beginning
    of addresses that are followed."""
    walk, tab = Walk(), watched.page()
    for template, path in places(tab, roots, inside):
        walk.seen[template] += 1
        if not IS_NO_PAGE.search(path):
            _look(walk, watched, tab, path, secret_words)
    return walk


def places(tab: Page, roots: list[str], inside: str = "/") -> Iterator[tuple[str, str]]:
    """Template and address of every page that the roots lead to, two of a template; whoever asks opens each
    in this tab before the next, since its links are followed."""
    templates, often = page_routes(), Counter[str]()
    waiting, known = deque(roots), set(roots)
    while waiting:
        path = waiting.popleft()
        template = template_of(path, templates)
        if template is None or often[template] >= OF_A_TEMPLATE:
            continue
        often[template] += 1
        yield template, path
        if IS_NO_PAGE.search(path):
            continue
        for link in _links(tab):
            if link not in known and link.startswith(inside):
                known.add(link)
                waiting.append(link)


def _look(walk: Walk, watched: Watched, tab: Page, path: str, secret_words: set[str]) -> None:
    try:
        bytes_sent = weight(tab, watched.base + path)
    except Error as error:
        if "Download is starting" not in str(error):
            walk.wrong.append(f"{path}: {str(error).splitlines()[0]}")
        return
    walk.heaviest = max(walk.heaviest, (bytes_sent, path))
    if bytes_sent > WEIGHT_MAX:
        walk.wrong.append(f"{path}: {bytes_sent} bytes")
    walk.wrong += [f"{path} {one}" for one in seen_wrong(tab)]
    said = f"{tab.title()} {tab.url}".casefold()
    walk.wrong += [f"{path}: {word} in title or address" for word in secret_words if word.casefold() in said]
    if urlsplit(tab.url).query:
        walk.wrong.append(f"{path}: a query in the address")


def seen_wrong(tab: Page) -> list[str]:
    """What is wrong with the page as it stands, in both modes and on a narrow screen."""
    wrong = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wrong += [f"({scheme}): {one}" for one in axe(tab)]
    tab.emulate_media(color_scheme="light")
    return [*wrong, f"wider than {NARROW} px"] if _is_too_wide(tab) else wrong


def _is_too_wide(tab: Page) -> bool:
    size: Any = tab.viewport_size
    tab.set_viewport_size({"width": NARROW, "height": 800})
    wide = bool(tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
    tab.set_viewport_size(size)
    return wide


def _links(tab: Page) -> list[str]:
    found: list[str] = tab.evaluate(
        "[...document.querySelectorAll('a[href]')]"
        ".filter(a => a.origin === location.origin).map(a => a.pathname)"
    )
    return found
