"""How a person wants pages: language, size of type, light or dark; kept in a cookie, without script."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from msgspec.structs import replace

from api.pages.browser import DISPLAY_SECONDS, Display, set_cookie
from api.pages.showing import CITIZEN, any_visit, safe_path
from api.request import Call
from partners.oauth.forms import read_form


@post("/display", operation_id="page_display", **CITIZEN)
async def choose_display(call: NamedDependency[Call]) -> Response[bytes]:
    """Change one of them and go back. Nothing of a person changes, so any page's form may ask for it."""
    form = read_form(await call.body()) or {}
    visit = any_visit(call, "citizen")
    chosen = _chosen(visit.display, form)
    back = safe_path(form.get("back", ""), "/")
    return visit.go(back, [set_cookie(call, "display", chosen.text(), DISPLAY_SECONDS)])


def _chosen(before: Display, form: dict[str, str]) -> Display:
    said = {name: form[name] for name in ("language", "size", "theme") if name in form}
    known = {"vi", "en", "normal", "large", "auto", "light", "dark"}
    return replace(before, **{name: value for name, value in said.items() if value in known})


handlers: list[Any] = [choose_display]
