"""Departments: opened, described anew, closed. A sensitive one is shown to people under a discreet name."""

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

TITLE: Final = ("Khoa, phòng", "Departments")
BASE: Final = "/v1/facility/departments"
ONE: Final = "/facility/departments/{unit_id:uuid}"


@get("/facility/departments", operation_id="page_facility_departments", **FACILITY)
async def list_departments(call: NamedDependency[Call]) -> Response[bytes]:
    """The open ones, each with its forms, and a form for one more."""
    return await _list(await open_desk(call))


@post("/facility/departments", operation_id="page_facility_department_open", **FACILITY)
async def open_department(call: NamedDependency[Call]) -> Response[bytes]:
    """Open one."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", BASE, _described(form), headers=once_of(form))
    return await _after(visit, done, "department-opened", form)


@post(ONE, operation_id="page_facility_department_change", **FACILITY)
async def change_department(unit_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Describe it anew."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("PUT", f"{BASE}/{unit_id}", _described(form))
    return await _after(visit, done, "department-changed", {**form, "unit": str(unit_id)})


@post(ONE + "/close", operation_id="page_facility_department_close", **FACILITY)
async def close_department(unit_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Close it: nothing new names it."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", f"{BASE}/{unit_id}/close", {"reason": form.get("reason", "").strip()})
    return await _after(visit, done, "department-closed", {"closing": str(unit_id), **form})


def _described(form: dict[str, str]) -> dict[str, Any]:
    new: dict[str, Any] = {"name": form.get("name", "").strip()}
    new["is_sensitive"] = form.get("is_sensitive") == "yes"
    for name in ("specialty", "discreet_name"):
        new[name] = form.get(name, "").strip() or None
    return {"reason": form.get("reason", "").strip(), "department": new}


async def _after(visit: DeskVisit, done: Any, what: str, form: dict[str, str]) -> Response[bytes]:
    if isinstance(done, Refused):
        return await _list(visit, done, form)
    return visit.did(what, "/facility/departments")


async def _list(
    visit: DeskVisit, problem: Refused | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    every = (await visit.read(BASE, limit=PAGE_MAX))["items"]
    known = (await visit.read("/v1/specialties"))["items"]
    return visit.show(
        "facility/departments.html",
        TITLE,
        nav="departments",
        status=status_of(problem),
        problem=problem,
        departments=every,
        specialties={one["code"]: one["name"] for one in known},
        typed=typed or {},
    )


handlers: list[Any] = [list_departments, open_department, change_department, close_department]
