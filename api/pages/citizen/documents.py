"""Documents: letters and papers of facilities, what carries a file, and papers that the person adds."""

from base64 import b64encode
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.citizen.own_documents import BODY_MAX as UPLOAD_MAX
from api.pages.citizen.entries_view import SHOWING
from api.pages.citizen.own_entries_view import DOCUMENT_KINDS, RELATIVES, fhir_day, wrong_field
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import form_with_file, new_key, once_of
from api.request import Call
from ehr.own_documents.problems import OWN_DOCUMENT_INVALID
from kernel.problems import Refused

TITLE: Final = ("Giấy tờ", "Documents")
TITLE_ADD: Final = ("Thêm giấy tờ", "Add a paper")
DOCUMENTS: Final = "/v1/me/documents"
PAGE: Final = 50
_WORDS: Final = ("facility_name", "title", "said_by")
Id = FromPath[Annotated[str, PathParameter(min_length=1, max_length=64)]]


@get("/me/documents", operation_id="page_me_documents", **CITIZEN)
async def documents(call: NamedDependency[Call]) -> Response[bytes]:
    """Letters that count, papers, and all other documents, newest first."""
    return await _list(open_visit(call, "citizen"))


@post("/me/documents", status_code=200, operation_id="page_me_documents_more", **CITIZEN)
async def more_documents(call: NamedDependency[Call]) -> Response[bytes]:
    """Older documents."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _list(visit, cursor=form.get("cursor"))


@get("/me/documents/{document_id:str}/file", operation_id="page_me_document_file", **CITIZEN)
async def document_file(document_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """The content, as an attachment that no browser runs."""
    return open_visit(call, "citizen").download(f"{DOCUMENTS}/{document_id}/content")


@get("/me/documents/letters/{letter_id:str}", operation_id="page_me_letter_pdf", **CITIZEN)
async def letter_pdf(letter_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """A letter with its code, on paper."""
    return open_visit(call, "citizen").download(f"/v1/me/letters/{letter_id}/letter.pdf")


@get("/me/documents/papers/{paper_id:str}", operation_id="page_me_paper_pdf", **CITIZEN)
async def paper_pdf(paper_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """A paper with its code."""
    return open_visit(call, "citizen").download(f"/v1/me/papers/{paper_id}/paper.pdf")


@get("/me/documents/add", operation_id="page_me_document_form", **CITIZEN)
async def add_form(call: NamedDependency[Call]) -> Response[bytes]:
    """The form for a photo or a PDF."""
    return _form(open_visit(call, "citizen"), {})


@post(
    "/me/documents/add",
    operation_id="page_me_document_add",
    request_max_body_size=UPLOAD_MAX,
    **CITIZEN,
)
async def add_document(call: NamedDependency[Call]) -> Response[bytes]:
    """Add it; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    sent = await form_with_file(visit, "file")
    if not sent.file:
        return _form(visit, sent.fields, Refused(problem=OWN_DOCUMENT_INVALID, where="file"))
    words = {name: sent.fields[name] for name in _WORDS if sent.fields.get(name)}
    date = {"date": fhir_day(sent.fields["date"])} if sent.fields.get("date") else {}
    body = {"kind": sent.fields.get("kind", ""), "content": b64encode(sent.file).decode(), **words, **date}
    done = await visit.send("POST", DOCUMENTS, body, headers=once_of(sent.fields, sent.file))
    return _form(visit, sent.fields, done) if isinstance(done, Refused) else visit.go("/me/documents")


@post("/me/documents/{document_id:str}/remove", operation_id="page_me_document_remove", **CITIZEN)
async def remove_document(document_id: Id, call: NamedDependency[Call]) -> Response[bytes]:
    """Take a paper of one's own out of the book, and erase its file."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("DELETE", f"{DOCUMENTS}/{document_id}")
    return await _list(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/documents")


async def _list(visit: Visit, cursor: str | None = None, problem: Refused | None = None) -> Response[bytes]:
    page = await visit.read(DOCUMENTS, limit=PAGE, cursor=cursor)
    letters, papers = await visit.ask("/v1/me/letters"), await visit.ask("/v1/me/papers")
    statements = await visit.ask("/v1/me/statements")
    own = [] if isinstance(statements, Refused) else statements["items"]
    found_letters = [] if isinstance(letters, Refused) else letters["items"]
    found_papers = [] if isinstance(papers, Refused) else papers["items"]
    apart = {one["id"] for one in (*found_letters, *found_papers)}
    return visit.show(
        "citizen/documents.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="documents",
        letters=found_letters,
        papers=found_papers,
        documents=[one for one in page["items"] if one["id"] not in apart],
        removable={one["statement_id"] for one in own if one["kind"] == "paper" and one["may_change"]},
        following=page["next"],
        is_first=cursor is None,
        **SHOWING,
    )


def _form(visit: Visit, typed: dict[str, str], problem: Refused | None = None) -> Response[bytes]:
    return visit.show(
        "citizen/document_form.html",
        TITLE_ADD,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="documents",
        typed=typed,
        wrong=wrong_field(problem.where) if problem else "",
        once=new_key(),
        kinds=DOCUMENT_KINDS,
        relatives=RELATIVES if visit.book else {},
    )


handlers: list[Any] = [
    documents,
    more_documents,
    add_form,
    add_document,
    letter_pdf,
    paper_pdf,
    document_file,
    remove_document,
]
