"""A grant agreed to once more: one that was held, or one that runs out. The browser's key signs both."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.grants_view import grant_card, renewal_facts, renewal_of
from api.pages.citizen.sharing import GRANTS, show_grant
from api.pages.scope_words import duration
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.grants.renewal import RENEW_TYP
from kernel.problems import Refused

RENEW: Final = ("Cho xem tiếp", "Let them go on reading")


@post("/me/sharing/grants/{grant_id:uuid}/confirm", operation_id="page_me_grant_confirm", **CITIZEN)
async def confirm(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """A grant that was held stands again, as it was."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("POST", f"{GRANTS}/{grant_id}/confirm", {"signed": signed_act(form)})
    if isinstance(done, Refused):
        return await show_grant(visit, grant_id, problem=done)
    return visit.go(f"/me/sharing/grants/{grant_id}")


@get("/me/sharing/grants/{grant_id:uuid}/renew", operation_id="page_me_grant_renew", **CITIZEN)
async def look(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words; nothing goes on yet."""
    return await _show(open_visit(call, "citizen"), grant_id)


@post("/me/sharing/grants/{grant_id:uuid}/renew", operation_id="page_me_grant_renewed", **CITIZEN)
async def renew(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """The new version, which takes the place of the old one."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    grant = (await visit.read(f"{GRANTS}/{grant_id}"))["grant"]
    body = renewal_of(grant) | {"signed": signed_act(form)}
    done = await visit.send("POST", f"{GRANTS}/{grant_id}/renew", body)
    if isinstance(done, Refused):
        return await _show(visit, grant_id, problem=done)
    return visit.go(f"/me/sharing/grants/{done['grant_id']}")


async def _show(visit: Visit, grant_id: UUID, *, problem: Refused | None = None) -> Shown:
    grant, english = (await visit.read(f"{GRANTS}/{grant_id}"))["grant"], visit.display.language == "en"
    card = grant_card(grant, english=english)
    can_sign = card["can_renew"] and not visit.book
    return visit.show(
        "citizen/grant_renew.html",
        RENEW,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        grant=card,
        length=duration(renewal_of(grant)["duration_seconds"], english=english),
        signing=await text_to_sign(visit, RENEW_TYP, **renewal_facts(grant)) if can_sign else None,
    )


handlers: list[Any] = [confirm, look, renew]
