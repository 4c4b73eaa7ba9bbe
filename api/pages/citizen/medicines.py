"""Medicines: what is taken now, what was, what is reminded of, and the code to show at a pharmacy."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.citizen.entries_view import SHOWING
from api.pages.citizen.medicines_view import (
    ACTS,
    COLLECTABLE,
    FINDING_ID,
    REASONS,
    STATES,
    of_no_medicine,
    one_of,
    past,
    taken_now,
)
from api.pages.showing import CITIZEN, Visit, open_visit
from api.request import Call
from kernel.problems import Refused

TITLE: Final = ("Thuốc", "Medicines")
TITLE_CODE: Final = ("Mã đơn thuốc", "Prescription code")
PAGE: Final = 100


@get("/me/medicines", operation_id="page_me_medicines", **CITIZEN)
async def medicines(call: NamedDependency[Call]) -> Response[bytes]:
    """Every medicine of now, and the newest of those before."""
    return await _show(open_visit(call, "citizen"))


@post("/me/medicines", status_code=200, operation_id="page_me_medicines_more", **CITIZEN)
async def more_medicines(call: NamedDependency[Call]) -> Response[bytes]:
    """Older medicines."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    return await _show(visit, cursor=form.get("cursor"))


@post("/me/medicines/reminders/{reminder_id:uuid}", operation_id="page_me_reminder_act", **CITIZEN)
async def act_on_reminder(reminder_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Pause, resume or stop one reminder."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    act = {"act": form.get("act", "")}
    done = await visit.send("POST", f"/v1/me/reminders/{reminder_id}/acts", act)
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/medicines")


@post("/me/medicines/findings", operation_id="page_me_finding_dismiss", **CITIZEN)
async def dismiss_finding(call: NamedDependency[Call]) -> Response[bytes]:
    """Say why a finding needs no more attention. Which one goes in the form: it is made of medicines."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    path = f"/v1/me/medicine-safety/{one_of(FINDING_ID, form.get('finding_id', ''))}/dismissal"
    done = await visit.send("PUT", path, {"reason": form.get("reason", "")})
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go("/me/medicines")


@get("/me/medicines/code/{prescription_id:uuid}", operation_id="page_me_prescription_code", **CITIZEN)
async def prescription_code(prescription_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The code to show at a pharmacy, big."""
    visit = open_visit(call, "citizen")
    path = f"/v1/me/prescriptions/{prescription_id}"
    found, picture = await visit.read(path), await visit.picture(f"{path}/code", form="png")
    if isinstance(picture, Refused):
        return await _show(visit, problem=picture)
    return visit.show(
        "citizen/prescription_code.html", TITLE_CODE, nav="medicines", prescription=found, picture=picture
    )


async def _show(visit: Visit, cursor: str | None = None, problem: Refused | None = None) -> Response[bytes]:
    summary = await visit.read("/v1/me/summary")
    page = await visit.read("/v1/me/medications", limit=PAGE, cursor=cursor)
    reminders = (await visit.read("/v1/me/reminders"))["items"]
    safety = await visit.ask("/v1/me/medicine-safety")
    prescriptions = await visit.ask("/v1/me/prescriptions", limit=PAGE)
    taken = taken_now(summary, reminders)
    found = [] if isinstance(prescriptions, Refused) else prescriptions["items"]
    return visit.show(
        "citizen/medicines.html",
        TITLE,
        status=problem.problem.status if problem else 200,
        problem=problem,
        nav="medicines",
        taken=taken,
        state=next((one["state"] for one in summary["sections"] if one["key"] == "medications"), "not-asked"),
        others=of_no_medicine(taken, reminders),
        past=past(page["items"], taken),
        following=page["next"],
        is_first=cursor is None,
        safety=None if isinstance(safety, Refused) else safety,
        prescriptions=[one for one in found if one["state"] in COLLECTABLE],
        states=STATES,
        acts=ACTS,
        reasons=REASONS,
        **SHOWING,
    )


handlers: list[Any] = [medicines, more_medicines, act_on_reminder, dismiss_finding, prescription_code]
