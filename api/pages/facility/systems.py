"""The systems that send and read for this facility: which there are, one ended, one or its secret proposed.
What is proposed waits for a second administrator (staff.py), and a secret is shown to that one, once."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, status_of
from api.pages.uploading import once_of
from api.request import Call
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

TITLE: Final = ("Phần mềm kết nối", "Connected systems")
BASE: Final = "/v1/facility/systems"
PROPOSE: Final = "/v1/admin/facility-systems"


@get("/facility/systems", operation_id="page_facility_systems", **FACILITY)
async def list_systems(call: NamedDependency[Call]) -> Response[bytes]:
    """Which there are. Kiosks have a page of their own."""
    return await _list(await open_desk(call))


@post("/facility/systems", operation_id="page_facility_system_propose", **FACILITY)
async def propose_system(call: NamedDependency[Call]) -> Response[bytes]:
    """One more."""
    visit = await open_desk(call)
    form = await visit.form()
    new = {"kind": "facility-system", "name": form.get("name", "").strip()}
    body = {
        "reason": form.get("reason", "").strip(),
        "client": {**new, "facility_id": visit.facility_id},
    }
    return await _after(visit, await visit.send("POST", PROPOSE, body, headers=once_of(form)), form)


@post("/facility/systems/{client_id:uuid}/secret", operation_id="page_facility_system_secret", **FACILITY)
async def propose_secret(client_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Another secret, where the one before got lost or into wrong hands."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {
        "reason": form.get("reason", "").strip(),
        "client": {"client_id": str(client_id), "facility_id": visit.facility_id},
    }
    done = await visit.send("POST", f"{PROPOSE}/secret", body, headers=once_of(form))
    return await _after(visit, done, {**form, "renewing": str(client_id)})


@post("/facility/systems/{client_id:uuid}/end", operation_id="page_facility_system_end", **FACILITY)
async def end_system(client_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Turn it off: its next request is refused. One account suffices to take away."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"reason": form.get("reason", "").strip()}
    done = await visit.send("POST", f"{BASE}/{client_id}/end", body)
    if isinstance(done, Refused):
        return await _list(visit, done, {**form, "ending": str(client_id)})
    return visit.did("system-ended", "/facility/systems")


async def _after(visit: DeskVisit, done: Any, form: dict[str, str]) -> Response[bytes]:
    if isinstance(done, Refused):
        return await _list(visit, done, form)
    return visit.did("system-proposed", "/facility/systems")


async def _list(
    visit: DeskVisit, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    every = (await visit.read(BASE, limit=PAGE_MAX))["items"]
    systems = [one for one in every if one["kind"] == "facility-system"]
    waiting = (await visit.read("/v1/facility/register-changes", limit=PAGE_MAX))["items"]
    return visit.show(
        "facility/systems.html",
        TITLE,
        nav="systems",
        status=status_of(problem),
        problem=problem,
        systems=[one for one in systems if one["ended_at"] is None],
        ended=[one for one in systems if one["ended_at"] is not None],
        waiting=sum(1 for one in waiting if one["kind"].startswith("facility-client")),
        typed=typed or {},
    )


handlers: list[Any] = [list_systems, propose_system, propose_secret, end_system]
