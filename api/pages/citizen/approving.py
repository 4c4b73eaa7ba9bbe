"""Yes to a request, in two steps: what exactly will be signed, and the browser's key over that very text."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.grants_view import grant_card
from api.pages.citizen.requests import LIST, show_request, show_waiting
from api.pages.citizen.requests_view import Choice, card, chosen, sentence_case
from api.pages.citizen.whose import relative_of_book
from api.pages.scope_words import LABELS, duration, kinds, said
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.approval import APPROVE_TYP
from consent.problems import (
    CHALLENGE_DEAD,
    REQUEST_DECIDED,
    REQUEST_EXPIRED,
    UNKNOWN_REQUEST,
)
from kernel.clock import local_day
from kernel.problems import Refused

REVIEW: Final = ("Xem lại trước khi đồng ý", "Look once more before you agree")
DONE: Final = ("Bạn đã cho phép xem sổ", "You let somebody read")
# There is nothing left to answer.
_OVER: Final = (UNKNOWN_REQUEST, REQUEST_DECIDED, REQUEST_EXPIRED, CHALLENGE_DEAD)


@post(
    "/me/requests/{request_id:uuid}/review", operation_id="page_me_request_review", status_code=200, **CITIZEN
)
async def review(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words; nothing is allowed yet."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    request = await visit.ask(f"{LIST}/{request_id}")
    if isinstance(request, Refused):
        return await show_waiting(visit, problem=request)
    choice = chosen(form, request, local_day(call.now))
    if isinstance(choice, list):
        return await show_request(visit, request, form, wrong=choice)
    return await _show_review(visit, request, choice)


@post("/me/requests/{request_id:uuid}/approve", operation_id="page_me_request_approve", **CITIZEN)
async def approve(request_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """The signed answer goes to the service, which decides about every part of it anew."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    request = await visit.ask(f"{LIST}/{request_id}")
    if isinstance(request, Refused):
        return await show_waiting(visit, problem=request)
    choice = chosen(form, request, local_day(call.now))
    if isinstance(choice, list):
        return await show_request(visit, request, form, wrong=choice)
    body = choice.body(request) | {"signed": signed_act(form)}
    done = await visit.send("POST", f"{LIST}/{request_id}/approve", body)
    return await _after(visit, request, form, done)


@get("/me/requests/allowed/{grant_id:uuid}", operation_id="page_me_request_allowed", **CITIZEN)
async def allowed(grant_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """What was allowed, until when, and how it ends."""
    visit = open_visit(call, "citizen")
    found = await visit.read(f"/v1/me/grants/{grant_id}")
    grant = grant_card(found["grant"], english=visit.display.language == "en")
    return visit.show("citizen/request_allowed.html", DONE, nav="requests", grant=grant)


async def _after(visit: Visit, request: dict[str, Any], form: dict[str, str], done: Any | Refused) -> Shown:
    if not isinstance(done, Refused):
        return visit.go(f"/me/requests/allowed/{done['grant_id']}")
    if done.remaining == 0:
        done = Refused(problem=CHALLENGE_DEAD)
    if done.problem in _OVER:
        return await show_waiting(visit, problem=done)
    # Digits serve once: they are typed anew.
    kept = {name: value for name, value in form.items() if name != "digits"}
    return await show_request(visit, request, kept, problem=done)


async def _show_review(visit: Visit, request: dict[str, Any], choice: Choice) -> Shown:
    english = visit.display.language == "en"
    signing = await text_to_sign(visit, APPROVE_TYP, **choice.facts(request, for_another=bool(visit.book)))
    left = [name for name in request["types"] if name not in choice.types]
    return visit.show(
        "citizen/request_review.html",
        REVIEW,
        nav="requests",
        request=card(request, english=english),
        choice=choice,
        kinds=kinds(choice.types, english=english),
        left_out=kinds(left, english=english),
        sensitive=[sentence_case(said(LABELS, name, english=english)) for name in choice.labels],
        labels_left=[
            said(LABELS, name, english=english)
            for name in request["labels_left_out"]
            if name not in choice.labels
        ],
        length=duration(choice.duration_seconds, english=english),
        signing=signing,
        person=await relative_of_book(visit),
    )


handlers: list[Any] = [review, approve, allowed]
