"""Corrections: what the person says is wrong in the book, with its trail and its terms."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen import cases_view as view
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import form_with_file, new_key, once_of
from api.request import Call
from ehr.cases.evidence import UPLOAD_BYTES_MAX
from ehr.cases.problems import CASE_INVALID, CASE_STATE, EVIDENCE_UNREADABLE
from kernel.problems import Refused

TITLE: Final = ("Đề nghị sửa", "Corrections")
CASES: Final = "/v1/me/cases"
ONE: Final = "/me/cases/{case_id:uuid}"
MOVES: Final = frozenset({"accept", "reopen", "withdraw"})
# A form carries the picture and its own few fields.
UPLOAD_MAX: Final = UPLOAD_BYTES_MAX + 16 * 1024
Id = FromPath[UUID]


@get("/me/cases", operation_id="page_me_cases", **CITIZEN)
async def list_cases(call: NamedDependency[Call]) -> Response[bytes]:
    """The newest first, each with what is due."""
    return await _list(open_visit(call, "citizen"))


@post("/me/cases", status_code=200, operation_id="page_me_cases_more", **CITIZEN)
async def more_cases(call: NamedDependency[Call]) -> Response[bytes]:
    """Older ones."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _list(visit, form.get("cursor"))


@post("/me/cases/new", status_code=200, operation_id="page_me_case_form", **CITIZEN)
async def new_case(call: NamedDependency[Call]) -> Response[bytes]:
    """The form about one entry, which another page names."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return _form(visit, form)


@post("/me/cases/open", status_code=200, operation_id="page_me_case_open", **CITIZEN)
async def open_case(call: NamedDependency[Call]) -> Response[bytes]:
    """Send it; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    kind, text = form.get("kind", ""), form.get("text", "").strip()
    if kind not in ("correction", "not-mine") or not text:
        return _form(visit, form, Refused(problem=CASE_INVALID, where="text" if kind else "kind"))
    body = {"kind": kind, "text": text, "item_id": form.get("item_id", "")}
    done = await visit.send("POST", CASES, body, headers=once_of(form))
    return _form(visit, form, done) if isinstance(done, Refused) else visit.go(_address(done["case_id"]))


@get(ONE, operation_id="page_me_case", **CITIZEN)
async def show_case(case_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """One with its trail, the entry as it was, and what can be done."""
    return await _one(open_visit(call, "citizen"), case_id)


@post(ONE, status_code=200, operation_id="page_me_case_act", **CITIZEN)
async def act(case_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """Accept the answer, open it again, take it back; or confirm a visit that the service asked about."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wanted = form.get("act", "")
    if wanted == "confirm":
        done = await _confirm(visit, case_id, form)
    elif wanted in MOVES:
        done = await visit.send("POST", f"{CASES}/{case_id}/{wanted}")
    else:
        done = Refused(problem=CASE_STATE)
    return await _one(visit, case_id, done) if isinstance(done, Refused) else visit.go(_address(case_id))


@post(
    ONE + "/evidence",
    status_code=200,
    operation_id="page_me_case_add_evidence",
    request_max_body_size=UPLOAD_MAX,
    **CITIZEN,
)
async def add_evidence(case_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """Add a photo."""
    visit = open_visit(call, "citizen")
    sent = await form_with_file(visit, "file")
    # What the browser calls it decides nothing: the service looks at the bytes and draws them anew.
    kind = sent.media_type if sent.media_type in ("image/jpeg", "image/png") else "image/jpeg"
    done = (
        await visit.send("POST", f"{CASES}/{case_id}/evidence", raw=sent.file, headers={"content-type": kind})
        if sent.file
        else Refused(problem=EVIDENCE_UNREADABLE)
    )
    return await _one(visit, case_id, done) if isinstance(done, Refused) else visit.go(_address(case_id))


@get(ONE + "/evidence/{evidence_id:uuid}", operation_id="page_me_case_evidence", **CITIZEN)
async def evidence(case_id: Id, evidence_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """A photo of it, as an attachment."""
    return open_visit(call, "citizen").download(f"{CASES}/{case_id}/evidence/{evidence_id}")


async def _confirm(visit: Visit, case_id: UUID, form: dict[str, str]) -> Any | Refused:
    found = await visit.ask(f"{CASES}/{case_id}")
    if isinstance(found, Refused):
        return found
    case = found["case"]
    if "confirm" not in view.acts_of(case, visit.call.now):
        return Refused(problem=CASE_STATE)
    body = {name: case[name] for name in ("kind", "facility_id", "visit_on")}
    return await visit.send("POST", CASES, body, headers=once_of(form))


async def _list(visit: Visit, cursor: str | None = None) -> Response[bytes]:
    page = await visit.read(CASES, cursor=cursor)
    return visit.show(
        "citizen/cases.html",
        TITLE,
        nav="timeline",
        rows=[(one, view.deadline_of(one)) for one in page["items"]],
        following=page["next"],
        is_first=cursor is None,
        **_WORDS,
    )


async def _one(visit: Visit, case_id: UUID, problem: Refused | None = None) -> Response[bytes]:
    found = await visit.read(f"{CASES}/{case_id}")
    return visit.show(
        "citizen/case.html",
        TITLE,
        nav="timeline",
        status=problem.problem.status if problem else 200,
        problem=problem,
        found=found,
        deadline=view.deadline_of(found["case"]),
        may=view.acts_of(found["case"], visit.call.now),
        once=new_key(),
        acts=view.ACTS,
        sides=view.SIDES,
        **_WORDS,
    )


def _form(visit: Visit, typed: dict[str, str], problem: Refused | None = None) -> Response[bytes]:
    return visit.show(
        "citizen/case_form.html",
        TITLE,
        nav="timeline",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=typed,
        wrong=problem.where if problem else "",
        once=new_key(),
    )


def _address(case_id: Any) -> str:
    return f"/me/cases/{case_id}"


_WORDS: Final[dict[str, Any]] = {"kinds": view.KINDS, "states": view.STATES, "tones": view.TONES}
handlers: list[Any] = [list_cases, more_cases, new_case, open_case, show_case, act, add_evidence, evidence]
