"""A browser without script over the application: keeps cookies, reads pages, sends their own forms."""

from typing import Any

import httpx
from lxml import html

from api.pages.browser import Kind

Element = Any


class Page:
    """One page that came. `text`: its words with single blanks."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self.status = response, response.status_code
        self.tree: Element = html.fromstring(response.text or "<p></p>")

    @property
    def text(self) -> str:
        return " ".join(self.tree.text_content().split())

    def links(self) -> list[str]:
        return [one.get("href") for one in self.tree.iter("a") if one.get("href")]

    def form(self, action: str) -> dict[str, str]:
        """What the first form to that address would send as it stands, its first button left out."""
        found = next(one for one in self.tree.iter("form") if one.get("action") == action)
        return {name: value for name, value in found.form_values() if name}

    def data(self, action: str, name: str) -> str:
        """The attribute `data-…` of the first form to that address that has it."""
        forms = (one for one in self.tree.iter("form") if one.get("action") == action)
        return next(found for one in forms if (found := one.get(f"data-{name}")) is not None)


class Browser:
    """kind, token: a session that exists already; any token of `/v1` is one."""

    def __init__(self, client: httpx.AsyncClient, kind: Kind = "citizen", token: str = "") -> None:
        self._client = client
        self.cookies: dict[str, str] = {kind: token} if token else {}

    async def get(self, path: str, *, follow: bool = True) -> Page:
        return await self._sent("GET", path, None, follow=follow)

    async def post(self, path: str, fields: dict[str, str], *, follow: bool = True) -> Page:
        """A form as given, without what a page would add."""
        return await self._sent("POST", path, fields, follow=follow)

    async def submit(self, page: Page, action: str, *, follow: bool = True, **fields: str) -> Page:
        """The page's own form to that address, with these fields changed or added."""
        return await self.post(action, {**page.form(action), **fields}, follow=follow)

    async def _sent(self, method: str, path: str, fields: dict[str, str] | None, *, follow: bool) -> Page:
        response = await self._once(method, path, fields)
        for _ in range(5):
            if not follow or response.status_code != 303:
                break
            response = await self._once("GET", response.headers["location"], None)
        return Page(response)

    async def _once(self, method: str, path: str, fields: dict[str, str] | None) -> httpx.Response:
        said = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self._client.cookies.clear()
        response = await self._client.request(method, path, data=fields, headers=said)
        for one in response.headers.get_list("set-cookie"):
            name, _, rest = one.partition("=")
            value = rest.partition(";")[0]
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        self._client.cookies.clear()
        return response
