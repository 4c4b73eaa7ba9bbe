"""Who is told by SMS when a doctor opens the book in an emergency; naming somebody needs the key."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.emergency_view import NAME_MAX, RELATIONS, contact_typed, contact_words, contact_wrong
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.emergency_card.contacts import CONTACT_TYP
from consent.emergency_card.problems import UNKNOWN_CONTACT
from kernel.problems import Refused

PATH: Final = "/me/emergency/contacts"
CONTACTS: Final = "/v1/me/emergency-contacts"
TITLE: Final = ("Người được báo khi cấp cứu", "Whom to tell in an emergency")


@get(PATH, operation_id="page_me_emergency_contacts", **CITIZEN)
async def contacts(call: NamedDependency[Call]) -> Response[Any]:
    """Who agreed, who was asked, and the form for another."""
    return await _show(open_visit(call, "citizen"), {})


@post(f"{PATH}/review", operation_id="page_me_emergency_contact_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """What will be signed, in words."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wrong = contact_wrong(form)
    if wrong:
        return await _show(visit, form, wrong=wrong)
    facts = contact_typed(form)
    signing = await text_to_sign(visit, CONTACT_TYP, **facts)
    members: dict[str, Any] = {
        "facts": facts,
        "signing": signing,
        "relation": _words(visit, facts["relation"]),
    }
    return visit.show("citizen/emergency_contact_review.html", TITLE, nav="sharing", **members)


@post(PATH, operation_id="page_me_emergency_contact_name", **CITIZEN)
async def name(call: NamedDependency[Call]) -> Response[Any]:
    """The code goes to that phone; whoever has it answers there."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    wrong = contact_wrong(form)
    if wrong:
        return await _show(visit, form, wrong=wrong)
    done = await visit.send("POST", CONTACTS, contact_typed(form) | {"signed": signed_act(form)})
    return await _show(visit, form, problem=done) if isinstance(done, Refused) else visit.go(PATH)


@post(f"{PATH}/{{contact_id:uuid}}/remove", operation_id="page_me_emergency_contact_remove", **CITIZEN)
async def remove(contact_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """They are told nothing any more, nor of this."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("DELETE", f"{CONTACTS}/{contact_id}")
    if isinstance(done, Refused) and done.problem is not UNKNOWN_CONTACT:
        return await _show(visit, {}, problem=done)
    return visit.go(PATH)


async def _show(
    visit: Visit,
    form: dict[str, str],
    *,
    problem: Refused | None = None,
    wrong: dict[str, tuple[str, str]] | None = None,
) -> Shown:
    english = visit.display.language == "en"
    found = await visit.read(CONTACTS)
    return visit.show(
        "citizen/emergency_contacts.html",
        TITLE,
        status=problem.problem.status if problem else 422 if wrong else 200,
        problem=problem,
        nav="sharing",
        contacts=[contact_words(one, english=english) for one in found["items"]],
        relations=[(key, words[english]) for key, words in RELATIONS.items()],
        typed=form,
        wrong={field: words[english] for field, words in (wrong or {}).items()},
        name_max=NAME_MAX,
        person=await relative_of_book(visit),
    )


def _words(visit: Visit, relation: str) -> str:
    return next(words[visit.display.language == "en"] for key, words in RELATIONS.items() if key == relation)


handlers: list[Any] = [contacts, review, name, remove]
