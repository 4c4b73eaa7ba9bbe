"""Reactions after vaccination: what is wrong, what to do now, and what became of it."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from kernel.problems import Refused

TITLE = ("Báo phản ứng sau tiêm", "Report a reaction")
REACTIONS: Final = "/v1/me/vaccination/reactions"
# The sign whose temperature can be told.
FEVER: Final = "fever"


@get("/me/vaccination/reaction", operation_id="page_me_reactions", **CITIZEN)
async def reactions(call: NamedDependency[Call]) -> Response[bytes]:
    """What to do in an emergency, the signs to tick, and what was reported."""
    return await _form(open_visit(call, "citizen"), {})


@post("/me/vaccination/reaction", operation_id="page_me_report_reaction", **CITIZEN)
async def report(call: NamedDependency[Call]) -> Response[bytes]:
    """Report the ticked signs; the dose is looked up."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"symptoms": symptoms_of(form)}
    done = await visit.send("POST", f"{REACTIONS}/quick", body, headers=once_of(form))
    if isinstance(done, Refused):
        return await _form(visit, form, done)
    return visit.go(f"/me/vaccination/reaction/{done['reaction_id']}")


async def _form(visit: Visit, typed: dict[str, str], problem: Refused | None = None) -> Response[bytes]:
    choices = await visit.read(f"{REACTIONS}/choices")
    return visit.show(
        "citizen/reactions.html",
        TITLE,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=typed,
        once=typed.get("once") or new_key(),
        choices=choices,
        fever=FEVER,
        reports=(await visit.read(REACTIONS))["items"],
    )


@get("/me/vaccination/reaction/{reaction_id:uuid}", operation_id="page_me_reaction", **CITIZEN)
async def one(reaction_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One report: what to do first, then what became of it."""
    return await _one(open_visit(call, "citizen"), reaction_id)


@post("/me/vaccination/reaction/{reaction_id:uuid}/more", operation_id="page_me_add_to_reaction", **CITIZEN)
async def more(reaction_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """It changed: all signs that there are now."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"symptoms": symptoms_of(form)}
    done = await visit.send("POST", f"{REACTIONS}/{reaction_id}/symptoms", body)
    return await _one(visit, reaction_id, done if isinstance(done, Refused) else None)


@post("/me/vaccination/reaction/{reaction_id:uuid}/withdraw", operation_id="page_me_end_reaction", **CITIZEN)
async def withdraw(reaction_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Take back a report that was a mistake."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", f"{REACTIONS}/{reaction_id}/withdraw")
    return await _one(visit, reaction_id, done if isinstance(done, Refused) else None)


async def _one(visit: Visit, reaction_id: UUID, problem: Refused | None = None) -> Response[bytes]:
    found = await visit.read(f"{REACTIONS}/{reaction_id}")
    choices = await visit.read(f"{REACTIONS}/choices")
    return visit.show(
        "citizen/reaction.html",
        TITLE,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        report=found,
        choices=choices,
        fever=FEVER,
        typed={},
        said=words_of(found, choices, english=visit.display.language == "en"),
    )


def words_of(report: dict[str, Any], choices: dict[str, Any], *, english: bool) -> list[str]:
    """The signs of a report in words; one that is offered no more is left out."""
    known = {one["code"]: one["en" if english else "vi"] for one in choices["symptoms"]}
    return [known[one["code"]] for one in report["symptoms"] if one["code"] in known]


def symptoms_of(form: dict[str, str]) -> list[dict[str, Any]]:
    """The ticked signs; a fever with its temperature, however the decimal is written."""
    codes = [name.removeprefix("sign.") for name in form if name.startswith("sign.")]
    try:
        celsius = float(form.get("celsius", "").replace(",", "."))
    except ValueError:
        return [{"code": code} for code in codes]
    return [{"code": code, "celsius": celsius} if code == FEVER else {"code": code} for code in codes]


handlers: list[Any] = [reactions, report, one, more, withdraw]
