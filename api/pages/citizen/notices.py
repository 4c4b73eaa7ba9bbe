"""The inbox: every notice, what it is about, and the word that it was read."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.notices_view import notice_card
from api.pages.citizen.whose import in_own_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit, safe_path
from api.request import Call
from kernel.problems import ProblemError, Refused
from notifications.problems import NO_DEVICE_OF_SESSION

INBOX: Final = "/v1/me/notifications"
TITLE: Final = ("Thông báo", "Notices")
PAGE: Final = 20


@get("/me/notices", operation_id="page_me_notices", **CITIZEN)
async def notices(call: NamedDependency[Call]) -> Response[Any]:
    """The newest."""
    return await _show(open_visit(call, "citizen"), None)


@post("/me/notices", operation_id="page_me_notices_more", status_code=200, **CITIZEN)
async def more(call: NamedDependency[Call]) -> Response[Any]:
    """Those before."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show(visit, form.get("cursor"))


@post("/me/notices/{notice_id:uuid}/open", operation_id="page_me_notice_open", **CITIZEN)
async def open_notice(notice_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """Note that it was read, and go to what it is about. A browser without a device keeps no such note."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    own = in_own_book(visit)
    done = await own.send("POST", f"{INBOX}/{notice_id}/receipts", {"kind": "opened"})
    if isinstance(done, Refused) and done.problem is not NO_DEVICE_OF_SESSION:
        raise ProblemError(done)
    return visit.go(safe_path(form.get("place", ""), "/me/notices"))


async def _show(visit: Visit, cursor: str | None) -> Shown:
    """The person's own inbox, whoever's book is open."""
    found = await in_own_book(visit).read(INBOX, limit=PAGE, cursor=cursor)
    cards = [notice_card(one) for one in found["items"]]
    return visit.show("citizen/notices.html", TITLE, nav="notices", notices=cards, next=found["next"])


handlers: list[Any] = [notices, more, open_notice]
