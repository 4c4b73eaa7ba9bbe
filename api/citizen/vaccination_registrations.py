"""Registering for a vaccination campaign, for oneself and for whom one acts."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.acting import begin_for
from api.idempotency import PROBLEMS, create_once
from api.reading import Cursor, Limit
from api.request import Call, answer
from ehr.cases.reading import LAST_ID
from ehr.intake.plain import is_stopped
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.database import Tx
from vaccination.registration import campaigns, service
from vaccination.registration.models import (
    Campaign,
    CampaignOpened,
    Registration,
    RegistrationBody,
    RegistrationOpened,
    RegistrationRow,
)
from vaccination.registration.problems import (
    CAMPAIGN_CLOSED,
    CAMPAIGN_UNKNOWN,
    NOT_ELIGIBLE,
    NOT_TAKEN,
    PRIVATE_OWN_ONLY,
    REGISTRATION_EXISTS,
    REGISTRATION_UNKNOWN,
    SCREENING_INCOMPLETE,
    SCREENING_WITHHELD,
)
from visits.slots.problems import BOOKING_STATE, SLOT_FULL, SLOT_OVER, SLOT_UNKNOWN

TAGS: Final = ["vaccination"]
AtFacility = Annotated[UUID | None, QueryParameter(name="facility_id", description="Only of this facility.")]
Against = Annotated[
    str | None, QueryParameter(name="antigen", max_length=40, description="Only against this disease.")
]


class Campaigns(Struct, kw_only=True):
    """Campaigns that take registrations now, newest first. `next` is opaque; null on the last page."""

    items: list[Campaign]
    next: str | None


class Registrations(Struct, kw_only=True):
    """Registrations, newest first. `next` is opaque; null on the last page."""

    items: list[Registration]
    next: str | None


@get(
    "/v1/me/vaccination-campaigns",
    actors=("citizen",),
    operation_id="vaccination_campaigns",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_campaigns(
    call: NamedDependency[Call],
    facility_id: AtFacility = None,
    antigen: Against = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[Campaigns]:
    """Campaigns that take registrations now; for whom each is, it says itself."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "manage-appointments") as (tx, _):
        rows = await service.open_campaigns(tx, call.now, facility_id, antigen, before, size + 1)
        items = [await campaigns.shown(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].campaign_id)) if len(rows) > size else None
    return answer(Campaigns(items=items, next=following))


@get(
    "/v1/me/vaccination-campaigns/{campaign_id:uuid}",
    actors=("citizen",),
    operation_id="vaccination_campaign",
    tags=TAGS,
    problems=(CAMPAIGN_UNKNOWN,),
)
async def one_campaign(campaign_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CampaignOpened]:
    """A campaign with its slots, what is free, and the questions of a registration."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        return answer(await service.opened(tx, call.keys, access, campaign_id, call.now))


@post(
    "/v1/me/vaccination-registrations",
    actors=("citizen",),
    operation_id="register_for_vaccination",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        CAMPAIGN_UNKNOWN,
        CAMPAIGN_CLOSED,
        SLOT_UNKNOWN,
        SLOT_OVER,
        SLOT_FULL,
        SCREENING_INCOMPLETE,
        SCREENING_WITHHELD,
        NOT_ELIGIBLE,
        NOT_TAKEN,
        REGISTRATION_EXISTS,
        PRIVATE_OWN_ONLY,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def register(
    data: JSONBody[RegistrationBody], call: NamedDependency[Call]
) -> Response[RegistrationOpened]:
    """Take a place, or stand in the waiting list. `advice` is what to show at once."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await _registered(tx, call, access, data)
        return answer(await _view(tx, call, access, row), status=201)


async def _registered(
    tx: Tx, call: Call, access: Access, data: RegistrationBody
) -> RegistrationRow | Refused:
    # What the gate would not let into a book is not written here either (vietnam.md §5).
    if data.note is not None and await is_stopped(tx, access.patient_id, data.note, call.now):
        return Refused(problem=SCREENING_WITHHELD, where="note")
    return await create_once(
        tx,
        call,
        access.actor,
        201,
        make=lambda: service.register(tx, call.keys, access, data, call.request_id, call.now),
        again=lambda registration_id: service.own(tx, access, registration_id),
        id_of=lambda row: row.registration_id,
    )


async def _view(
    tx: Tx, call: Call, access: Access, row: RegistrationRow | Refused
) -> RegistrationOpened | Refused:
    if isinstance(row, Refused):
        return row
    return await service.view_of(tx, call.keys, access, row, call.request_id, call.now)


@get(
    "/v1/me/vaccination-registrations",
    actors=("citizen",),
    operation_id="vaccination_registrations",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_registrations(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Registrations]:
    """What the person is registered for, and was."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "manage-appointments") as (tx, access):
        rows = await service.own_list(tx, access, before, size + 1)
        items = [await service.line_of(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].registration_id)) if len(rows) > size else None
    return answer(Registrations(items=items, next=following))


@get(
    "/v1/me/vaccination-registrations/{registration_id:uuid}",
    actors=("citizen",),
    operation_id="vaccination_registration",
    tags=TAGS,
    problems=(REGISTRATION_UNKNOWN,),
)
async def one_registration(
    registration_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[RegistrationOpened]:
    """A registration whole, with how many stand before the person where one waits."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await service.own(tx, access, registration_id)
        return answer(await _view(tx, call, access, row))


@post(
    "/v1/me/vaccination-registrations/{registration_id:uuid}/cancel",
    actors=("citizen",),
    operation_id="cancel_vaccination_registration",
    tags=TAGS,
    status_code=200,
    problems=(REGISTRATION_UNKNOWN, BOOKING_STATE, SLOT_UNKNOWN),
)
async def cancel(
    registration_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[RegistrationOpened]:
    """Give the place of a registration back, or leave its waiting list."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await service.cancel(tx, access, registration_id, call.request_id, call.now)
        return answer(await _view(tx, call, access, row))


handlers: list[Any] = [
    list_campaigns,
    one_campaign,
    register,
    list_registrations,
    one_registration,
    cancel,
]
