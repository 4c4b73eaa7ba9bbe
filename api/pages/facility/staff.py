"""Who works here. One administrator proposes a change of roles, another confirms it."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, status_of
from api.pages.facility.words import CHANGE_KINDS, GIVEN_ROLES, ROLES
from api.pages.uploading import once_of
from api.request import Call
from kernel.paging import PAGE_MAX
from kernel.problems import Refused

TITLE: Final = ("Nhân viên và vai trò", "Staff and roles")


@get("/facility/staff", operation_id="page_facility_staff", **FACILITY)
async def list_staff(call: NamedDependency[Call]) -> Response[bytes]:
    """The staff, and the proposals that wait."""
    return await _list(await open_desk(call))


@post("/facility/staff", operation_id="page_facility_staff_more", **FACILITY)
async def more(call: NamedDependency[Call]) -> Response[bytes]:
    """The next page of a long list."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _list(visit, cursor=form.get("cursor"))


@post("/facility/staff/licence", operation_id="page_facility_licence", **FACILITY)
async def look_up(call: NamedDependency[Call]) -> Response[bytes]:
    """Who holds a licence, to propose a role for."""
    visit = await open_desk(call)
    form = await visit.form()
    body = {"licence": form.get("licence", "").strip() or "-"}
    done = await visit.send("POST", "/v1/facility/licence-look-ups", body)
    if isinstance(done, Refused):
        return await _list(visit, problem=done, licence=form.get("licence", ""))
    return await _list(visit, person=done)


@post("/facility/staff/roles", operation_id="page_facility_role_propose", **FACILITY)
async def propose_role(call: NamedDependency[Call]) -> Response[bytes]:
    """A role for somebody whom the register knows: found by a licence, or at work here in another role."""
    visit = await open_desk(call)
    form = await visit.form()
    role = {name: form.get(name, "") for name in ("practitioner_id", "role")}
    body = {
        "reason": form.get("reason", "").strip(),
        "practitioner_role": {**role, "facility_id": visit.facility_id},
    }
    act = "licensed" if form.get("name") else "role"
    return await _proposed(visit, "/v1/admin/practitioner-roles", body, {**form, "act": act})


@post("/facility/staff/roles/unit", operation_id="page_facility_role_unit", **FACILITY)
async def propose_unit(call: NamedDependency[Call]) -> Response[bytes]:
    """In which department a role works, or in none."""
    visit = await open_desk(call)
    form = await visit.form()
    role = {
        "practitioner_role_id": form.get("practitioner_role_id", ""),
        "facility_id": visit.facility_id,
        "unit_id": form.get("unit_id") or None,
    }
    body = {"reason": form.get("reason", "").strip(), "practitioner_role": role}
    return await _proposed(visit, "/v1/admin/practitioner-roles/unit", body, {**form, "act": "unit"})


@post("/facility/staff/roles/end", operation_id="page_facility_role_end", **FACILITY)
async def propose_end(call: NamedDependency[Call]) -> Response[bytes]:
    """The end of a role."""
    visit = await open_desk(call)
    form = await visit.form()
    role = {"practitioner_role_id": form.get("practitioner_role_id", ""), "facility_id": visit.facility_id}
    body = {"reason": form.get("reason", "").strip(), "practitioner_role": role}
    return await _proposed(visit, "/v1/admin/practitioner-roles/end", body, {**form, "act": "end"})


@post("/facility/staff/changes/{change_id:uuid}", operation_id="page_facility_change_confirm", **FACILITY)
async def confirm(change_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The second account agrees. A system's secret stands on this one page."""
    visit = await open_desk(call)
    form = await visit.form()
    done = await visit.send("POST", f"/v1/admin/changes/{change_id}/confirm", headers=once_of(form))
    if isinstance(done, Refused):
        return await _list(visit, problem=done)
    if done.get("client_secret"):
        return visit.show("facility/secret.html", ("Khóa mới", "A new secret"), nav="staff", made=done)
    return visit.did("change-confirmed", "/facility/staff")


async def _proposed(visit: DeskVisit, path: str, body: Any, form: dict[str, str]) -> Response[bytes]:
    """act: which of the page's forms was sent, so that it keeps what was typed."""
    done = await visit.send("POST", path, body, headers=once_of(form))
    if isinstance(done, Refused):
        person = form if form["act"] == "licensed" else None
        return await _list(visit, problem=done, typed=form, person=person)
    return visit.did("role-proposed", "/facility/staff")


async def _list(visit: DeskVisit, *, cursor: str | None = None, **more: Any) -> Response[bytes]:
    found = await visit.read("/v1/facility/staff", cursor=cursor)
    waiting = await visit.read("/v1/facility/register-changes", limit=PAGE_MAX)
    units = (await visit.read("/v1/facility/units"))["items"]
    members = {"person": None, "licence": "", "typed": {}, **more}
    return visit.show(
        "facility/staff.html",
        TITLE,
        nav="staff",
        status=status_of(more.get("problem")),
        people=found["items"],
        known={one["practitioner_id"]: one["name"] for one in found["items"]},
        next=found["next"],
        waiting=waiting["items"],
        roles=ROLES,
        given=GIVEN_ROLES,
        kinds=CHANGE_KINDS,
        units={one["unit_id"]: one["name"] for one in units},
        **members,
    )


handlers: list[Any] = [list_staff, more, look_up, propose_role, propose_unit, propose_end, confirm]
