"""Reception: the code on the person's phone, on the way in and out; what a card says; a typed number.
The answers name nobody: they say that it happened."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, problem_of, status_of
from api.pages.facility.words import Words
from api.pages.uploading import once_of
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Tiếp đón", "Reception")
IN: Final[Words] = ("Đã ghi nhận người đến.", "The arrival was noted.")
OUT: Final[Words] = ("Đã ghi nhận người về.", "The leave was noted.")
READ: Final[Words] = ("Đã đọc được.", "It was read.")
TYPED: Final[Words] = ("Đã ghi người đến bằng số giấy tờ.", "An arrival was noted by the number.")


@get("/facility/desk", operation_id="page_facility_desk", **FACILITY)
async def show_desk(call: NamedDependency[Call]) -> Response[bytes]:
    """The fields, ready for a scanner."""
    return await _desk(await open_desk(call))


@post("/facility/desk/check-ins", operation_id="page_facility_check_in", **FACILITY)
async def check_in(call: NamedDependency[Call]) -> Response[bytes]:
    """Somebody is here: the code of the phone."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"qr": form.get("qr", "") or " ", "counter_id": form.get("counter_id")}
    done = await visit.send("POST", "/v1/facility/check-ins", body)
    return await _desk(visit, done, told=IN, counter_id=form.get("counter_id", ""))


@post("/facility/desk/check-outs", operation_id="page_facility_check_out", **FACILITY)
async def check_out(call: NamedDependency[Call]) -> Response[bytes]:
    """Somebody leaves: the code of the phone."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", "/v1/facility/check-outs", {"qr": form.get("qr", "") or " "})
    return await _desk(visit, done, told=OUT)


@post("/facility/desk/arrivals", operation_id="page_facility_arrival", **FACILITY)
async def note_arrival(call: NamedDependency[Call]) -> Response[bytes]:
    """Somebody came with a card and no phone. The answer is the same whoever has the number, or nobody."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {name: form.get(name, "").strip() for name in ("number", "name", "birth_date", "sex")}
    body["birth_date"] = written_date(body["birth_date"])
    chosen = {"counter_id": form["counter_id"]} if form.get("counter_id") else {}
    done = await visit.send("POST", "/v1/facility/arrivals", {**body, **chosen}, headers=once_of(form))
    typed = form if isinstance(done, Refused) else {}
    return await _desk(visit, done, told=TYPED, typed=typed, counter_id=form.get("counter_id", ""))


@post("/facility/desk/scans", operation_id="page_facility_scan", **FACILITY)
async def read_scan(call: NamedDependency[Call]) -> Response[bytes]:
    """What a card, a code or a paper is; what a card says goes into the form of an arrival."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", "/v1/facility/scans/read", {"text": form.get("text", "") or " "})
    if isinstance(done, Refused):
        return await _desk(visit, done)
    return await _desk(visit, done, told=READ, scanned=done, typed=card_of(done))


async def _desk(visit: DeskVisit, done: Any = None, **more: Any) -> Response[bytes]:
    counters = (await visit.read("/v1/facility/counters"))["items"]
    refused = problem_of(done)
    result = None if refused else done
    members = {"told": None, "typed": {}, "scanned": None, "counter_id": "", **more}
    return visit.show(
        "facility/desk.html",
        TITLE,
        nav="desk",
        status=status_of(done),
        problem=refused,
        result=result,
        counters=counters,
        **members,
    )


def written_date(text: str) -> str:
    """A date as people write it, `23/11/1985`, in the form of the contract; other texts stay."""
    parts = text.replace("-", "/").replace(".", "/").split("/")
    is_day_first = len(parts) > 1 and len(parts[-1]) == 4 and all(part.isdigit() for part in parts)
    return "-".join(part.zfill(2) for part in reversed(parts)) if is_day_first else text


def card_of(scanned: dict[str, Any]) -> dict[str, str]:
    """What an identity card says, for the fields of an arrival."""
    card = scanned.get("card") or {}
    said = {"number": card.get("national_id")} | {
        name: card.get(name) for name in ("name", "birth_date", "sex")
    }
    return {name: value for name, value in said.items() if value}


handlers: list[Any] = [show_desk, check_in, check_out, note_arrival, read_scan]
