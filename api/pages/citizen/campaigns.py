"""Vaccination campaigns that take registrations: the list, one with its slots and questions, one's places."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.pages.showing import CITIZEN, Visit, open_visit
from api.pages.uploading import new_key, once_of
from api.request import Call
from kernel.problems import Refused

TITLE = ("Đợt tiêm đang mở", "Open campaigns")
PLACES = ("Chỗ đã đăng ký", "My registration")
CAMPAIGNS: Final = "/v1/me/vaccination-campaigns"
REGISTRATIONS: Final = "/v1/me/vaccination-registrations"


@get("/me/vaccination/campaigns", operation_id="page_me_campaigns", **CITIZEN)
async def campaigns(call: NamedDependency[Call]) -> Response[bytes]:
    """What is open, and where one has a place."""
    visit = open_visit(call, "citizen")
    return visit.show(
        "citizen/campaigns.html",
        TITLE,
        nav="vaccination",
        campaigns=(await visit.read(CAMPAIGNS))["items"],
        registrations=(await visit.read(REGISTRATIONS))["items"],
    )


@get("/me/vaccination/campaigns/{campaign_id:uuid}", operation_id="page_me_campaign", **CITIZEN)
async def campaign(campaign_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One campaign: slots and questions in one form."""
    return await _form(open_visit(call, "citizen"), campaign_id, {})


@post("/me/vaccination/campaigns/{campaign_id:uuid}", operation_id="page_me_register", **CITIZEN)
async def register(campaign_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Take a place, or stand in the waiting list."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    done = await visit.send("POST", REGISTRATIONS, body_of(campaign_id, form), headers=once_of(form))
    if isinstance(done, Refused):
        return await _form(visit, campaign_id, form, done)
    return visit.go(f"/me/vaccination/places/{done['registration_id']}")


async def _form(
    visit: Visit, campaign_id: UUID, typed: dict[str, str], problem: Refused | None = None
) -> Response[bytes]:
    return visit.show(
        "citizen/campaign.html",
        TITLE,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        typed=typed,
        once=new_key(),
        campaign=await visit.read(f"{CAMPAIGNS}/{campaign_id}"),
    )


@get("/me/vaccination/places/{registration_id:uuid}", operation_id="page_me_registration", **CITIZEN)
async def place(registration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """One registration with its advice."""
    return await _place(open_visit(call, "citizen"), registration_id)


@post("/me/vaccination/places/{registration_id:uuid}/cancel", operation_id="page_me_cancel_place", **CITIZEN)
async def cancel(registration_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """Give the place back."""
    visit = open_visit(call, "citizen")
    await visit.form()
    done = await visit.send("POST", f"{REGISTRATIONS}/{registration_id}/cancel")
    return await _place(visit, registration_id, done if isinstance(done, Refused) else None)


async def _place(visit: Visit, registration_id: UUID, problem: Refused | None = None) -> Response[bytes]:
    return visit.show(
        "citizen/registration.html",
        PLACES,
        nav="vaccination",
        status=problem.problem.status if problem else 200,
        problem=problem,
        place=await visit.read(f"{REGISTRATIONS}/{registration_id}"),
    )


def body_of(campaign_id: UUID, form: dict[str, str]) -> dict[str, Any]:
    """A registration from its form: an answer to each question that was asked."""
    said = [
        (name.removeprefix("answer."), value) for name, value in form.items() if name.startswith("answer.")
    ]
    return {
        "campaign_id": str(campaign_id),
        "slot_id": form.get("slot_id", ""),
        "answers": [{"key": key, "answer": value} for key, value in said],
        "note": form.get("note"),
        "may_wait": "may_wait" in form,
    }


handlers: list[Any] = [campaigns, campaign, register, place, cancel]
