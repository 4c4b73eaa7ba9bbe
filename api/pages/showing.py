"""One page: who opened it, what it asks of the service, and how it leaves.

A controller is three lines:

    visit = open_visit(call, "citizen")                        # no session: to the sign-in
    page = await visit.read("/v1/me/timeline", limit=20)       # a refusal becomes the page of that refusal
    return visit.show("citizen/timeline.html", say.TIMELINE, entries=page["items"])

and one that changes something:

    form = await visit.form()                                  # only a form of this session's own page
    done = await visit.send("DELETE", f"/v1/me/grants/{grant_id}")
    return visit.show(…, problem=done.problem) if isinstance(done, Refused) else visit.go("/me/sharing")

Every value in a template is escaped (security.md S35). Words are written beside each other in both languages,
`{{ say("Kết quả", "Results") }}`; titles and addresses name nothing of a record.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send

from api.errors import log_exception, refused_of
from api.pages.browser import (
    FORM_STALE,
    OWN_FORM,
    Display,
    Kind,
    cookie,
    display_of,
    drop_cookie,
    form_of,
    form_secret,
    new_visit,
    require_own_form,
    set_cookie,
)
from api.pages.docs import HTML
from api.pages.inside import HAS_ASKED, Passed, ask, inner_scope
from api.pages.pictures import data_address
from api.pages.rendering import templates
from api.problems import NOT_SIGNED_IN
from api.request import Answer, Call, RawResponse
from identity.problems import SESSION_ENDED
from kernel.problems import ProblemError, Refused, refuse

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), publickey-credentials-get=(self), geolocation=(), microphone=()",
}
NONE: Final[Mapping[str, Any]] = {}
SIGN_IN: Final[dict[Kind, str]] = {
    "citizen": "/sign-in",
    "staff": "/doctor/sign-in",
    "kiosk": "/kiosk/set-up",
}
# Where a page goes by itself, before anybody's eyes.
SIGN_IN_AGAIN: Final[dict[Kind, str]] = {
    **SIGN_IN,
    "citizen": "/sign-in/ended",
    "staff": "/doctor/sign-in/ended",
}


class Shown(Answer):
    """An answer with any number of cookies. instead: asked last of all whether another goes in its place."""

    set_cookies: Sequence[str] = ()
    instead: Callable[[], Awaitable["Shown | None"]] | None = None

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIApp:  # type: ignore[override]
        made = super().to_asgi_response(*args, **kwargs)
        assert isinstance(made, RawResponse)
        made.headers += [(b"set-cookie", value.encode("latin-1")) for value in self.set_cookies]
        asked = self.instead
        if asked is None:
            return made

        async def looked_at_first(scope: Scope, receive: Receive, send: Send) -> None:
            other = await asked()
            await (other.to_asgi_response(*args, **kwargs) if other else made)(scope, receive, send)

        return looked_at_first


class Visit:
    """One request of a browser for a page. kind: whose session it needs; token: of that session, or empty."""

    # Nothing is shown without a session that lives.
    needs_session = False

    def __init__(self, call: Call, kind: Kind, token: str) -> None:
        self.call, self.kind, self.token = call, kind, token
        self.book = _book_of(call) if kind == "citizen" and token else ""
        self.display: Display = display_of(call)
        self._word = "" if token else cookie(call, "visit")
        self._new_word = "" if token or self._word else new_visit()
        # Of the relative whose book is open, once it was asked.
        self._relative: dict[str, Any] | Refused | None = None
        self._knows_relative = False

    @property
    def secret(self) -> str:
        """What the forms of this browser are bound to."""
        return self.token or self._word or self._new_word

    @property
    def is_part(self) -> bool:
        """Whether a page that is open asks, for a part of itself."""
        return self.call.header("hx-request") is not None

    async def ask(self, path: str, **query: Any) -> Any | Refused:
        """GET of the service: its JSON, or the refusal. A session that ended raises: it is nobody's page."""
        reply = await ask(self.call, "GET", path, token=self.token, query=query, headers=self._of_book(path))
        refused = reply.refused()
        if refused is not None and refused.problem in (NOT_SIGNED_IN, SESSION_ENDED):
            raise ProblemError(refused)
        return refused or reply.data()

    async def read(self, path: str, **query: Any) -> Any:
        """GET of the service: its JSON. A refusal raises, and becomes the page of that refusal."""
        found = await self.ask(path, **query)
        if isinstance(found, Refused):
            raise ProblemError(found)
        return found

    async def relative(self) -> dict[str, Any] | Refused | None:
        """The link under which a relative's book is open (GET /v1/me/family), asked once. None in the own
        book, and where the link is gone: then the service refuses what is asked of that book."""
        if self.book and not self._knows_relative:
            reply = await ask(self.call, "GET", "/v1/me/family", token=self.token)
            self._relative = reply.refused() or _relative_of(reply.data(), self.book)
            self._knows_relative = True
        return self._relative

    async def picture(self, path: str, **query: Any) -> str | Refused:
        """GET of an SVG or PNG, as a picture inside the page."""
        reply = await ask(self.call, "GET", path, token=self.token, query=query, headers=self._of_book(path))
        kind = reply.headers.get("content-type", "").partition(";")[0]
        return reply.refused() or data_address(kind, reply.body)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, Any] = NONE,
    ) -> Any | Refused:
        """An act: the JSON of its answer, or the refusal."""
        reply = await ask(
            self.call,
            method,
            path,
            token=self.token,
            body=body,
            raw=raw,
            headers={**self._of_book(path), **headers},
        )
        refused = reply.refused()
        if refused is not None and refused.problem in (NOT_SIGNED_IN, SESSION_ENDED) and self.token:
            raise ProblemError(refused)
        return refused or reply.data()

    def download(
        self, path: str, query: Mapping[str, Any] = NONE, headers: Mapping[str, Any] = NONE
    ) -> Answer:
        """A file of the service, passed on as it comes; a refusal becomes its page."""
        said = {"authorization": f"Bearer {self.token}", **self._of_book(path), **headers}
        return Passed(
            inner_scope(self.call, "GET", path, said, dict(query)),
            lambda refused: _page_of_refusal(self.call, refused, self.kind, PROBLEMS[self.kind]),
        )

    async def form(self) -> dict[str, str]:
        """What a form of this session sent. Raises page-form-stale for anybody else's, page-form-too-long."""
        form = await form_of(self.call)
        require_own_form(self.call, form.pop(OWN_FORM, ""), self.secret, self.book)
        return form

    def show(
        self,
        template: str,
        title: tuple[str, str],
        *,
        status: int = 200,
        headers: Mapping[str, Any] = NONE,
        cookies: Sequence[str] = (),
        **members: Any,
    ) -> Shown:
        """The page. title: both languages, nothing of a record; problem: a refusal to show on it."""
        if self.book and not self._knows_relative:
            # Whose book it is stands above every page of it, by name.
            made = Shown(b"", status_code=status, media_type=HTML)
            again = partial(self.show, template, title, status=status, headers=headers, cookies=cookies)
            made.instead = partial(self._show_with_name, partial(again, **members))
            return made
        english = self.display.language == "en"
        shown = (
            templates()
            .get_template(template)
            .render(
                title=title[english],
                say=lambda vi, en: en if english else vi,
                english=english,
                visit=self,
                relative=self._relative if isinstance(self._relative, dict) else None,
                page_secret=form_secret(self.secret, self.book),
                here=self.call.request.scope["path"],
                demo=self.call.demo,
                hotline=self.call.hotline,
                now=self.call.now,
                **{"problem": None, "nav": "", **members},
            )
        )
        made = Shown(shown.encode(), status_code=status, headers={**HEADERS, **headers}, media_type=HTML)
        word = [set_cookie(self.call, "visit", self._new_word)] if self._new_word else []
        # Browsers keep whole pages for the way back, some also what says `no-store`, which they drop when a
        # cookie that no script reads changes. What was taken back is not to be had there either.
        turn = [set_cookie(self.call, "turn", new_visit())] if self.token else []
        made.set_cookies = (*word, *turn, *cookies)
        if self.needs_session and HAS_ASKED not in self.call.request.scope["state"]:
            made.instead = self._leave_if_ended
        return made

    async def _show_with_name(self, show: Callable[[], "Shown"]) -> "Shown":
        relative = await self.relative()
        if isinstance(relative, Refused) and relative.problem in (NOT_SIGNED_IN, SESSION_ENDED):
            return _page_of_refusal(self.call, relative, self.kind, PROBLEMS[self.kind])
        return show()

    async def _leave_if_ended(self) -> Shown | None:
        """A page that asked for nothing, an empty form, stands behind a session like every other. This call
        tells an ended session from a living one for every kind of session."""
        refused = (await ask(self.call, "GET", "/v1/me", token=self.token)).refused()
        if refused is None or refused.problem not in (NOT_SIGNED_IN, SESSION_ENDED):
            return None
        return _page_of_refusal(self.call, refused, self.kind, PROBLEMS[self.kind])

    def go(self, address: str, cookies: Sequence[str] = ()) -> Shown:
        """On to another page of ours, after something was done or a session ended. A part of a page leads the
        whole page there: by itself it would put that other page, or nothing, into what is on the screen."""
        assert address.startswith("/"), address
        status, name = (200, "HX-Redirect") if self.is_part else (303, "Location")
        made = Shown(b"", status_code=status, headers={name: address}, media_type=HTML)
        made.set_cookies = tuple(cookies)
        return made

    def _of_book(self, path: str) -> dict[str, str]:
        return {"x-patient-id": self.book} if self.book and path.startswith("/v1/me") else {}


def _relative_of(family: dict[str, Any], book: str) -> dict[str, Any] | None:
    mine = (one for one in family["items"] if one["acts"] == "for-them" and one["person_id"] == book)
    return next(mine, None)


def _book_of(call: Call) -> str:
    """Whose book is open; the own one where the cookie holds no id."""
    try:
        return str(UUID(cookie(call, "book")))
    except ValueError:
        return ""


def open_visit(call: Call, kind: Kind) -> Visit:
    """A page that needs a session of this kind. Raises not-signed-in, which leads to the sign-in."""
    token = cookie(call, kind)
    if not token:
        raise ProblemError(Refused(problem=NOT_SIGNED_IN))
    visit = Visit(call, kind, token)
    visit.needs_session = True
    # What asks for a part says for which session and book it was drawn: in another tab another may be open.
    if call.header("x-drawn") not in (None, form_secret(visit.secret, visit.book)):
        refuse(FORM_STALE)
    return visit


def any_visit(call: Call, kind: Kind) -> Visit:
    """A page that is there without a session too."""
    return Visit(call, kind, cookie(call, kind))


def safe_path(text: str, otherwise: str) -> str:
    """A path of ours that a form named as the way back; another site's address is not followed. A browser
    takes `/\\` for `//`; tabs and line ends, which it drops, are escaped here."""
    is_ours = text.startswith("/") and text[1:2] not in ("/", "\\")
    path = text.partition("#")[0].partition("?")[0]
    return quote(path, safe="/-_.~") if is_ours else otherwise


def page_of_kind(kind: Kind, template: str = "problem.html") -> dict[str, Any]:
    """What the decorator of such a page's route says. Pages stand outside the document of the API. template:
    of a page that cannot be shown."""

    def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return page_of_problem(request, error, kind, template)

    return {
        "actors": ("public",),
        "tags": ["pages"],
        "include_in_schema": False,
        "problems": (),
        "exception_handlers": {Exception: on_exception},
    }


def page_of_problem(
    request: Request[Any, Any, Any], error: Exception, kind: Kind, template: str
) -> Response[Any]:
    """What went wrong and what to do next, as a page; a session that ended leads to the sign-in."""
    refused = refused_of(error)
    if refused.problem.status >= 500:
        log_exception(error, request.scope)
    call = Call(request, request.app.state["runtime"])  # type: ignore[arg-type]
    return _page_of_refusal(call, refused, kind, template)


def _page_of_refusal(call: Call, refused: Refused, kind: Kind, template: str) -> Shown:
    visit = any_visit(call, kind)
    if refused.problem in (NOT_SIGNED_IN, SESSION_ENDED):
        gone = [drop_cookie(call, kind), drop_cookie(call, "book")] if visit.token else []
        return visit.go((SIGN_IN_AGAIN if visit.is_part else SIGN_IN)[kind], gone)
    if refused.problem is FORM_STALE and visit.is_part and call.header("x-drawn"):
        return visit.go("/doctor" if kind == "staff" else "/")
    return visit.show(
        template,
        ("Không thực hiện được", "That did not work"),
        status=refused.problem.status,
        problem=refused,
    )


PROBLEMS: Final[dict[Kind, str]] = {
    "citizen": "citizen/problem.html",
    "staff": "problem.html",
    "kiosk": "kiosk/stopped.html",
}
CITIZEN: Final = page_of_kind("citizen", PROBLEMS["citizen"])
STAFF: Final = page_of_kind("staff", PROBLEMS["staff"])
KIOSK: Final = page_of_kind("kiosk", PROBLEMS["kiosk"])
