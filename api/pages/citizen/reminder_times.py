"""When one is reminded: other times of the day than those that follow from the prescription."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.medicines_view import times_shown, times_typed
from api.pages.showing import CITIZEN, Visit, open_visit
from api.problems import NOT_FOUND
from api.request import Call
from kernel.problems import Refused, refuse

TITLE: Final = ("Giờ nhắc", "Reminder times")
REMINDERS: Final = "/v1/me/reminders"
PAGE: Final = "/me/medicines/reminders/{reminder_id:uuid}/times"


@get(PAGE, operation_id="page_me_reminder_times", **CITIZEN)
async def times(reminder_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The times of one reminder, to be changed."""
    return await _form(open_visit(call, "citizen"), reminder_id)


@post(PAGE, operation_id="page_me_reminder_times_set", **CITIZEN)
async def set_times(reminder_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Be reminded at these times from now on."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("PUT", f"{REMINDERS}/{reminder_id}/times", times_typed(form))
    if isinstance(done, Refused):
        return await _form(visit, reminder_id, form, done)
    return visit.go("/me/medicines")


async def _form(
    visit: Visit, reminder_id: UUID, typed: dict[str, str] | None = None, problem: Refused | None = None
) -> Response[bytes]:
    reminders = (await visit.read(REMINDERS))["items"]
    one = next((one for one in reminders if one["reminder_id"] == str(reminder_id)), None)
    if one is None:
        refuse(NOT_FOUND)
    again = [value for name, value in (typed or {}).items() if name.startswith("time-")]
    return visit.show(
        "citizen/reminder_times.html",
        TITLE,
        nav="medicines",
        status=problem.problem.status if problem else 200,
        problem=problem,
        one=one,
        times=again or times_shown(one),
        days=(typed or {}).get("days", ""),
    )


handlers: list[Any] = [times, set_times]
