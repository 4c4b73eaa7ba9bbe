"""A vaccination campaign of the demo's station next week: one has the only place of an hour, one waits for
it, and a mother registered her child for the next."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from consent.decision import decide
from healthbook.demo_accounts import Activated, StaffMember, granted
from healthbook.demo_sheet import DemoChild
from kernel.clock import local_day, start_of_day
from kernel.ids import uuid7
from store.database import Store
from vaccination.registration.campaigns import add_slots, make
from vaccination.registration.models import NewCampaign, RegistrationBody
from vaccination.registration.screening.forms import LATEST, ScreeningAnswer, form_of
from vaccination.registration.service import register
from visits.slots.models import NewSlot
from visits.slots.reading import slots_of

WHERE: Final = "station"
FIRST_HOUR: Final = timedelta(days=7, hours=8)
PLACES: Final = (1, 20, 20)


async def call_in(
    store: Store, citizens: list[Activated], child: DemoChild, staff: list[StaffMember], now: datetime
) -> None:
    """The campaign with its slots, and who registered."""
    slots = await _campaign(store, staff, now)
    known = {one.card.key: one for one in citizens}
    for who, number, patient_id in (
        ("hung", 0, None),
        ("lan", 0, None),
        (child.guardian, 1, child.patient_id),
    ):
        actor = replace(known[who].actor, probation=False)
        subject = UUID(patient_id) if patient_id else actor.actor_id
        async with store.transaction() as tx:
            access = granted(
                await decide(tx, actor, subject, "manage-appointments", "PATRQT", now, keys=store.keys)
            )
            body = RegistrationBody(campaign_id=slots[0], slot_id=slots[1 + number], answers=_answers())
            granted(await register(tx, store.keys, access, body, str(uuid7(now)), now))


async def _campaign(store: Store, staff: list[StaffMember], now: datetime) -> list[UUID]:
    """The ids of the campaign and of its slots."""
    actor = next(one.actor for one in staff if (one.member.facility, one.card.role) == (WHERE, "nurse"))
    new = NewCampaign(
        title="Tiêm vắc xin cúm mùa",
        place="Trạm y tế, phòng tiêm tầng 1",
        antigens=["influenza"],
        age_from_months=6,
        interval_days=180,
        opens_at=now,
        closes_at=now + timedelta(days=6),
    )
    first = start_of_day(local_day(now)) + FIRST_HOUR
    hours = [first + timedelta(hours=number) for number in range(len(PLACES))]
    made = [
        NewSlot(starts_at=at, ends_at=at + timedelta(hours=1), capacity=places)
        for at, places in zip(hours, PLACES, strict=True)
    ]
    async with store.transaction() as tx:
        campaign = granted(await make(tx, actor, new, now))
        granted(await add_slots(tx, actor, campaign.campaign_id, made, now))
        slots = await slots_of(tx, campaign.facility_id, campaign.campaign_id, now)
    return [campaign.campaign_id, *(one.slot_id for one in slots)]


def _answers() -> list[ScreeningAnswer]:
    return [
        ScreeningAnswer(key=one.key, answer="no") for one in form_of("general", LATEST["general"]).questions
    ]
