"""What left the book for partners, and what the person lets be done with the data: agreeing needs the key."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.handed_on_view import PURPOSE_KEYS, disclosure_row, facts_of, purpose_card
from api.pages.citizen.whose import relative_of_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, texts_to_sign
from api.problems import NOT_FOUND
from api.request import Call
from consent.purposes.service import PURPOSE_TYP
from kernel.problems import Refused, refuse

GIVEN_PATH: Final = "/me/sharing/given"
USES_PATH: Final = "/me/sharing/uses"
GIVEN: Final = ("Đã gửi cho đối tác", "Given to partners")
USES: Final = ("Dữ liệu được dùng vào việc gì", "What your data is used for")
PURPOSES: Final = "/v1/me/purposes"


@get(GIVEN_PATH, operation_id="page_me_given", **CITIZEN)
async def given(call: NamedDependency[Call]) -> Response[Any]:
    """The newest first."""
    return await _show_given(open_visit(call, "citizen"), None)


@post(GIVEN_PATH, operation_id="page_me_given_more", status_code=200, **CITIZEN)
async def more_given(call: NamedDependency[Call]) -> Response[Any]:
    """Those before."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show_given(visit, form.get("cursor") or None)


@get(USES_PATH, operation_id="page_me_uses", **CITIZEN)
async def uses(call: NamedDependency[Call]) -> Response[Any]:
    """Every purpose, and what was said to each."""
    return await _show_uses(open_visit(call, "citizen"))


@post(USES_PATH, operation_id="page_me_uses_say", **CITIZEN)
async def say(call: NamedDependency[Call]) -> Response[Any]:
    """Yes, which is signed; no; or what was agreed, taken back."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    if form.get("purpose") not in PURPOSE_KEYS:
        refuse(NOT_FOUND)
    said: dict[str, Any] = {name: form.get(name, "") for name in ("version", "lang")}
    said["agreed"] = form.get("agreed") == "yes"
    body = said | ({"signed": signed_act(form)} if said["agreed"] else {})
    done = await visit.send("PUT", f"{PURPOSES}/{form['purpose']}", body)
    return await _show_uses(visit, problem=done) if isinstance(done, Refused) else visit.go(USES_PATH)


async def _show_given(visit: Visit, cursor: str | None) -> Shown:
    found = await visit.read("/v1/me/disclosures", cursor=cursor)
    return visit.show(
        "citizen/given.html",
        GIVEN,
        nav="sharing",
        items=[disclosure_row(one, english=visit.display.language == "en") for one in found["items"]],
        next=found["next"],
        person=await relative_of_book(visit),
    )


async def _show_uses(visit: Visit, *, problem: Refused | None = None) -> Shown:
    english = visit.display.language == "en"
    items = (await visit.read(PURPOSES))["items"]
    clocks = {
        one["purpose"]: (await visit.read(f"{PURPOSES}/{one['purpose']}"))["withdrawals"]
        for one in items
        if one["state"] == "refused"
    }
    cards = [purpose_card(one, clocks.get(one["purpose"], []), english=english) for one in items]
    asked = {one["purpose"]: facts_of(one) for one in cards if one["can_agree"]}
    return visit.show(
        "citizen/uses.html",
        USES,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        purposes=cards,
        signing=await texts_to_sign(visit, PURPOSE_TYP, asked),
        person=await relative_of_book(visit),
    )


handlers: list[Any] = [given, more_given, uses, say]
