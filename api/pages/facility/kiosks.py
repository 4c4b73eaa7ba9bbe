"""Kiosks of the facility: made with a code that is shown once, moved, ended."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, status_of
from api.pages.uploading import once_of
from api.request import Call
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

TITLE = ("Ki-ốt", "Kiosks")
BASE = "/v1/facility/kiosks"


@get("/facility/kiosks", operation_id="page_facility_kiosks", **FACILITY)
async def list_kiosks(call: NamedDependency[Call]) -> Response[bytes]:
    """Which there are, and a form for one more."""
    return await _list(await open_desk(call))


@post("/facility/kiosks", operation_id="page_facility_kiosk_make", **FACILITY)
async def make_kiosk(call: NamedDependency[Call]) -> Response[bytes]:
    """Make one. Its code stands on this one page and nowhere else."""
    visit = await open_desk(call)
    form = await visit.form()
    new = {"counter_id": form.get("counter_id", ""), "name": form.get("name", "").strip()}
    body = {"reason": form.get("reason", "").strip(), "kiosk": new}
    return await _coded(visit, await visit.send("POST", BASE, body, headers=once_of(form)), form)


@post("/facility/kiosks/{kiosk_id:uuid}/code", operation_id="page_facility_kiosk_code", **FACILITY)
async def new_code(kiosk_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Another code, for another device or another counter."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"reason": form.get("reason", "").strip(), "counter_id": form.get("counter_id")}
    return await _coded(visit, await visit.send("POST", f"{BASE}/{kiosk_id}/code", body), {})


@post("/facility/kiosks/{kiosk_id:uuid}/end", operation_id="page_facility_kiosk_end", **FACILITY)
async def end_kiosk(kiosk_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """End it for good."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", f"{BASE}/{kiosk_id}/end", {"reason": form.get("reason", "").strip()})
    return (
        await _list(visit, done)
        if isinstance(done, Refused)
        else visit.did("kiosk-ended", "/facility/kiosks")
    )


async def _coded(visit: DeskVisit, made: Any, form: dict[str, str]) -> Response[bytes]:
    if isinstance(made, Refused):
        return await _list(visit, made, form)
    return visit.show("facility/kiosk_code.html", ("Mã lắp đặt", "Set-up code"), nav="kiosks", made=made)


async def _list(
    visit: DeskVisit, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    every = (await visit.read(BASE, limit=PAGE_MAX))["items"]
    counters = (await visit.read("/v1/facility/counters"))["items"]
    running = [one for one in every if one["ended_at"] is None]
    return visit.show(
        "facility/kiosks.html",
        TITLE,
        nav="kiosks",
        status=status_of(problem),
        problem=problem,
        kiosks=running,
        ended=len(every) - len(running),
        counters=counters,
        typed=typed or {},
    )


handlers: list[Any] = [list_kiosks, make_kiosk, new_code, end_kiosk]
