"""What the person adds to the own book: said, listed, taken back. No address names the kind."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.entries_view import SHOWING
from api.pages.citizen.own_entries_view import KINDS_EN, RELATIVES, body_of, fields_of, typed_of, wrong_field
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TITLE: Final = ("Bạn tự khai", "What you said yourself")
TITLE_NEW: Final = ("Tự khai thêm", "Add something")
STATEMENTS: Final = "/v1/me/statements"
# Kinds that are changed where their files are.
ELSEWHERE: Final = ("paper", "vaccination")


@get("/me/entries", operation_id="page_me_entries", **CITIZEN)
async def entries(call: NamedDependency[Call]) -> Response[bytes]:
    """What stands, and which kinds can be added."""
    return await _list(open_visit(call, "citizen"))


@post("/me/entries/new", status_code=200, operation_id="page_me_entry_form", **CITIZEN)
async def entry_form(call: NamedDependency[Call]) -> Response[bytes]:
    """The form of one kind."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _form(visit, {"kind": form.get("kind", "")})


@post("/me/entries", operation_id="page_me_entry_add", **CITIZEN)
async def add_entry(call: NamedDependency[Call]) -> Response[bytes]:
    """Add it; once, however often the button is pressed."""
    visit = open_visit(call, "citizen")
    typed = await visit.form()
    kind = await _kind(visit, typed.get("kind", ""))
    if kind is None:
        return await _list(visit)
    done = await visit.send("POST", STATEMENTS, body_of(kind, typed), headers=once_of(typed))
    return await _form(visit, typed, done) if isinstance(done, Refused) else visit.go("/me/entries")


@get("/me/entries/{entry_id:uuid}/change", operation_id="page_me_entry_change_form", **CITIZEN)
async def change_form(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One that stands, to be said anew."""
    visit = open_visit(call, "citizen")
    one = await _standing(visit, entry_id)
    kind = await _kind(visit, one["kind"])
    return await _form(visit, typed_of(kind, one["item"]) if kind else {"kind": ""}, before=one)


@post("/me/entries/{entry_id:uuid}/change", operation_id="page_me_entry_change", **CITIZEN)
async def change_entry(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Say it anew: all that stood goes, and a doctor has to look again."""
    visit = open_visit(call, "citizen")
    typed = await visit.form()
    one = await _standing(visit, entry_id)
    kind = await _kind(visit, one["kind"])
    body = body_of(kind, typed) if kind else {"kind": one["kind"]}
    done = await visit.send("PUT", f"{STATEMENTS}/{entry_id}", body)
    if isinstance(done, Refused):
        return await _form(visit, {**typed, "kind": one["kind"]}, done, before=one)
    return visit.go("/me/entries")


@post("/me/entries/{entry_id:uuid}/withdraw", operation_id="page_me_entry_withdraw", **CITIZEN)
async def withdraw_entry(entry_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Take one back."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", f"{STATEMENTS}/{entry_id}/withdraw")
    return await _list(visit, done) if isinstance(done, Refused) else visit.go("/me/entries")


async def _kind(visit: Visit, name: str) -> dict[str, Any] | None:
    choices = await visit.read(f"{STATEMENTS}/choices")
    return next((one for one in choices["items"] if one["kind"] == name), None)


async def _standing(visit: Visit, entry_id: UUID) -> dict[str, Any]:
    """One that this reader may change; papers and doses have forms of their own. Raises not-found."""
    items: list[dict[str, Any]] = (await visit.read(STATEMENTS))["items"]
    found = next((one for one in items if one["statement_id"] == str(entry_id)), None)
    if found is None or not found["may_change"] or found["kind"] in ELSEWHERE:
        refuse(NOT_FOUND)
    return found


async def _list(visit: Visit, problem: Refused | None = None) -> Response[bytes]:
    found, choices = await visit.read(STATEMENTS), await visit.ask(f"{STATEMENTS}/choices")
    return visit.show(
        "citizen/own_entries.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="documents",
        said=found["items"],
        kinds=[] if isinstance(choices, Refused) else choices["items"],
        kinds_en=KINDS_EN,
        **SHOWING,
    )


async def _form(
    visit: Visit,
    typed: dict[str, str],
    problem: Refused | None = None,
    before: dict[str, Any] | None = None,
) -> Response[bytes]:
    kind = await _kind(visit, typed["kind"])
    if kind is None:
        return await _list(visit)
    return visit.show(
        "citizen/own_entry_form.html",
        TITLE_NEW,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="documents",
        kind=kind,
        before=before,
        action=f"/me/entries/{before['statement_id']}/change" if before else "/me/entries",
        name=kind["title_vi"] if visit.display.language == "vi" else KINDS_EN[kind["kind"]],
        fields=fields_of(kind),
        typed=typed,
        wrong=wrong_field(problem.where) if problem else "",
        once=new_key(),
        relatives=RELATIVES if visit.book else {},
    )


handlers: list[Any] = [entries, entry_form, add_entry, change_form, change_entry, withdraw_entry]
