"""Today: what to take, where to go, what to look at, who looked (ehr-core.md §5.1).

Parts that this reader is not shown, in a relative's book, are left out. On a device on probation only the
summary is read, with what to do about it.
"""

from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.pages.citizen.entries_view import SHOWING
from api.pages.citizen.today_view import coming, doses_of, due_doses, looks, new_results, open_alerts
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.request import Call
from identity.problems import DEVICE_ON_PROBATION
from kernel.problems import Refused

TITLE: Final = ("Hôm nay", "Today")
ANSWERS: Final = "/v1/me/reminders/answers"
# How often the open page asks whether somebody waits for an answer, ten seconds apart: what asks for ever
# would keep a session alive in front of which nobody sits.
TURNS_MAX: Final = 60
# How many of the newest notices stand on the first page.
NOTICES: Final = 2
Turn = Annotated[int, PathParameter(ge=1, le=TURNS_MAX)]


async def today(visit: Visit, problem: Refused | None = None) -> Shown:
    """The first page of a book. problem: why an answer to a dose was not taken."""
    day = await visit.ask("/v1/me/reminders/day")
    if isinstance(day, Refused) and day.problem is DEVICE_ON_PROBATION:
        return await _on_probation(visit)
    summary = await visit.ask("/v1/me/summary")
    seen = None if isinstance(summary, Refused) else summary
    refused = summary if isinstance(summary, Refused) else None
    shown = problem or (refused if isinstance(day, Refused) else None)
    return visit.show(
        "citizen/today.html",
        TITLE,
        status=shown.problem.status if shown else 200,
        problem=shown,
        nav="today",
        summary=seen,
        doses=None if isinstance(day, Refused) else doses_of(day, visit.call.now),
        results=new_results(seen, visit.call.now) if seen else None,
        **await _beside(visit, seen or {"sections": []}),
        **await _waiting(visit),
        turn=0,
        **SHOWING,
    )


async def _beside(visit: Visit, summary: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the record; None where this reader is not shown it."""
    appointments = await _part(visit, "/v1/me/appointments")
    alerts = await _part(visit, "/v1/me/alerts")
    schedule = await _part(visit, "/v1/me/vaccination/schedule")
    log = await _part(visit, "/v1/me/access-log", kind="read")
    inbox = None if visit.book else await _part(visit, "/v1/me/notifications", limit=NOTICES)
    booked = appointments["items"] if appointments else []
    return {
        "visits": coming(booked, summary, visit.call.now),
        "alerts": open_alerts(alerts["alerts"]) if alerts else [],
        "due": due_doses(schedule) if schedule else None,
        "notices": inbox["items"] if inbox else None,
        "looks": looks(log["items"]) if log else None,
    }


async def _part(visit: Visit, path: str, **query: Any) -> dict[str, Any] | None:
    found = await visit.ask(path, **query)
    return None if isinstance(found, Refused) else found


async def _waiting(visit: Visit) -> dict[str, Any]:
    found = await _part(visit, "/v1/me/access-requests")
    return {"waiting": found["items"] if found else [], "turns_max": TURNS_MAX}


async def _on_probation(visit: Visit) -> Shown:
    """The summary alone, which a new device may read, and a session without a key."""
    summary, me = await visit.read("/v1/me/summary"), await visit.read("/v1/me")
    members = {"summary": summary, "has_key": me["device_id"] is not None}
    return visit.show("citizen/on_probation.html", TITLE, nav="today", **members, **SHOWING)


@get("/me/today/waiting/{turn:int}", operation_id="page_me_today_waiting", **CITIZEN)
async def waiting(turn: FromPath[Turn], call: NamedDependency[Call]) -> Response[bytes]:
    """Who waits for an answer, for the first page while it is open."""
    visit = open_visit(call, "citizen")
    return visit.show("citizen/today_waiting.html", TITLE, turn=turn, **await _waiting(visit))


@post("/me/today/doses", operation_id="page_me_answer_dose", **CITIZEN)
async def answer_dose(call: NamedDependency[Call]) -> Response[bytes]:
    """Taken or skipped: one time of one or more reminders."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    now = call.now.isoformat()
    said = {"due_at": form.get("due_at", ""), "act": form.get("act", ""), "at": now}
    items = [said | {"reminder_id": one} for one in form.get("reminders", "").split(",")]
    done = await visit.send("POST", ANSWERS, {"sent_at": now, "items": items})
    return await today(visit, done) if isinstance(done, Refused) else visit.go("/")


handlers: list[Any] = [waiting, answer_dose]
