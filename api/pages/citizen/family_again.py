"""What the person says anew of somebody who acts for them, with the browser's key: that a proxy goes on, and
which sensitive vaccinations a guardian may see of somebody from 15 on."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.citizen.family import TICK_TYP
from api.pages.citizen.family_view import GUARDIAN_LABELS, MONTHS, last_day, relative_card
from api.pages.citizen.requests_view import LABEL, sentence_case
from api.pages.citizen.whose import in_own_book
from api.pages.scope_words import LABELS, said
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from family.problems import UNKNOWN_LINK
from family.proxies import RENEW_TYP
from kernel.clock import local_day
from kernel.problems import Refused, refuse

RENEW: Final = ("Gia hạn người thay mặt", "Let somebody go on acting for you")
SEES: Final = ("Người giám hộ được xem gì", "What a guardian may see")
Id = FromPath[UUID]


@get("/me/family/{person_id:uuid}/renew", operation_id="page_me_family_renew", **CITIZEN)
async def renewing(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """Until when; nothing is chosen beforehand."""
    return await _show_renewal(open_visit(call, "citizen"), person_id, {})


@post(
    "/me/family/{person_id:uuid}/renew/review",
    operation_id="page_me_family_renew_review",
    status_code=200,
    **CITIZEN,
)
async def review_renewal(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    return await _show_renewal(visit, person_id, await visit.form(), is_review=True)


@post("/me/family/{person_id:uuid}/renew", operation_id="page_me_family_renewed", **CITIZEN)
async def renew(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """They go on until that day."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    until = last_day(form.get("months", ""), local_day(call.now))
    body = {"until": until.isoformat() if until else "", "signed": signed_act(form)}
    done = await in_own_book(visit).send("POST", f"/v1/me/proxies/{person_id}/renew", body)
    if isinstance(done, Refused):
        return await _show_renewal(visit, person_id, form, problem=done)
    return visit.go("/me/family")


@get("/me/family/{person_id:uuid}/labels", operation_id="page_me_family_labels", **CITIZEN)
async def choosing(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """Which of them; nothing is ticked beforehand."""
    return await _show_labels(open_visit(call, "citizen"), person_id, {})


@post(
    "/me/family/{person_id:uuid}/labels/review",
    operation_id="page_me_family_labels_review",
    status_code=200,
    **CITIZEN,
)
async def review_labels(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    return await _show_labels(visit, person_id, await visit.form(), is_review=True)


@post("/me/family/{person_id:uuid}/labels", operation_id="page_me_family_labels_set", **CITIZEN)
async def set_labels(person_id: Id, call: NamedDependency[Call]) -> Response[Any]:
    """In the place of what was chosen before."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"labels": _ticked(form), "signed": signed_act(form)}
    done = await in_own_book(visit).send("PUT", f"/v1/me/family/{person_id}/labels", body)
    if isinstance(done, Refused):
        return await _show_labels(visit, person_id, form, problem=done)
    return visit.go("/me/family")


async def _show_renewal(
    visit: Visit,
    person_id: UUID,
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    is_review: bool = False,
) -> Shown:
    one = await _of_mine(visit, person_id, "proxy")
    until = last_day(form.get("months", ""), local_day(visit.call.now)) if is_review else None
    facts = {"proxy_id": str(person_id), "until": until.isoformat()} if until else None
    wrong = is_review and not until
    return visit.show(
        "citizen/family_renew.html",
        RENEW,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="family",
        one=one,
        months=MONTHS,
        until=until,
        wrong=wrong,
        typed=form,
        signing=await text_to_sign(in_own_book(visit), RENEW_TYP, **facts) if facts else None,
    )


async def _show_labels(
    visit: Visit,
    person_id: UUID,
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    is_review: bool = False,
) -> Shown:
    one, english = await _of_mine(visit, person_id, "guardian"), visit.display.language == "en"
    facts, own = {"guardian_id": str(person_id), "labels": _ticked(form)}, in_own_book(visit)
    words = {name: sentence_case(said(LABELS, name, english=english)) for name in GUARDIAN_LABELS}
    return visit.show(
        "citizen/family_labels.html",
        SEES,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="family",
        one=one,
        boxes=[(LABEL + name, text, LABEL + name in form) for name, text in words.items()],
        chosen=[words[name] for name in _ticked(form)],
        fields={LABEL + name: "1" for name in _ticked(form)},
        is_review=is_review,
        signing=await text_to_sign(own, TICK_TYP, **facts) if is_review else None,
    )


async def _of_mine(visit: Visit, person_id: UUID, relation: str) -> dict[str, Any]:
    """Who acts for the person in that way. Raises link-unknown."""
    found = (await in_own_book(visit).read("/v1/me/family"))["items"]
    mine = (one for one in found if (one["acts"], one["relation"]) == ("for-me", relation))
    one = next((one for one in mine if one["person_id"] == str(person_id)), None) or refuse(UNKNOWN_LINK)
    return relative_card(one, english=visit.display.language == "en")


def _ticked(form: dict[str, str]) -> list[str]:
    return sorted(name for name in GUARDIAN_LABELS if LABEL + name in form)


handlers: list[Any] = [renewing, review_renewal, renew, choosing, review_labels, set_labels]
