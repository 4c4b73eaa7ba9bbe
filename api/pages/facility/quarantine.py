"""What was sent of somebody uncertain: a facility sees what came back to it, an officer what waits."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.facility.desk_visit import FACILITY, OFFICER, DeskVisit, open_desk, status_of
from api.pages.facility.words import NUMBER_KINDS, RETURN_CODES, SEXES, WAITS_FOR
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Hồ sơ chờ xác định", "Records on hold")
OFFICERS: Final = "/v1/registry/quarantine"
ONE: Final = "/facility/quarantine/{quarantine_id:uuid}"
NEW_PERSON: Final = "new"


@get("/facility/quarantine", operation_id="page_facility_quarantine", **FACILITY)
async def list_waiting(call: NamedDependency[Call]) -> Response[bytes]:
    """An officer's list, or what officers returned to this facility."""
    return await _list(await open_desk(call))


@post("/facility/quarantine", operation_id="page_facility_quarantine_more", **FACILITY)
async def more(call: NamedDependency[Call]) -> Response[bytes]:
    """The next page."""
    visit = await open_desk(call)
    form = await visit.form()
    return await _list(visit, form.get("cursor"))


async def _list(visit: DeskVisit, cursor: str | None = None) -> Response[bytes]:
    is_officer = visit.role in OFFICER
    found = await visit.read(OFFICERS if is_officer else "/v1/facility/quarantine", cursor=cursor)
    return visit.show(
        "facility/quarantine.html",
        TITLE,
        nav="quarantine",
        is_officer=is_officer,
        items=found["items"],
        next=found["next_cursor"],
        codes=RETURN_CODES,
        waits_for=WAITS_FOR,
    )


@post(ONE, operation_id="page_facility_quarantine_compare", **FACILITY)
async def compare(quarantine_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """What was presented beside what is known. It takes a reason: it stands in the operators' chain."""
    visit = await open_desk(call)
    reason = (await visit.form()).get("reason", "").strip()
    return await _compared(visit, quarantine_id, reason)


async def _compared(
    visit: DeskVisit, quarantine_id: UUID, reason: str, problem: Refused | None = None
) -> Response[bytes]:
    found = await visit.send("POST", f"{OFFICERS}/{quarantine_id}/comparison", {"reason": reason})
    refused = found if isinstance(found, Refused) else problem
    return visit.show(
        "facility/comparison.html",
        TITLE,
        nav="quarantine",
        status=status_of(refused),
        problem=refused,
        found=None if isinstance(found, Refused) else found,
        quarantine_id=quarantine_id,
        reason=reason,
        kinds=NUMBER_KINDS,
        sexes=SEXES,
        codes=RETURN_CODES,
        new_person=NEW_PERSON,
        waits_for=WAITS_FOR,
    )


@post(ONE + "/resolution", operation_id="page_facility_quarantine_resolve", **FACILITY)
async def resolve(quarantine_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """It is this person's, or a new one's."""
    visit = await open_desk(call)
    form = await visit.form()
    reason, chosen = form.get("reason", "").strip(), form.get("person", "")
    body = {"reason": reason, "patient_id": None if chosen == NEW_PERSON else chosen}
    done = await visit.send("POST", f"{OFFICERS}/{quarantine_id}/resolution", body)
    if isinstance(done, Refused):
        return await _compared(visit, quarantine_id, reason, done)
    return visit.did(
        "unit-proposed" if done["state"] == "proposed" else "unit-resolved", "/facility/quarantine"
    )


@post(ONE + "/return", operation_id="page_facility_quarantine_return", **FACILITY)
async def give_back(quarantine_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Its sender looks again."""
    visit = await open_desk(call)
    form = await visit.form()
    reason = form.get("reason", "").strip()
    body = {"reason": reason, "code": form.get("code", "")}
    done = await visit.send("POST", f"{OFFICERS}/{quarantine_id}/return", body)
    if isinstance(done, Refused):
        return await _compared(visit, quarantine_id, reason, done)
    return visit.did("unit-returned", "/facility/quarantine")


handlers: list[Any] = [list_waiting, more, compare, resolve, give_back]
