"""Debian's Chromium, and what a test watches of it: requests, errors, weights, axe-core's findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from tests.support.debian import program
from tests.support.npm import installed

PLACE = Path(__file__).resolve().parents[1] / "browser"
NAMES = ("chromium", "chromium-browser")
# No other host has an address: not even a look-up ahead of a request, which nothing here would see, leaves.
LOOPBACK_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
# Lines of the console that say a page broke its own policy or threw.
BROKEN = ("Content Security Policy", "Content-Security-Policy", "Uncaught")


def chromium() -> str:
    """The path of the program."""
    return program(NAMES, "chromium")


@contextmanager
def running(*options: str) -> Iterator[Browser]:
    """A browser without a window, until the end of the block. options: further switches."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", LOOPBACK_ALONE, *options],
        )
        yield browser
        browser.close()


@dataclass
class Watched:
    """One person's browser, with what it did. base: where the service is, `http://localhost:…`; others:
    further origins, of the test's own, that may be asked."""

    context: BrowserContext
    base: str
    others: tuple[str, ...] = ()
    requests: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(15_000)
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda line: self._said(line.text))
        self.context.on("weberror", lambda error: self.broken.append(str(error.error)))
        self.context.on("dialog", self._asked)

    def _said(self, text: str) -> None:
        if any(mark in text for mark in BROKEN):
            self.broken.append(text)

    def _asked(self, dialog: Dialog) -> None:
        """No page of ours opens one."""
        self.broken.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def page(self, path: str = "") -> Page:
        """A new tab, at that path of the service."""
        opened = self.context.new_page()
        if path:
            opened.goto(self.base + path)
        return opened

    def require_clean(self) -> None:
        """Nothing left the origin, and no page broke its policy or threw."""
        foreign = [url for url in self.requests if not self._is_ours(url)]
        assert foreign == []
        assert self.broken == []

    def _is_ours(self, url: str) -> bool:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return parts.scheme in ("data", "blob") or origin in (self.base, *self.others)


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong: rule, and the first places of each."""
    source = installed(PLACE) / "node_modules" / "axe-core" / "axe.min.js"
    # Evaluated by the debugger: the page's own policy admits no other script, and should not.
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(source.read_text())
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
    return [
        f"{one['id']}: {', '.join(' '.join(map(str, node['target'])) for node in one['nodes'][:4])}"
        for one in found
    ]


def give_authenticator(page: Page) -> None:
    """A platform authenticator that always says yes, as a fingerprint reader would for its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def weight(page: Page, address: str) -> int:
    """Bytes that came over the wire for a page with an empty cache, fonts left out."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on("Network.responseReceived", lambda said: kinds.update({said["requestId"]: said["type"]}))
    session.on(
        "Network.loadingFinished", lambda said: sizes.update({said["requestId"]: said["encodedDataLength"]})
    )
    page.goto(address, wait_until="load")
    session.detach()
    return int(sum(size for one, size in sizes.items() if kinds.get(one) != "Font"))
