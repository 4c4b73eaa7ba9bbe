"""An appointment as its person, or who acts for the person, reads it."""

from datetime import datetime

from store.database import Tx
from visits.booking import queries, schedules
from visits.booking.models import Appointment, AppointmentRow
from visits.booking.service import is_kept
from visits.slots.reading import waiting_before


async def line_of(tx: Tx, row: AppointmentRow, now: datetime) -> Appointment:
    """Whoever reads it was let in already (service.own)."""
    plan = await queries.SCHEDULE_BY_ID.one(tx, row.facility_id, row.schedule_id)
    assert plan is not None
    seen = await schedules.shown(tx, plan, now)
    return Appointment(
        appointment_id=row.appointment_id,
        facility_id=row.facility_id,
        facility_name=seen.facility_name,
        schedule_id=row.schedule_id,
        schedule_name=seen.name,
        unit_name=seen.unit_name,
        practitioner_name=seen.practitioner_name,
        slot_id=row.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=row.state,
        held_until=row.held_until,
        waiting_before=await waiting_before(tx, row.facility_id, row.appointment_id),
        by_relative=row.booked_by != row.patient_id,
        is_private=await is_kept(tx, row),
        referral_id=row.referral_id,
        made_at=row.made_at,
        moved_at=row.moved_at,
    )
