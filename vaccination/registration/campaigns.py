"""The facility's side of a campaign: made, given slots, closed.

Closing takes hold at once; the slots follow one by one, in the worker, each calling off who stands in it.
"""

from datetime import UTC, datetime
from uuid import UUID

from identity.register.facilities import facility_by_id
from kernel.access import Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from vaccination.book.antigens import ANTIGENS
from vaccination.registration import queries
from vaccination.registration.models import (
    Campaign,
    CampaignRow,
    FacilityCampaign,
    FacilitySlot,
    NewCampaign,
)
from vaccination.registration.policy import CLOSE_JOB, EVE, SLOT_JOB, fault_of
from vaccination.registration.problems import CAMPAIGN_CLOSED, CAMPAIGN_INVALID, CAMPAIGN_UNKNOWN
from vaccination.registration.screening.forms import LATEST
from vaccination.registration.telling import keep, tell
from visits.problems import NOT_AT_A_FACILITY
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import NewSlot, SlotRow
from visits.slots.problems import SLOT_UNKNOWN


async def make(tx: Tx, actor: Actor, new: NewCampaign, now: datetime) -> CampaignRow | Refused:
    """A campaign of the caller's facility. Refused: not-at-a-facility, campaign-invalid."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    unknown = [one for one in new.antigens if one not in ANTIGENS]
    fault = "antigens" if unknown else "screening" if new.screening not in LATEST else fault_of(new)
    if fault is not None:
        return Refused(problem=CAMPAIGN_INVALID, where=fault)
    row = CampaignRow(
        campaign_id=uuid7(now),
        facility_id=actor.facility_id,
        title=new.title,
        place=new.place,
        antigens=new.antigens,
        vaccine=new.vaccine,
        sex=new.sex,
        age_from_months=new.age_from_months,
        age_until_months=new.age_until_months,
        interval_days=new.interval_days,
        screening=new.screening,
        screening_version=LATEST[new.screening],
        opens_at=new.opens_at.astimezone(UTC),
        closes_at=new.closes_at.astimezone(UTC),
        state="open",
        made_by=actor.actor_id,
        made_at=now,
        closed_by=None,
        closed_at=None,
    )
    await queries.INSERT_CAMPAIGN.run(tx, *(getattr(row, name) for name in CampaignRow.__struct_fields__))
    return row


async def own(tx: Tx, actor: Actor, campaign_id: UUID) -> CampaignRow | Refused:
    """A campaign of the caller's facility, held. Refused: not-at-a-facility, campaign-unknown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    row = await queries.LOCK_CAMPAIGN.one(tx, campaign_id)
    if row is None or row.facility_id != actor.facility_id:
        return Refused(problem=CAMPAIGN_UNKNOWN)
    return row


async def _open(tx: Tx, actor: Actor, campaign_id: UUID) -> CampaignRow | Refused:
    row = await own(tx, actor, campaign_id)
    if isinstance(row, CampaignRow) and row.state != "open":
        return Refused(problem=CAMPAIGN_CLOSED)
    return row


async def add_slots(
    tx: Tx, actor: Actor, campaign_id: UUID, new: list[NewSlot], now: datetime
) -> CampaignRow | Refused:
    """Refused: campaign-unknown, campaign-closed, slot-invalid."""
    row = await _open(tx, actor, campaign_id)
    if isinstance(row, Refused):
        return row
    made = await slots.add(tx, row.facility_id, campaign_id, new, now)
    if isinstance(made, Refused):
        return made
    for one in made:
        await schedule(tx, bucket_of(one.facility_id), max(now, one.starts_at - EVE), SLOT_JOB, _ref(one))
    return row


async def resize_slot(
    tx: Tx, actor: Actor, campaign_id: UUID, slot_id: UUID, capacity: int, now: datetime
) -> CampaignRow | Refused:
    """Other places; who waits moves up. Refused: as of a slot."""
    found = await _slot_of(tx, actor, campaign_id, slot_id)
    if isinstance(found, Refused):
        return found
    row, slot = found
    moved = await slots.resize(tx, slot, capacity, now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved, now)
    return row


async def close_slot(
    tx: Tx, actor: Actor, campaign_id: UUID, slot_id: UUID, now: datetime
) -> CampaignRow | Refused:
    """Call off one slot with everybody who stands in it."""
    found = await _slot_of(tx, actor, campaign_id, slot_id)
    if isinstance(found, Refused):
        return found
    row, slot = found
    await keep(tx, await slots.close(tx, slot, now), now)
    return row


async def _slot_of(
    tx: Tx, actor: Actor, campaign_id: UUID, slot_id: UUID
) -> tuple[CampaignRow, SlotRow] | Refused:
    row = await _open(tx, actor, campaign_id)
    if isinstance(row, Refused):
        return row
    slot = await slots.lock(tx, row.facility_id, slot_id)
    if isinstance(slot, SlotRow) and slot.group_id != campaign_id:
        return Refused(problem=SLOT_UNKNOWN)
    return slot if isinstance(slot, Refused) else (row, slot)


async def close(tx: Tx, actor: Actor, campaign_id: UUID, now: datetime) -> CampaignRow | Refused:
    """Nobody registers any more; who stands for a time to come is called off by the worker. Closing what is
    closed says the same again."""
    row = await own(tx, actor, campaign_id)
    if isinstance(row, Refused) or row.state == "closed":
        return row
    await queries.CLOSE_CAMPAIGN.run(tx, campaign_id, actor.actor_id, now)
    await schedule(tx, bucket_of(row.facility_id), now, CLOSE_JOB, str(campaign_id))
    return await own(tx, actor, campaign_id)


async def close_next(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """One slot of a closed campaign; again at once while one is open."""
    row = await queries.CAMPAIGN_BY_ID.one(tx, UUID(ref))
    if row is None:
        return None
    slot_id = await reading.first_open(tx, row.facility_id, row.campaign_id)
    slot = None if slot_id is None else await slots.lock(tx, row.facility_id, slot_id)
    if slot is None or isinstance(slot, Refused):
        return None
    await keep(tx, await slots.close(tx, slot, now), now)
    return now


async def slot_due(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """The day before, who has a place is told again; when it begins, who waits has waited in vain."""
    facility_id, slot_id = (UUID(part) for part in ref.split(":"))
    slot = await slots.lock(tx, facility_id, slot_id)
    if isinstance(slot, Refused):
        return None
    if now >= slot.starts_at:
        await keep(tx, await slots.lapse(tx, slot, now), now)
        return None
    if slot.state != "open":
        return None
    for one in await reading.booked_in(tx, facility_id, slot_id):
        row = await queries.BY_ID.one(tx, one.patient_id, one.booking_id)
        if row is not None:
            by = row.patient_id if row.is_private else row.registered_by
            await tell(tx, one.patient_id, one.booking_id, by, "eve", now)
    return slot.starts_at


async def of_facility(tx: Tx, actor: Actor, before: UUID, limit: int) -> list[CampaignRow] | Refused:
    """Newest first. Refused: not-at-a-facility."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return await queries.CAMPAIGNS_OF_FACILITY.all(tx, actor.facility_id, before, limit)


async def shown(tx: Tx, row: CampaignRow) -> Campaign:
    facility = await facility_by_id(tx, row.facility_id)
    same = set(CampaignRow.__struct_fields__) & set(Campaign.__struct_fields__)
    return Campaign(
        facility_name=facility.name if facility else "", **{name: getattr(row, name) for name in same}
    )


async def view_of(tx: Tx, row: CampaignRow) -> FacilityCampaign:
    """With every slot that it ever had."""
    seen = await shown(tx, row)
    made = await reading.slots_of(tx, row.facility_id, row.campaign_id, row.made_at)
    return FacilityCampaign(
        **{name: getattr(seen, name) for name in seen.__struct_fields__},
        made_at=row.made_at,
        closed_at=row.closed_at,
        slots=[FacilitySlot(**{n: getattr(one, n) for n in one.__struct_fields__}) for one in made],
    )


def _ref(slot: SlotRow) -> str:
    return f"{slot.facility_id}:{slot.slot_id}"
