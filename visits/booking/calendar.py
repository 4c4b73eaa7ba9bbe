"""An appointment as a file for a calendar, which others may see too: the facility, by its discreet name where
the department is sensitive, and never what for, which a department's name says too (security.md S23)."""

from typing import Final

from documents.icalendar import CalendarEvent
from identity.register.facilities import facility_by_id
from kernel.problems import Refused
from store.database import Tx
from visits.booking.models import AppointmentRow
from visits.booking.policy import ENDED
from visits.booking.problems import APPOINTMENT_NOT_BOOKED
from visits.booking.service import is_kept

SUMMARY_VI: Final = "Lịch hẹn"


async def event_of(tx: Tx, row: AppointmentRow) -> CalendarEvent | Refused:
    """The event as it stands; one that fell away takes itself out of the calendar. Refused:
    appointment-not-booked, while a place is held or waited for."""
    if row.state in ("held", "waiting"):
        return Refused(problem=APPOINTMENT_NOT_BOOKED)
    facility = await facility_by_id(tx, row.facility_id)
    assert facility is not None
    is_discreet = await is_kept(tx, row)
    place = facility.discreet_name if is_discreet else facility.name
    return CalendarEvent(
        uid=f"{row.appointment_id}@healthbook",
        sequence=row.sequence,
        is_cancelled=row.state in ENDED,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        changed_at=row.moved_at,
        summary=SUMMARY_VI,
        location=place,
        organizer=f"urn:uuid:{row.facility_id}",
        organizer_name=place,
    )
