"""The first page of a doctor: whose record to open, and what is open already."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.doctor.asking_view import SPANS, is_share_code, request_of, ticked
from api.pages.doctor.granted import with_words
from api.pages.scope_words import DAY, duration
from api.pages.showing import STAFF, Shown, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from kernel.problems import Refused

TITLE = ("Mở sổ người bệnh", "Open a patient's book")


@get("/doctor", operation_id="page_doctor", **STAFF)
async def start(call: NamedDependency[Call]) -> Response[bytes]:
    """One field to scan or type into, and the books that may be opened now."""
    return await _start(open_visit(call, "staff"), {})


@post("/doctor", operation_id="page_doctor_ask", **STAFF)
async def ask(call: NamedDependency[Call]) -> Response[bytes]:
    """Ask whoever was scanned or typed; a code that its person gave out opens the book at once."""
    visit = open_visit(call, "staff")
    form = await visit.form()
    if "cursor" in form:
        return await _start(visit, {}, cursor=form["cursor"])
    if is_share_code(form.get("subject", "")):
        return await _redeem(visit, form)
    path, body = "/v1/doctor/access-requests", request_of(form)
    made = await visit.send("POST", path, body, headers=once_of(form))
    if isinstance(made, Refused):
        return await _start(visit, form, made)
    return visit.go(f"/doctor/requests/{UUID(made['request_id'])}")


async def _redeem(visit: Visit, form: dict[str, str]) -> Shown:
    done = await visit.send("POST", "/v1/doctor/share-codes/redeem", {"code": form["subject"]})
    if isinstance(done, Refused):
        return await _start(visit, form, done)
    return visit.go(f"/doctor/patients/{UUID(done['patient_id'])}")


async def _start(
    visit: Visit, form: dict[str, str], problem: Refused | None = None, cursor: str | None = None
) -> Shown:
    who = await visit.read("/v1/doctor/me")
    listed = await visit.ask("/v1/doctor/grants", limit=20, cursor=cursor)
    granted = {"items": [], "next": None} if isinstance(listed, Refused) else listed
    return visit.show(
        "doctor/start.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        nav="start",
        problem=problem,
        once=new_key(),
        who=who,
        asked=form,
        ticked=ticked(form),
        spans=[(one, duration(one, english=visit.display.language == "en")) for one in SPANS],
        span=request_of(form).get("duration_seconds", DAY),
        grants=[with_words(visit, one) for one in granted["items"]],
        more=granted["next"],
    )


handlers: list[Any] = [start, ask]
