"""Counters: the list, one counter with its line, its screen for a wall, its poster."""

from typing import Any
from uuid import UUID, uuid4

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, problem_of, status_of
from api.pages.pictures import svg_address
from api.pages.uploading import once_of
from api.request import Call
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

TITLE = ("Quầy và số thứ tự", "Counters and lines")
BASE = "/v1/facility/counters"
ONE = "/facility/counters/{counter_id:uuid}"


@get("/facility/counters", operation_id="page_facility_counters", **FACILITY)
async def list_counters(call: NamedDependency[Call]) -> Response[bytes]:
    """The open counters."""
    return await _list(await open_desk(call), None, {})


@post("/facility/counters", operation_id="page_facility_counter_open", **FACILITY)
async def open_counter(call: NamedDependency[Call]) -> Response[bytes]:
    """Open one."""
    visit = await open_desk(call)
    form = await visit.form()
    new = {"code": form.get("code", "").strip().upper(), "name": form.get("name", "").strip()}
    new |= {"unit_id": form["unit_id"]} if form.get("unit_id") else {}
    body = {"reason": form.get("reason", "").strip(), "counter": new}
    done = await visit.send("POST", BASE, body, headers=once_of(form))
    if isinstance(done, Refused):
        return await _list(visit, done, form)
    return visit.did("counter-opened", f"/facility/counters/{done['counter_id']}")


async def _list(visit: DeskVisit, problem: Refused | None, typed: dict[str, str]) -> Response[bytes]:
    counters = (await visit.read(BASE))["items"]
    units = (await visit.read("/v1/facility/units"))["items"]
    names = {one["unit_id"]: one["name"] for one in units}
    return visit.show(
        "facility/counters.html",
        TITLE,
        nav="counters",
        status=status_of(problem),
        problem=problem,
        counters=counters,
        units=units,
        names=names,
        typed=typed,
    )


@get(ONE, operation_id="page_facility_counter", **FACILITY)
async def show_counter(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A counter with who waits. Numbers name nobody."""
    return await _one(await open_desk(call), counter_id)


async def _one(visit: DeskVisit, counter_id: UUID, **more: Any) -> Response[bytes]:
    line = await visit.read(f"{BASE}/{counter_id}/line", limit=PAGE_MAX)
    every = (await visit.read(BASE))["items"]
    counter = next(one for one in every if one["counter_id"] == str(counter_id))
    return visit.show(
        "facility/counter.html",
        TITLE,
        nav="counters",
        status=status_of(more.get("problem")),
        counter=counter,
        line=line,
        **more,
    )


@post(ONE + "/calls", operation_id="page_facility_counter_call", **FACILITY)
async def call_next(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Call whoever waits longest."""
    visit = await open_desk(call)
    await visit.form()
    done = await visit.send("POST", f"{BASE}/{counter_id}/calls")
    if isinstance(done, Refused):
        return await _one(visit, counter_id, problem=done)
    what = "nobody-waits" if done["number"] is None else "called"
    return visit.did(what, f"/facility/counters/{counter_id}")


@post(ONE + "/numbers", operation_id="page_facility_counter_number", **FACILITY)
async def give_number(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A number for somebody who carries nothing that can be scanned or typed; the same form gives one."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"client_id": form.get("once") or str(uuid4())}
    done = await visit.send("POST", f"{BASE}/{counter_id}/numbers", body)
    given = None if isinstance(done, Refused) else done
    return await _one(visit, counter_id, problem=problem_of(done), given=given)


@post(ONE + "/close", operation_id="page_facility_counter_close", **FACILITY)
async def close_counter(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Close it, with a reason."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", f"{BASE}/{counter_id}/close", {"reason": form.get("reason", "").strip()})
    if isinstance(done, Refused):
        return await _one(visit, counter_id, problem=done)
    return visit.did("counter-closed", "/facility/counters")


@get(ONE + "/screen", operation_id="page_facility_counter_screen", **FACILITY)
async def show_screen(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The whole screen of a wall: the code, which changes by itself, and the number that is called."""
    visit = await open_desk(call)
    line = await visit.read(f"{BASE}/{counter_id}/line", limit=1)
    shown = await visit.read(f"{BASE}/{counter_id}/screen")
    every = (await visit.read(BASE))["items"]
    counter = next(one for one in every if one["counter_id"] == str(counter_id))
    return visit.show(
        "kiosk/wall.html",
        ("Màn hình quầy", "The counter's screen"),
        counter=counter,
        line=line,
        picture=svg_address(shown["svg"]),
        house=visit.facility_name,
        by_staff=True,
    )


@get(ONE + "/poster", operation_id="page_facility_counter_poster", **FACILITY)
async def print_poster(counter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The poster to print."""
    visit = await open_desk(call)
    return visit.download(f"{BASE}/{counter_id}/poster.pdf")


handlers: list[Any] = [
    list_counters,
    open_counter,
    show_counter,
    call_next,
    give_number,
    close_counter,
    show_screen,
    print_poster,
]
