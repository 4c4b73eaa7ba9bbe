"""Who looked at the book: the log in words, one line of it with its proof, and asking why somebody looked.

Pages of the list go by POST. A line is found again on the page that it stood on: the log is asked anew, and
what the page says of the line is what the log says.
"""

from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.log_view import KINDS, REASONS, line_card, proof_card, report_card
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from audit.roots.models import AuditRoots, LogProof
from kernel.problems import Refused, refuse

LOG: Final = "/v1/me/access-log"
REPORTS: Final = "/v1/me/access-reports"
TITLE: Final = ("Ai đã xem sổ", "Who looked")
ONE: Final = ("Một dòng nhật ký", "One line of the log")
ASKED: Final = ("Các lần bạn đã hỏi vì sao", "What you asked about")
PAGE: Final = 20
# Own reads of the page itself come on top meanwhile, so that a line moves down.
PAGE_AGAIN: Final = 100


@get("/me/log", operation_id="page_me_log", **CITIZEN)
async def log(call: NamedDependency[Call]) -> Response[Any]:
    """The newest lines."""
    return await _show(open_visit(call, "citizen"), {})


@post("/me/log", operation_id="page_me_log_more", status_code=200, **CITIZEN)
async def more(call: NamedDependency[Call]) -> Response[Any]:
    """Lines of one kind, or those that follow."""
    visit = open_visit(call, "citizen")
    return await _show(visit, await visit.form())


@post("/me/log/line", operation_id="page_me_log_line", status_code=200, **CITIZEN)
async def line(call: NamedDependency[Call]) -> Response[Any]:
    """One line, under which public root it stands, and the question why."""
    visit = open_visit(call, "citizen")
    return await _show_line(visit, await visit.form())


@post("/me/log/report", operation_id="page_me_log_report", **CITIZEN)
async def report(call: NamedDependency[Call]) -> Response[Any]:
    """Ask why somebody looked."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    if form.get("reason") not in REASONS or not form.get("seq", "").isdigit():
        return await _show_line(visit, form, wrong=True)
    made = await visit.send("POST", REPORTS, {"seq": int(form["seq"]), "reason": form["reason"]})
    if isinstance(made, Refused):
        return await _show_line(visit, form, problem=made)
    return visit.go("/me/log/reports")


@get("/me/log/reports", operation_id="page_me_log_reports", **CITIZEN)
async def reports(call: NamedDependency[Call]) -> Response[Any]:
    """What was asked, and what came of it."""
    visit = open_visit(call, "citizen")
    found, english = await visit.read(REPORTS), visit.display.language == "en"
    cards = [report_card(one, english=english) for one in found["items"]]
    return visit.show("citizen/log_reports.html", ASKED, nav="log", reports=cards)


@get("/me/log/export", operation_id="page_me_log_export", **CITIZEN)
async def export(call: NamedDependency[Call]) -> Response[Any]:
    """The log as a file, to be checked offline."""
    return open_visit(call, "citizen").download(f"{LOG}/export")


async def _show(visit: Visit, form: dict[str, str]) -> Shown:
    kind = form["kind"] if form.get("kind") in KINDS else None
    found = await visit.read(LOG, limit=PAGE, cursor=form.get("cursor"), kind=kind)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/log.html",
        TITLE,
        nav="log",
        lines=[line_card(one, english=english) for one in found["items"]],
        next=found["next"],
        cursor=form.get("cursor", ""),
        kind=kind or "",
        kinds=[(name, words[english]) for name, words in KINDS.items()],
        person=await relative_of_book(visit),
    )


async def _show_line(
    visit: Visit, form: dict[str, str], *, problem: Refused | None = None, wrong: bool = False
) -> Shown:
    kind = form["kind"] if form.get("kind") in KINDS else None
    found = await visit.read(LOG, limit=PAGE_AGAIN, cursor=form.get("cursor"), kind=kind)
    here = next((one for one in found["items"] if one["seq"] and str(one["seq"]) == form.get("seq")), None)
    if here is None:
        refuse(NOT_FOUND)
    english = visit.display.language == "en"
    return visit.show(
        "citizen/log_line.html",
        ONE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="log",
        line=line_card(here, english=english),
        proof=await _proof(visit, here),
        typed=form,
        wrong=wrong,
        reasons=[(name, words[english]) for name, words in REASONS.items()],
    )


async def _proof(visit: Visit, line: dict[str, Any]) -> dict[str, Any]:
    """How a row stands in the public log, checked here as anybody may check it (audit/roots/verify.py)."""
    proven = await visit.ask(f"{LOG}/proof", seq=line["seq"])
    if isinstance(proven, Refused):
        return {"state": "none", "refused": proven}
    said = msgspec.convert(proven, LogProof)
    roots = await visit.read("/.well-known/audit-roots", since=said.root.root.number - 1)
    return proof_card(line, said, msgspec.convert(roots, AuditRoots))


handlers: list[Any] = [log, more, line, report, reports, export]
