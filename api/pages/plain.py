"""Pages outside of our cookies' sessions: each with its own policy and address, all with one look."""

from typing import Any, Final

from api.pages.browser import Display, display_of
from api.pages.rendering import templates
from api.request import Call

# What such a page loads for its look, all of it ours: part of each of their policies.
LOOK: Final = "style-src 'self'; font-src 'self'; img-src 'self'"


def plain_page(template: str, call: Call | None = None, **members: Any) -> bytes:
    """The page as it leaves. call: says how its reader wants pages; without one it follows the browser."""
    display = display_of(call) if call else Display()
    demo = bool(call and call.demo)
    return templates().get_template(template).render(display=display, demo=demo, **members).encode()
