"""The kiosk's screen: a code for phones, one field for whatever is shown to it, a number, and back again.

GET  /kiosk            the start, which draws its code anew every half minute
POST /kiosk            what was shown: the number, or why there is none; by itself back to the start
GET  /kiosk/again      the start in its first language: whoever chose another has left
GET, POST /kiosk/set-up, /kiosk/questions
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.browser import cookie, drop_cookie, set_cookie
from api.pages.kiosk_view import EMPTY, ahead_of, told
from api.pages.kiosk_visit import KEY_SECONDS, TOKEN_SECONDS, KioskVisit, new_token, open_kiosk
from api.pages.showing import KIOSK, any_visit
from api.request import Call
from identity.problems import SIGN_IN_REFUSED
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

START = ("Lấy số thứ tự", "Get a number")
WALL = ("Màn hình quầy", "The counter's screen")
SET_UP = ("Lắp đặt ki-ốt", "Set up the kiosk")
# What is for one person leads back to the start by itself, also where no script came.
PASSING = {"Refresh": "20; url=/kiosk/again"}


@get("/kiosk", operation_id="page_kiosk", **KIOSK)
async def start(call: NamedDependency[Call]) -> Response[bytes]:
    """Where it stands, the code of its counter, and the field."""
    visit = await open_kiosk(call)
    station = await visit.ask("/v1/kiosk")
    if isinstance(station, Refused):
        return visit.show("kiosk/stopped.html", START, told=told(station))
    picture = await visit.picture("/v1/kiosk/screen.svg")
    return visit.show("kiosk/start.html", START, station=station, picture=picture)


@get("/kiosk/again", operation_id="page_kiosk_again", **KIOSK)
async def again(call: NamedDependency[Call]) -> Response[bytes]:
    """The start, as if nobody had been there."""
    visit = await open_kiosk(call)
    return visit.go("/kiosk", [drop_cookie(call, "display"), drop_cookie(call, "visit")])


@post("/kiosk", operation_id="page_kiosk_scan", **KIOSK)
async def take_number(call: NamedDependency[Call]) -> Response[bytes]:
    """A number for what was shown. The text goes on to the service and nowhere else."""
    visit = await open_kiosk(call)
    scan = (await visit.form()).get("scan", "")
    if not scan.strip():
        return visit.show("kiosk/refused.html", START, status=400, headers=PASSING, told=EMPTY)
    given = await visit.send("POST", "/v1/kiosk/scans", {"scan": scan})
    if isinstance(given, Refused):
        status = given.problem.status
        return visit.show("kiosk/refused.html", START, status=status, headers=PASSING, told=told(given))
    return await _ticket(visit, given)


async def _ticket(visit: KioskVisit, given: dict[str, Any]) -> Response[bytes]:
    station = await visit.ask("/v1/kiosk")
    line = await visit.ask(f"/v1/facility/counters/{given['counter_id']}/line", limit=PAGE_MAX)
    ahead = None if isinstance(line, Refused) else ahead_of(line, given["number"])
    called = None if isinstance(line, Refused) else line["called"]
    known = None if isinstance(station, Refused) else station
    return visit.show(
        "kiosk/ticket.html",
        ("Số của bạn", "Your number"),
        headers=PASSING,
        given=given,
        station=known,
        ahead=ahead,
        called=called,
    )


@get("/kiosk/wall", operation_id="page_kiosk_wall", **KIOSK)
async def wall(call: NamedDependency[Call]) -> Response[bytes]:
    """A wall's screen under a device's own key, which needs nobody to be signed in for a day."""
    visit = await open_kiosk(call)
    station = await visit.ask("/v1/kiosk")
    if isinstance(station, Refused):
        return visit.show("kiosk/stopped.html", WALL, told=told(station))
    every = (await visit.read("/v1/facility/counters"))["items"]
    counter = next(one for one in every if one["code"] == station["counter_code"])
    line = await visit.read(f"/v1/facility/counters/{counter['counter_id']}/line", limit=1)
    picture = await visit.picture("/v1/kiosk/screen.svg")
    members = {"counter": counter, "line": line, "picture": picture, "house": station["facility_name"]}
    return visit.show("kiosk/wall.html", WALL, **members)


@get("/kiosk/questions", operation_id="page_kiosk_questions", **KIOSK)
async def questions(call: NamedDependency[Call]) -> Response[bytes]:
    """What may be asked about, and the field for a question."""
    visit = await open_kiosk(call)
    return await _questions(visit, "", None)


@post("/kiosk/questions", operation_id="page_kiosk_question", **KIOSK)
async def answer_question(call: NamedDependency[Call]) -> Response[bytes]:
    """What reviewed articles say to it. The question is kept nowhere."""
    visit = await open_kiosk(call)
    question = (await visit.form()).get("question", "").strip()[:300]
    if not question:
        return await _questions(visit, "", None)
    return await _questions(
        visit, question, await visit.send("POST", "/v1/kiosk/questions", {"question": question})
    )


async def _questions(visit: KioskVisit, question: str, said: Any) -> Response[bytes]:
    refused = said if isinstance(said, Refused) else None
    titles = [] if said else (await visit.read("/v1/kiosk/articles"))["items"]
    return visit.show(
        "kiosk/questions.html",
        ("Hỏi và đáp", "Questions and answers"),
        status=refused.problem.status if refused else 200,
        question=question,
        titles=titles,
        answers=None if refused else said,
        told=told(refused) if refused else None,
    )


@get("/kiosk/set-up", operation_id="page_kiosk_set_up", **KIOSK)
async def show_set_up(call: NamedDependency[Call]) -> Response[bytes]:
    """The field for the administrator's code; a kiosk that is set up goes to its start."""
    key = cookie(call, "kiosk-key")
    token = await new_token(call, key) if key else None
    if isinstance(token, str):
        return KioskVisit(call, token, key, renewed=True).go("/kiosk")
    visit = any_visit(call, "kiosk")
    if token is not None and token.problem != SIGN_IN_REFUSED:
        return visit.show("kiosk/stopped.html", SET_UP, status=token.problem.status, told=told(token))
    gone = [drop_cookie(call, "kiosk-key")] if key else []
    return visit.show("kiosk/set_up.html", SET_UP, cookies=gone, ended=bool(key))


@post("/kiosk/set-up", operation_id="page_kiosk_enrol", **KIOSK)
async def enrol(call: NamedDependency[Call]) -> Response[bytes]:
    """The device becomes the kiosk that the code was made for, and keeps its key."""
    visit = any_visit(call, "kiosk")
    code = (await visit.form()).get("code", "").strip()[:64]
    made = await visit.send("POST", "/v1/kiosk/enrolments", {"code": code or "-"})
    if isinstance(made, Refused):
        status = made.problem.status
        return visit.show("kiosk/set_up.html", SET_UP, status=status, problem=made, ended=False)
    key = f"{made['client_id']}.{made['client_secret']}"
    kept = [set_cookie(call, "kiosk-key", key, KEY_SECONDS), drop_cookie(call, "visit")]
    token = await new_token(call, key)
    if isinstance(token, str):
        kept.append(set_cookie(call, "kiosk", token, TOKEN_SECONDS))
    return visit.go("/kiosk", kept)


handlers: list[Any] = [start, again, take_number, wall, questions, answer_question, show_set_up, enrol]
