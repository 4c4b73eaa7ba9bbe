"""The person's side: hold a place of a slot, confirm it, give it back, see where it stands.

Who acts for the person sees and does the same, but for what is kept from the family: that does not exist for
them (security.md S23), so it neither stands in their way nor counts. What an account may have ahead, and what
it missed, is counted by what that account booked itself: nobody's bookings lock the person out.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from identity import budgets
from identity.merges.aliases import book_to_tell
from identity.units.service import sensitive_of
from kernel.access import Access
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.outbox import emit
from visits.booking import queries, schedules
from visits.booking.models import AppointmentRow, Ask, ScheduleRow
from visits.booking.policy import AHEAD, AHEAD_MAX, HOLD_JOB, HOLD_LIFE, MISSES_WITHIN, closed_until
from visits.booking.problems import (
    APPOINTMENT_EXISTS,
    APPOINTMENT_LIMIT,
    APPOINTMENT_PRIVATE_OWN_ONLY,
    APPOINTMENT_UNKNOWN,
    HOLD_OVER,
    MISSED_OFTEN,
    REFERRAL_BOOKED,
    SCHEDULE_CLOSED,
)
from visits.booking.telling import NOTED, keep, tell
from visits.exposure.places import is_listable
from visits.safety import service as safety
from visits.slots import service as slots
from visits.slots.models import BookingAct, SlotRow
from visits.slots.problems import SLOT_OVER, SLOT_UNKNOWN

# Of so many the next one is looked for: more than anybody has ahead.
NEXT_MAX: Final = 20


class _Wish(Struct, frozen=True):
    """What is asked for. referral_id: a letter books at once; without one a place is held."""

    access: Access
    ask: Ask
    referral_id: UUID | None
    request_id: str
    now: datetime


async def hold(tx: Tx, access: Access, ask: Ask, request_id: str, now: datetime) -> AppointmentRow | Refused:
    """Keep a place for minutes, or stand in the line. Refused: schedule-unknown, schedule-closed,
    slot-unknown, slot-over, slot-full, appointment-exists, appointment-limit, appointment-missed-often,
    appointment-private-own-only, too-many."""
    return await _ask(tx, _Wish(access, ask, None, request_id, now))


async def book_by_referral(
    tx: Tx, access: Access, ask: Ask, referral_id: UUID, request_id: str, now: datetime
) -> AppointmentRow | Refused:
    """The visit that a letter asks for, booked at once and once: the same letter for the same slot is the
    same appointment. The caller knows that the letter is the person's, in force, and sent to that facility.

    Refused: as of `hold`, but for what was missed; referral-booked, where the letter stands for another slot.
    """
    await queries.LOCK_PERSON.one(tx, access.patient_id)
    for row in await of_referrals(tx, access, [referral_id]):
        return row if row.slot_id == ask.slot_id else Refused(problem=REFERRAL_BOOKED)
    return await _ask(tx, _Wish(access, ask, referral_id, request_id, now))


async def of_referrals(tx: Tx, access: Access, referral_ids: list[UUID]) -> list[AppointmentRow]:
    """The standing appointments that these letters gave, of those that whoever acts may see."""
    found = [
        row
        for patient_id in (people(access) if referral_ids else ())
        for row in await queries.OF_REFERRALS.all(tx, patient_id, referral_ids, sees_all(access))
    ]
    return await _seen_of(tx, access, found)


async def of_referral_for_all(tx: Tx, patient_id: UUID, referral_id: UUID) -> AppointmentRow | None:
    """The same of one letter, as anybody may be told it who holds the letter: nothing that is kept."""
    for row in await queries.OF_REFERRALS.all(tx, patient_id, [referral_id], False):
        if not await is_at_sensitive(tx, row):
            return row
    return None


async def of_referral_at(
    tx: Tx, patient_ids: list[UUID], referral_id: UUID, facility_id: UUID
) -> AppointmentRow | None:
    """The same at one facility, as those who work there are told of it."""
    for patient_id in patient_ids:
        for row in await queries.OF_REFERRALS.all(tx, patient_id, [referral_id], True):
            if row.facility_id == facility_id:
                return row
    return None


async def _ask(tx: Tx, wish: _Wish) -> AppointmentRow | Refused:
    ask, access, now = wish.ask, wish.access, wish.now
    plan = await schedules.seen(tx, access, ask.facility_id, ask.schedule_id)
    if isinstance(plan, Refused):
        return plan
    if plan.state != "open" or now < plan.opens_at:
        return Refused(problem=SCHEDULE_CLOSED)
    if ask.is_private and not access.is_own:
        return Refused(problem=APPOINTMENT_PRIVATE_OWN_ONLY, where="is_private")
    refused = await _not_free(tx, wish)
    if refused is not None:
        return refused
    # The person before the slot, as everywhere; moves hold the slot alone.
    slot = await slots.lock(tx, ask.facility_id, ask.slot_id)
    if isinstance(slot, Refused) or slot.group_id != ask.schedule_id:
        return Refused(problem=SLOT_UNKNOWN)
    # What others held too long is free, whether or not the worker has been there yet.
    await keep(tx, await slots.release(tx, slot, now), now)
    return await _booked(tx, wish, plan, slot)


async def _not_free(tx: Tx, wish: _Wish) -> Refused | None:
    """One per slot, and so many ahead, by what this account sees and did; charged to the account."""
    access, ask, now = wish.access, wish.ask, wish.now
    account = access.actor.actor_id
    spent = await budgets.charge_or_refuse(tx, budgets.APPOINTMENTS_DAY, budgets.subject(account.bytes), now)
    if spent is not None:
        return spent
    await queries.LOCK_PERSON.one(tx, access.patient_id)
    ahead, missed = 0, list[datetime]()
    for patient_id in people(access):
        standing = await queries.STANDING.all(tx, patient_id, ask.slot_id, access.is_own)
        if await _seen_of(tx, access, standing):
            return Refused(problem=APPOINTMENT_EXISTS)
        since = now - MISSES_WITHIN
        of_account = await queries.OF_ACCOUNT.all(
            tx, patient_id, account, ask.facility_id, now, access.is_own, since
        )
        for row in await _seen_of(tx, access, of_account):
            ahead += row.state in AHEAD
            missed += [row.missed_at] if row.missed_at is not None and row.referral_id is None else []
    if ahead >= AHEAD_MAX:
        return Refused(problem=APPOINTMENT_LIMIT)
    # A letter is another doctor's word that the visit is needed.
    if wish.referral_id is None and closed_until(missed, now) is not None:
        return Refused(problem=MISSED_OFTEN)
    return None


async def _booked(tx: Tx, wish: _Wish, plan: ScheduleRow, slot: SlotRow) -> AppointmentRow | Refused:
    access, now, ident = wish.access, wish.now, uuid7(wish.now)
    until = now + HOLD_LIFE if wish.referral_id is None else None
    booking = await slots.book(
        tx, slot, ident, access.patient_id, now, may_wait=wish.ask.may_wait, held_until=until
    )
    if isinstance(booking, Refused):
        return booking
    row = AppointmentRow(
        patient_id=access.patient_id,
        appointment_id=ident,
        facility_id=slot.facility_id,
        schedule_id=plan.schedule_id,
        slot_id=slot.slot_id,
        unit_id=plan.unit_id,
        practitioner_id=plan.practitioner_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        state=booking.state,
        held_until=booking.held_until,
        sequence=0,
        booked_by=access.actor.actor_id,
        referral_id=wish.referral_id,
        missed_at=None,
        made_at=now,
        moved_at=now,
    )
    await queries.INSERT.run(tx, *(getattr(row, name) for name in AppointmentRow.__struct_fields__))
    if wish.ask.is_private:
        await safety.flag(tx, row.patient_id, "booking", ident, "own-wish", now)
    elif await schedules.is_kept(tx, plan):
        await safety.flag(tx, row.patient_id, "booking", ident, "sensitive-department", now)
    if booking.held_until is not None:
        ref = f"{slot.facility_id}:{slot.slot_id}:{ident}"
        await schedule(tx, bucket_of(slot.facility_id), booking.held_until, HOLD_JOB, ref)
    await _noted(tx, access, row, "hold" if booking.state == "held" else "book", wish.request_id, now)
    return row


async def own(tx: Tx, access: Access, appointment_id: UUID) -> AppointmentRow | Refused:
    """One that whoever acts may see; a job acts for the person. Refused: appointment-unknown."""
    for patient_id in people(access):
        row = await queries.BY_ID.one(tx, patient_id, appointment_id, sees_all(access))
        if row is not None and await is_seen(tx, access, row):
            return row
    return Refused(problem=APPOINTMENT_UNKNOWN)


async def own_list(tx: Tx, access: Access, before: UUID, limit: int) -> list[AppointmentRow]:
    """Newest first, of everybody merged into the person too; a page is full unless it is the last."""
    found: list[AppointmentRow] = []
    while len(found) < limit:
        batch = [
            row
            for patient_id in people(access)
            for row in await queries.OF_PERSON.all(tx, patient_id, sees_all(access), before, limit)
        ]
        batch = sorted(batch, key=lambda row: row.appointment_id, reverse=True)[:limit]
        if not batch:
            break
        found += await _seen_of(tx, access, batch)
        before = batch[-1].appointment_id
    return found[:limit]


async def next_of(tx: Tx, access: Access, now: datetime) -> AppointmentRow | None:
    """The next place that is held or booked, of what whoever acts may see."""
    found = []
    for patient_id in people(access):
        rows = await queries.NEXT_OF_PERSON.all(tx, patient_id, sees_all(access), now, NEXT_MAX)
        found += await _seen_of(tx, access, rows)
    return min(found, key=lambda row: row.starts_at, default=None)


async def confirm(
    tx: Tx, access: Access, appointment_id: UUID, request_id: str, now: datetime
) -> AppointmentRow | Refused:
    """Say yes to a place that is held; again, where it is booked, says the same. Refused:
    appointment-unknown, appointment-hold-over, slot-over, booking-state."""
    row = await own(tx, access, appointment_id)
    if isinstance(row, Refused) or row.state == "booked":
        return row
    if row.state == "lapsed" and row.held_until is None and row.moved_at < row.starts_at:
        return Refused(problem=HOLD_OVER)
    slot = await slots.lock(tx, row.facility_id, row.slot_id)
    if isinstance(slot, Refused):
        return Refused(problem=SLOT_OVER)
    released = await slots.release(tx, slot, now)
    await keep(tx, released, now)
    if any(one.booking_id == appointment_id for one in released):
        return Refused(problem=HOLD_OVER)
    # Under the lock: another device may have said yes meanwhile.
    row = await own(tx, access, appointment_id)
    if isinstance(row, Refused) or row.state == "booked":
        return row
    return await _moved(tx, access, row, slot, "confirm", request_id, now)


async def cancel(
    tx: Tx, access: Access, appointment_id: UUID, request_id: str, now: datetime
) -> AppointmentRow | Refused:
    """Give the place back; who waits first gets it in the same instant. Again says the same. What has begun
    is not given back: who stayed away is not there. Refused: appointment-unknown, booking-state,
    slot-over."""
    row = await own(tx, access, appointment_id)
    if isinstance(row, Refused) or row.state == "cancelled":
        return row
    slot = await slots.lock(tx, row.facility_id, row.slot_id)
    if isinstance(slot, Refused):
        return Refused(problem=SLOT_OVER)  # slots go before the appointments in them
    return await _moved(tx, access, row, slot, "cancel", request_id, now)


async def _moved(
    tx: Tx,
    access: Access,
    row: AppointmentRow,
    slot: SlotRow,
    act: BookingAct,
    request_id: str,
    now: datetime,
) -> AppointmentRow | Refused:
    if now >= slot.starts_at or (act == "confirm" and slot.state != "open"):
        return Refused(problem=SLOT_OVER)
    moved = await slots.move(tx, slot, row.appointment_id, act, now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved[:1], now, told=False)
    await keep(tx, moved[1:], now)
    await _noted(tx, access, row, act, request_id, now)
    return await own(tx, access, row.appointment_id)


async def _noted(
    tx: Tx, access: Access, row: AppointmentRow, act: str, request_id: str, now: datetime
) -> None:
    """The row in the person's log, last of all, and the news where a relative did it."""
    await emit(tx, row.patient_id, NOTED, {"appointment_id": str(row.appointment_id)}, now)
    if access.on_behalf_of is not None and act != "hold":
        await tell(tx, row.patient_id, row.appointment_id, row.patient_id, act, now)
    await record_act(
        tx,
        await book_to_tell(tx, row.patient_id, now),
        access.actor,
        f"visit:appointment:{act}",
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


def people(access: Access) -> tuple[UUID, ...]:
    return (access.patient_id, *sorted(access.origins))


def sees_all(access: Access) -> bool:
    """Whether nothing is kept from whoever reads: the person, and a job that acts for nobody else."""
    return access.is_own or access.basis == "job"


async def is_seen(tx: Tx, access: Access, row: AppointmentRow) -> bool:
    """A department that is sensitive by the words for it alone is one for the family too, and a facility that
    is so as a whole is one altogether: judged whenever it is read, for either may have become so since."""
    return sees_all(access) or not await is_at_sensitive(tx, row)


async def _seen_of(tx: Tx, access: Access, rows: list[AppointmentRow]) -> list[AppointmentRow]:
    return [row for row in rows if await is_seen(tx, access, row)]


async def is_at_sensitive(tx: Tx, row: AppointmentRow) -> bool:
    plan = await queries.SCHEDULE_BY_ID.one(tx, row.facility_id, row.schedule_id)
    if plan is not None and await schedules.tells(tx, plan):
        return True
    if row.unit_id is not None and await sensitive_of(tx, [row.unit_id]):
        return True
    return not await is_listable(tx, row.facility_id)


async def is_kept(tx: Tx, row: AppointmentRow) -> bool:
    """Whether the family learns nothing of it."""
    return bool(await queries.IS_KEPT.one(tx, row.patient_id, row.appointment_id)) or await is_at_sensitive(
        tx, row
    )
