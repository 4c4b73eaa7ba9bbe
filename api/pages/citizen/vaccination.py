"""The vaccination book: by disease, what comes next, one dose, and doses that stand on paper alone."""

from base64 import b64encode
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.citizen.own_documents import BODY_MAX as UPLOAD_MAX
from api.pages.citizen import vaccination_view as view
from api.pages.citizen.own_entries_view import RELATIVES
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.uploading import Sent, form_with_file, new_key, once_of
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import ProblemError, Refused, refuse
from vaccination.schedule.problems import BIRTH_DATE_UNCLEAR, SCHEDULE_NOT_GRANTED

DOSES: Final = "/v1/me/vaccination/doses"
TITLE = ("Sổ tiêm chủng", "Vaccination book")
DECLARE = ("Khai mũi tiêm trên giấy", "Declare a dose on paper")


@get("/me/vaccination", operation_id="page_me_vaccination", **CITIZEN)
async def book(call: NamedDependency[Call]) -> Response[bytes]:
    """What comes next, then every disease with its doses."""
    visit = open_visit(call, "citizen")
    found = await visit.read("/v1/me/vaccination")
    schedule = await visit.ask("/v1/me/vaccination/schedule")
    if isinstance(schedule, Refused) and schedule.problem not in (BIRTH_DATE_UNCLEAR, SCHEDULE_NOT_GRANTED):
        raise ProblemError(schedule)
    return _show_book(visit, found, schedule)


def _show_book(visit: Visit, found: dict[str, Any], schedule: dict[str, Any] | Refused) -> Shown:
    english = visit.display.language == "en"
    return visit.show(
        "citizen/vaccination.html",
        TITLE,
        nav="vaccination",
        diseases=view.diseases(found, english=english),
        tombstones=found["tombstones"],
        more=found["more"],
        notice=found["notice"],
        no_plan=schedule.problem if isinstance(schedule, Refused) else None,
        plan=None if isinstance(schedule, Refused) else view.plan(schedule, english=english),
        schedule=None if isinstance(schedule, Refused) else schedule,
    )


@get("/me/vaccination/download/book.pdf", operation_id="page_me_vaccination_pdf", **CITIZEN)
async def paper(call: NamedDependency[Call]) -> Response[bytes]:
    """The book on A4."""
    return open_visit(call, "citizen").download("/v1/me/vaccination.pdf")


@get("/me/vaccination/doses/{dose_id:str}", operation_id="page_me_dose", **CITIZEN)
async def dose(dose_id: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One dose with all that is known of it, and what can be done about it."""
    visit = open_visit(call, "citizen")
    found = await visit.read("/v1/me/vaccination")
    one = view.one_dose(found, dose_id, english=visit.display.language == "en")
    if one is None:
        refuse(NOT_FOUND)
    return visit.show("citizen/dose.html", ("Mũi tiêm", "Dose"), nav="vaccination", dose=one)


@get("/me/vaccination/declare", operation_id="page_me_dose_form", **CITIZEN)
async def declare_form(call: NamedDependency[Call]) -> Response[bytes]:
    """The form for a dose that no facility sent."""
    return await _form(open_visit(call, "citizen"), {})


@post(
    "/me/vaccination/declare",
    operation_id="page_me_declare_dose",
    request_max_body_size=UPLOAD_MAX,
    **CITIZEN,
)
async def declare(call: NamedDependency[Call]) -> Response[bytes]:
    """Declare it with its picture; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    sent = await form_with_file(visit, "picture")
    paper_id = await _kept_paper(visit, sent)
    if isinstance(paper_id, Refused):
        return await _form(visit, sent.fields, paper_id)
    typed = {**sent.fields, "paper_id": paper_id}
    done = await visit.send("POST", DOSES, view.new_dose(typed), headers=once_of(typed))
    return await _form(visit, typed, done) if isinstance(done, Refused) else visit.go("/me/vaccination")


async def _kept_paper(visit: Visit, sent: Sent) -> str | Refused:
    """The paper behind the dose: the new picture, else the one that was chosen."""
    if not sent.file:
        return sent.fields.get("paper_id", "")
    said_by = {"said_by": sent.fields["said_by"]} if "said_by" in sent.fields else {}
    body = {"kind": "vaccination-paper", "content": b64encode(sent.file).decode(), **said_by}
    # The same picture with other fields is the same paper.
    alone: dict[str, str] = {name: sent.fields[name] for name in ("once", "said_by") if name in sent.fields}
    kept = await visit.send("POST", "/v1/me/documents", body, headers=once_of(alone, sent.file))
    return kept if isinstance(kept, Refused) else str(kept["item_id"])


async def _form(visit: Visit, typed: dict[str, str], problem: Refused | None = None) -> Response[bytes]:
    choices = await visit.read("/v1/me/vaccination/choices")
    documents = await visit.read("/v1/me/documents", limit=100)
    return visit.show(
        "citizen/dose_form.html",
        DECLARE,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=typed,
        once=typed.get("once") or new_key(),
        choices=choices,
        papers=[one for one in documents["items"] if one.get("self_declared")],
        relatives=RELATIVES if visit.book else {},
    )


handlers: list[Any] = [book, paper, dose, declare_form, declare]
