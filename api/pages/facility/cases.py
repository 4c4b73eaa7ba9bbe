"""What people say about records of this facility: received, answered, corrected or refused, each in time."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, DeskVisit, open_desk, status_of
from api.pages.facility.words import CASE_ACTS, CASE_KINDS, CASE_STATES, SIDES, Words
from api.pages.uploading import once_of
from api.request import Call
from kernel.clock import local_day
from kernel.problems import Refused

TITLE: Final = ("Đề nghị sửa hồ sơ", "Corrections")
BASE: Final = "/v1/facility/cases"
ONE: Final = "/facility/cases/{case_id:uuid}"
# The acts of a form, and what the list says afterwards.
ACTS: Final = {
    "acknowledge": "case-acknowledged",
    "reply": "case-replied",
    "resolve": "case-resolved",
    "refuse": "case-refused",
}


@get("/facility/cases", operation_id="page_facility_cases", **FACILITY)
async def list_cases(call: NamedDependency[Call]) -> Response[bytes]:
    """Those that wait for something."""
    return await _list(await open_desk(call), running=True)


@post("/facility/cases", operation_id="page_facility_cases_more", **FACILITY)
async def more_cases(call: NamedDependency[Call]) -> Response[bytes]:
    """The next page, or the ended ones too."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _list(visit, running=form.get("which") != "all", cursor=form.get("cursor"))


async def _list(visit: DeskVisit, *, running: bool, cursor: str | None = None) -> Response[bytes]:
    found = await visit.read(BASE, running=str(running).lower(), cursor=cursor)
    now = visit.call.now
    rows = [(one, deadline_of(one, now)) for one in found["items"]]
    return visit.show(
        "facility/cases.html",
        TITLE,
        nav="cases",
        rows=rows,
        next=found["next"],
        running=running,
        kinds=CASE_KINDS,
        states=CASE_STATES,
    )


@get(ONE, operation_id="page_facility_case", **FACILITY)
async def show_case(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One case. That it was opened, and by whom, stands in the person's log."""
    return await _one(await open_desk(call), case_id)


async def _one(
    visit: DeskVisit, case_id: UUID, problem: Refused | None = None, typed: str = ""
) -> Response[bytes]:
    found = await visit.read(f"{BASE}/{case_id}")
    pictures = [
        await visit.picture(f"{BASE}/{case_id}/evidence/{one['evidence_id']}") for one in found["evidence"]
    ]
    return visit.show(
        "facility/case.html",
        TITLE,
        nav="cases",
        status=status_of(problem),
        problem=problem,
        found=found,
        deadline=deadline_of(found["case"], visit.call.now),
        typed=typed,
        kinds=CASE_KINDS,
        pictures=[one for one in pictures if isinstance(one, str)],
        states=CASE_STATES,
        acts=CASE_ACTS,
        sides=SIDES,
    )


@post(ONE, operation_id="page_facility_case_act", **FACILITY)
async def answer_case(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Receive it, write to the person, say that it was corrected, or why not."""
    visit = await open_desk(call)
    form = await visit.form()
    act, text = form.get("act", ""), form.get("text", "").strip()
    if act not in ACTS:
        return await _one(visit, case_id)
    body = None if act == "acknowledge" else {"text": text}
    keyed = once_of(form) if act == "reply" else {}
    done = await visit.send("POST", f"{BASE}/{case_id}/{act}", body, headers=keyed)
    if isinstance(done, Refused):
        return await _one(visit, case_id, done, text)
    return visit.did(ACTS[act], f"/facility/cases/{case_id}")


def deadline_of(case: dict[str, Any], now: datetime) -> Words | None:
    """What is due and when, in words; nothing where nothing is. The term ends before its instant."""
    due = {"open": case["acknowledge_by"], "acknowledged": case["answer_by"], "refused": case["answer_by"]}
    ends = due.get(case["state"])
    if ends is None:
        return None
    days = (local_day(datetime.fromisoformat(ends)) - local_day(now)).days
    what = ("Nhận", "Receive it") if case["state"] == "open" else ("Trả lời", "Answer it")
    if case["overdue"] or days <= 0:
        return f"{what[0]}: đã quá hạn", f"{what[1]}: late"
    if days == 1:
        return f"{what[0]} trong hôm nay", f"{what[1]} today"
    return f"{what[0]} trong {days} ngày", f"{what[1]} within {days} days"


handlers: list[Any] = [list_cases, more_cases, show_case, answer_case]
