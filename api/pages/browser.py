"""What a browser carries for pages: cookies that no script reads and no other site's request brings along,
and the secret of every form. `/v1` never looks at a cookie (security.md S34).

    citizen, staff, kiosk   the token of a session of that kind
    book                    whose book is open, where a person acts for somebody else
    display                 language, size of type, light or dark
    visit                   a random word before anybody signed in, so that those forms have a secret too
    browser                 which devices this browser made keys for; ids that open nothing
    turn                    another random word with each page, so that browsers keep none for the way back
    identity                ten minutes on the way to the identity provider and back
"""

import hashlib
import hmac
import re
import secrets
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from msgspec import Struct

from api.request import Call
from identity.tokens import to_base64url
from kernel.problems import ProblemType, declare, refuse
from partners.oauth.forms import FORM_MAX, read_form

Kind = Literal["citizen", "staff", "kiosk"]
Language = Literal["vi", "en"]
Size = Literal["normal", "large"]
Theme = Literal["auto", "light", "dark"]
SameSite = Literal["Strict", "Lax"]

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SESSION_SECONDS: Final = 12 * 3600
DISPLAY_SECONDS: Final = 365 * 24 * 3600

# The hidden field of every form. Not `form`: a field of that name hides `form.form` from htmx.
OWN_FORM: Final = "page_secret"

# Tokens, ids and words of ours; nothing that a header or a page could be broken with.
_OURS: Final = re.compile(r"[A-Za-z0-9_.-]{1,400}")

FORM_STALE = declare(
    ProblemType(
        code="page-form-stale",
        status=403,
        vi="Trang này đã cũ hoặc không do bạn mở.",
        en="This page is out of date, or you did not open it.",
        next_vi="Hãy tải lại trang rồi làm lại.",
        next_en="Load the page again and repeat what you did.",
    )
)

FORM_TOO_LONG = declare(
    ProblemType(
        code="page-form-too-long",
        status=413,
        vi="Nội dung bạn gửi dài quá, chưa được nhận.",
        en="What you sent is too long; it was not taken.",
        next_vi="Hãy quay lại, viết ngắn hơn rồi gửi lại.",
        next_en="Go back, make it shorter and send it again.",
    )
)


class Display(Struct, frozen=True):
    """How a person wants pages."""

    language: Language = "vi"
    size: Size = "normal"
    theme: Theme = "auto"

    def text(self) -> str:
        """The value of the cookie."""
        return f"{self.language}.{self.size}.{self.theme}"


def cookie(call: Call, name: str) -> str:
    """The value of one of our cookies; empty without it, and where somebody else wrote it. Read part by part:
    what a neighbour on the same host set, however it looks, hides none of ours."""
    wanted = full_name(call, name)
    for one in (call.joined_header("cookie") or "").split(";"):
        said, _, value = one.strip().partition("=")
        if said == wanted:
            return value if _OURS.fullmatch(value) else ""
    return ""


def full_name(call: Call, name: str) -> str:
    """With TLS no neighbouring host can set it (RFC 6265bis §4.1.3.2)."""
    return f"__Host-{name}" if is_secure(call) else name


def set_cookie(
    call: Call, name: str, value: str, seconds: int | None = None, *, same_site: SameSite = "Strict"
) -> str:
    """The header that sets one; seconds: None until the browser closes, 0 takes it away. same_site: Lax
    where it must come along when another site, the identity provider, sends the browser back. A session's
    keeps a place from now on (api/load.py)."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    secure = "; Secure" if is_secure(call) else ""
    if name in get_args(Kind) and value:
        call.callers.found(value)
    return f"{full_name(call, name)}={value}; Path=/{age}; HttpOnly; SameSite={same_site}{secure}"


def drop_cookie(call: Call, name: str) -> str:
    """The header that takes one away."""
    return set_cookie(call, name, "", 0)


def is_secure(call: Call) -> bool:
    """Everywhere but on this machine, also where nobody said under which address browsers come."""
    try:
        host = urlsplit(f"//{call.header('host') or ''}").hostname
    except ValueError:
        host = ""
    return call.origin.startswith("https:") or host not in _THIS_MACHINE


def new_visit() -> str:
    """A random word for a browser that nobody signed in with."""
    return secrets.token_urlsafe(24)


def display_of(call: Call) -> Display:
    """What the cookie says; anything else is the default."""
    language, _, rest = cookie(call, "display").partition(".")
    size, _, theme = rest.partition(".")
    return Display(
        "en" if language == "en" else "vi",
        "large" if size == "large" else "normal",
        "dark" if theme == "dark" else "light" if theme == "light" else "auto",
    )


def form_secret(secret: str, book: str) -> str:
    """What each form of a session names: an other site cannot know it, and a form that was drawn for one
    person's book does nothing in another's. secret: the session's token, or the word of the visit."""
    said = hmac.digest(secret.encode(), b"form\0" + book.encode(), hashlib.sha256)
    return to_base64url(said)


async def form_of(call: Call) -> dict[str, str]:
    """What a form says; nothing where it is none. Raises page-form-too-long."""
    body = await call.body()
    if len(body) > FORM_MAX:
        refuse(FORM_TOO_LONG)
    return read_form(body) or {}


def require_own_form(call: Call, given: str, secret: str, book: str) -> None:
    """Raises page-form-stale unless a form of this very session came back, from a page of ours."""
    origin, site = call.header("origin"), call.header("sec-fetch-site")
    # A page under `no-referrer` sends `null`; then Sec-Fetch-Site, cookie and secret say whose form it is.
    foreign = origin not in (None, "null") and urlsplit(origin or "").netloc != (call.header("host") or "")
    if foreign or site not in (None, "same-origin", "none"):
        refuse(FORM_STALE)
    if not secret or not hmac.compare_digest(form_secret(secret, book).encode(), given.encode()):
        refuse(FORM_STALE)
