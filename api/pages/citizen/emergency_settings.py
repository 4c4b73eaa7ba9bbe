"""What an emergency doctor does not see: leaving out more is a click, letting in again needs the key."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.citizen.emergency_view import PARTS, withheld_of
from api.pages.citizen.whose import in_own_book
from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.signing import signed_act, text_to_sign
from api.request import Call
from consent.emergency.personal import SETTINGS_TYP
from kernel.problems import Refused

PATH: Final = "/me/emergency/settings"
SETTINGS: Final = "/v1/me/emergency-access/settings"
TITLE: Final = ("Bác sĩ cấp cứu xem được gì", "What an emergency doctor sees")


@get(PATH, operation_id="page_me_emergency_settings", **CITIZEN)
async def settings(call: NamedDependency[Call]) -> Response[Any]:
    """Each part, seen or left out."""
    return await _show(open_visit(call, "citizen"))


@get(f"{PATH}/saved", operation_id="page_me_emergency_settings_saved", **CITIZEN)
async def saved(call: NamedDependency[Call]) -> Response[Any]:
    """The same after it was changed."""
    return await _show(open_visit(call, "citizen"), is_saved=True)


@post(f"{PATH}/review", operation_id="page_me_emergency_settings_review", status_code=200, **CITIZEN)
async def review(call: NamedDependency[Call]) -> Response[Any]:
    """Leave out more at once; what is let in again is shown, to be signed."""
    visit = open_visit(call, "citizen")
    wanted, own = withheld_of(await visit.form()), in_own_book(visit)
    kept = (await own.read(SETTINGS))["withheld"]
    if not set(kept) - set(wanted):
        done = await own.send("PUT", SETTINGS, {"withheld": wanted})
        return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go(f"{PATH}/saved")
    signing = await text_to_sign(own, SETTINGS_TYP, withheld=wanted)
    members: dict[str, Any] = {"signing": signing, **_parts(visit, wanted)}
    return visit.show("citizen/emergency_settings_review.html", TITLE, nav="sharing", **members)


@post(PATH, operation_id="page_me_emergency_settings_set", **CITIZEN)
async def choose(call: NamedDependency[Call]) -> Response[Any]:
    """From the next request on, what the key signed."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"withheld": withheld_of(form), "signed": signed_act(form)}
    done = await in_own_book(visit).send("PUT", SETTINGS, body)
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go(f"{PATH}/saved")


async def _show(visit: Visit, *, problem: Refused | None = None, is_saved: bool = False) -> Response[Any]:
    """Of oneself, whoever's book is open: nobody leaves out anything for another."""
    found = await in_own_book(visit).read(SETTINGS)
    return visit.show(
        "citizen/emergency_settings.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="sharing",
        is_saved=is_saved,
        **_parts(visit, found["withheld"]),
    )


def _parts(visit: Visit, withheld: list[str]) -> dict[str, Any]:
    """Names and words of the parts, and of those which are left out."""
    english = visit.display.language == "en"
    return {
        "parts": [(name, words[english]) for name, words in PARTS.items()],
        "withheld": withheld,
        "left_out": [words[english] for name, words in PARTS.items() if name in withheld],
    }


handlers: list[Any] = [settings, saved, review, choose]
