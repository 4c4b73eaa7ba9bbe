"""Vaccination campaigns of this facility: made, given slots, closed."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Answer, Call, answer
from ehr.cases.reading import LAST_ID
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from vaccination.registration import campaigns
from vaccination.registration.models import Campaign, CampaignRow, FacilityCampaign, NewCampaign, NewSlots
from vaccination.registration.problems import CAMPAIGN_CLOSED, CAMPAIGN_INVALID, CAMPAIGN_UNKNOWN
from visits.problems import NOT_AT_A_FACILITY
from visits.slots.models import Capacity
from visits.slots.problems import SLOT_INVALID, SLOT_OVER, SLOT_UNKNOWN

TAGS: Final = ["vaccination"]
PLANNING: Final = ("vaccinator", "facility-admin")
STAFF: Final = ("doctor", "nurse", "vaccinator", "facility-admin")
BASE: Final = "/v1/facility/vaccination-campaigns"
ONE: Final = BASE + "/{campaign_id:uuid}"
CHANGES: Final = (CAMPAIGN_UNKNOWN, CAMPAIGN_CLOSED, NOT_AT_A_FACILITY)


class FacilityCampaigns(Struct, kw_only=True):
    """Campaigns, newest first. `next` is opaque; null on the last page."""

    items: list[Campaign]
    next: str | None


class SlotPlaces(Struct, kw_only=True, forbid_unknown_fields=True):
    """capacity: how many places the slot has from now on; no fewer than are taken."""

    capacity: Capacity


@post(
    BASE,
    actors=PLANNING,
    operation_id="make_vaccination_campaign",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(CAMPAIGN_INVALID, CAMPAIGN_UNKNOWN, NOT_AT_A_FACILITY, *PROBLEMS),
)
async def make(data: JSONBody[NewCampaign], call: NamedDependency[Call]) -> Response[FacilityCampaign]:
    """Make a campaign, at first without slots; people see it from `opens_at` on."""
    async with call.begin() as (tx, actor):
        row = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: campaigns.make(tx, actor, data, call.now),
            again=lambda campaign_id: campaigns.own(tx, actor, campaign_id),
            id_of=lambda made: made.campaign_id,
        )
        return await _shown(tx, row, 201)


@get(
    BASE,
    actors=STAFF,
    operation_id="facility_vaccination_campaigns",
    tags=TAGS,
    problems=(BAD_CURSOR, NOT_AT_A_FACILITY),
)
async def list_campaigns(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[FacilityCampaigns]:
    """All of this facility's campaigns."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        rows = await campaigns.of_facility(tx, actor, before, size + 1)
        if isinstance(rows, Refused):
            return answer(rows)
        items = [await campaigns.shown(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].campaign_id)) if len(rows) > size else None
    return answer(FacilityCampaigns(items=items, next=following))


@get(
    ONE,
    actors=STAFF,
    operation_id="facility_vaccination_campaign",
    tags=TAGS,
    problems=(CAMPAIGN_UNKNOWN, NOT_AT_A_FACILITY),
)
async def one(campaign_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityCampaign]:
    """A campaign with its slots and how full they are."""
    async with call.begin() as (tx, actor):
        return await _shown(tx, await campaigns.own(tx, actor, campaign_id))


@post(
    ONE + "/slots",
    actors=PLANNING,
    operation_id="add_vaccination_slots",
    tags=TAGS,
    status_code=201,
    problems=(*CHANGES, SLOT_INVALID),
)
async def add_slots(
    campaign_id: FromPath[UUID], data: JSONBody[NewSlots], call: NamedDependency[Call]
) -> Response[FacilityCampaign]:
    """Add slots, all or none."""
    async with call.begin() as (tx, actor):
        return await _shown(tx, await campaigns.add_slots(tx, actor, campaign_id, data.slots, call.now), 201)


@post(
    ONE + "/slots/{slot_id:uuid}/capacity",
    actors=PLANNING,
    operation_id="resize_vaccination_slot",
    tags=TAGS,
    status_code=200,
    problems=(*CHANGES, SLOT_INVALID, SLOT_OVER, SLOT_UNKNOWN),
)
async def resize(
    campaign_id: FromPath[UUID],
    slot_id: FromPath[UUID],
    data: JSONBody[SlotPlaces],
    call: NamedDependency[Call],
) -> Response[FacilityCampaign]:
    """Change the places of a slot: more of them move the waiting list up, and nobody loses one."""
    async with call.begin() as (tx, actor):
        where = campaign_id, slot_id
        return await _shown(tx, await campaigns.resize_slot(tx, actor, *where, data.capacity, call.now))


@post(
    ONE + "/slots/{slot_id:uuid}/close",
    actors=PLANNING,
    operation_id="close_vaccination_slot",
    tags=TAGS,
    status_code=200,
    problems=(*CHANGES, SLOT_UNKNOWN),
)
async def close_slot(
    campaign_id: FromPath[UUID], slot_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[FacilityCampaign]:
    """Call off one slot; everybody who stands in it is told."""
    async with call.begin() as (tx, actor):
        return await _shown(tx, await campaigns.close_slot(tx, actor, campaign_id, slot_id, call.now))


@post(
    ONE + "/close",
    actors=PLANNING,
    operation_id="close_vaccination_campaign",
    tags=TAGS,
    status_code=200,
    problems=(CAMPAIGN_UNKNOWN, NOT_AT_A_FACILITY),
)
async def close(campaign_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[FacilityCampaign]:
    """Close the campaign. Nobody registers any more.

    Who stands for a time to come is called off and told, slot by slot, within moments.
    """
    async with call.begin() as (tx, actor):
        return await _shown(tx, await campaigns.close(tx, actor, campaign_id, call.now))


async def _shown(tx: Tx, row: CampaignRow | Refused, status: int = 200) -> Answer:
    if isinstance(row, Refused):
        return answer(row)
    return answer(await campaigns.view_of(tx, row), status=status)


handlers: list[Any] = [make, list_campaigns, one, add_slots, resize, close_slot, close]
