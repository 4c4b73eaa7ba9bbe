"""Reminders that follow the book: appointments, cards, vaccinations, registrations, bookings. A look that
comes twice changes nothing."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from consent.decision import decide_job
from ehr.referrals.service import booked as letters_booked
from identity.merges.aliases import survivor_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from reminders import cards
from reminders.care_plans import reading as care_plans
from reminders.days import schedule_around
from reminders.models import EndReason
from reminders.orders import following as orders
from reminders.revisits import following as revisits
from reminders.revisits import letters
from reminders.sources import plan_source
from store.database import Tx
from store.keys import KeyRing
from store.models import Event
from vaccination.registration import service as registrations
from vaccination.registration.models import RegistrationRow
from vaccination.schedule.due import confirmed_due
from vaccination.schedule.service import gather
from visits.booking import service as appointments
from visits.booking.models import AppointmentRow
from visits.slots.models import BookingState

Ref: TypeAlias = dict[str, str]
Handler: TypeAlias = Callable[[Tx, KeyRing, Event, Ref, datetime], Awaitable[None]]

# Newest first: nobody has more ahead.
REGISTRATIONS_MAX: Final = 20
LAST_ID: Final = UUID(int=(1 << 128) - 1)
VACCINATION_SOURCE: Final = "schedule:next"
_OVER: Final[dict[BookingState, EndReason]] = {"attended": "done"}


async def follow(tx: Tx, keys: KeyRing, own: Access, now: datetime) -> None:
    """Bring everything that follows one book in line with it. own: what the job may read."""
    patient_id = own.patient_id
    await revisits.follow(tx, own, patient_id, now)
    await letters.follow(tx, own, patient_id, now)
    await orders.follow(tx, own, patient_id, now)
    await cards.follow(tx, own, patient_id, now)
    await care_plans.follow(tx, own, patient_id, now)
    await follow_schedule(tx, keys, own, patient_id, now)
    for row in await registrations.own_list(tx, own, LAST_ID, REGISTRATIONS_MAX):
        if row.starts_at > now:
            await _follow_place(tx, row, now)
    for visit in await appointments.own_list(tx, own, LAST_ID, REGISTRATIONS_MAX):
        if visit.starts_at > now:
            await _follow_visit(tx, own, visit, now)


async def follow_schedule(tx: Tx, keys: KeyRing, own: Access, patient_id: UUID, now: datetime) -> None:
    """One reminder for the next doses of the schedule, around the day of each."""
    found = await gather(tx, keys, own, now)
    due = [] if isinstance(found, Refused) else confirmed_due(found.plans)
    today = local_day(now)
    days = {row.due_on for _, row in due if row.due_on is not None}
    # A dose that is late for a year is reminded of no more, while others are.
    open_days = [day for day in sorted(days) if schedule_around("vaccination", [day], today) is not None]
    schedule = schedule_around("vaccination", open_days, today)
    reason: EndReason = "cancelled" if due else "done"
    await plan_source(tx, patient_id, "vaccination", VACCINATION_SOURCE, schedule, now, reason=reason)


async def follow_registration(tx: Tx, _keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A registration was made, moved or ended."""
    registration_id = UUID(ref["registration_id"])
    own = await decide_job(tx, "reminders", await survivor_of(tx, event.patient_id))
    row = await registrations.own(tx, own, registration_id)
    if not isinstance(row, Refused):
        await _follow_place(tx, row, now)


async def _follow_place(tx: Tx, row: RegistrationRow, now: datetime) -> None:
    source = f"registration:{row.registration_id}"
    if row.state == "booked":
        schedule = schedule_around("registration", [local_day(row.starts_at)], local_day(now))
        await plan_source(tx, row.patient_id, "revisit", source, schedule, now)
        return
    reason = _OVER.get(row.state, "cancelled")
    await plan_source(tx, row.patient_id, "revisit", source, None, now, reason=reason)


async def follow_appointment(tx: Tx, _keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A visit was booked, moved or given back."""
    own = await decide_job(tx, "reminders", await survivor_of(tx, event.patient_id))
    row = await appointments.own(tx, own, UUID(ref["appointment_id"]))
    if not isinstance(row, Refused):
        await _follow_visit(tx, own, row, now)


async def _follow_visit(tx: Tx, own: Access, row: AppointmentRow, now: datetime) -> None:
    source = f"booking:{row.appointment_id}"
    if row.state == "booked" and not await _is_told_with_letter(tx, own, row, now):
        schedule = schedule_around("registration", [local_day(row.starts_at)], local_day(now))
        await plan_source(tx, row.patient_id, "revisit", source, schedule, now)
        return
    reason = _OVER.get(row.state, "cancelled")
    await plan_source(tx, row.patient_id, "revisit", source, None, now, reason=reason)


async def _is_told_with_letter(tx: Tx, own: Access, row: AppointmentRow, now: datetime) -> bool:
    """Whether its facility said the same day for the letter that booked it: that has its own reminder
    (reminders/revisits/letters.py), and one day rings once."""
    if row.referral_id is None:
        return False
    day = local_day(row.starts_at)
    return any(
        one.referral_id == row.referral_id and one.day == day for one in await letters_booked(tx, own, now)
    )


def and_follow_visit(say: Handler) -> Handler:
    """The news of an appointment, and its reminder after it."""

    async def say_and_follow(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await follow_appointment(tx, keys, event, ref, now)

    return say_and_follow


def and_follow(say: Handler) -> Handler:
    """The news of a registration, and its reminder after it."""

    async def say_and_follow(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await follow_registration(tx, keys, event, ref, now)

    return say_and_follow
