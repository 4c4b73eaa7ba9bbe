"""All SQL of schedules and of the person's end of appointments."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from visits.booking.models import AppointmentRow, ScheduleRow

_SCHEDULE: Final = ", ".join(ScheduleRow.__struct_fields__)
_ROW: Final = ", ".join(AppointmentRow.__struct_fields__)
_SELECT: Final = f"SELECT {_ROW} FROM appointment a"  # noqa: S608 - a constant of ours
# What the family learns nothing of (security.md S23): flagged, or at a department that is marked sensitive.
# Of the person $1. What a word of the list alone makes sensitive, the service finds in each row that is read.
_KEPT: Final = (
    "(EXISTS (SELECT FROM visit_safety v WHERE v.patient_id = $1 AND v.item_id = a.appointment_id)"
    " OR EXISTS (SELECT FROM facility_unit u WHERE u.unit_id = a.unit_id AND u.is_sensitive))"
)

INSERT_SCHEDULE = Command(
    f"INSERT INTO appointment_schedule ({_SCHEDULE})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
SCHEDULE_BY_ID = Statement(
    ScheduleRow,
    f"SELECT {_SCHEDULE} FROM appointment_schedule"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND schedule_id = $2",
)
LOCK_SCHEDULE = Statement(ScheduleRow, SCHEDULE_BY_ID.sql + " FOR NO KEY UPDATE")
# Newest first. $3: of one department alone; $4: those that take appointments at that time; $5: with those of
# sensitive departments.
SCHEDULES = Statement(
    ScheduleRow,
    f"""
    SELECT {_SCHEDULE} FROM appointment_schedule s
    WHERE s.facility_id = $1 AND s.schedule_id < $2 AND ($3::uuid IS NULL OR s.unit_id = $3)
        AND ($4::timestamptz IS NULL OR (s.state = 'open' AND s.opens_at <= $4))
        AND ($5 OR NOT (s.is_sensitive
            OR EXISTS (SELECT FROM facility_unit u WHERE u.unit_id = s.unit_id AND u.is_sensitive)))
    ORDER BY s.schedule_id DESC LIMIT $6
    """,  # noqa: S608 - a constant of ours
)
# All of a department that have a slot in some hours: as many as the day needs.
SCHEDULES_OF_UNIT = Scalar(
    UUID,
    "SELECT s.schedule_id FROM appointment_schedule s WHERE s.facility_id = $1 AND s.unit_id = $2"
    " AND EXISTS (SELECT FROM slot o WHERE o.facility_id = s.facility_id AND o.group_id = s.schedule_id"
    " AND o.starts_at >= $3 AND o.starts_at < $4)",
)
CLOSE_SCHEDULE = Command(
    "UPDATE appointment_schedule SET state = 'closed', closed_by = $3, closed_at = $4"
    " WHERE facility_id = $1 AND schedule_id = $2"
)
# A slot lies a year ahead at most: those of a schedule that was closed so long ago are gone.
DELETE_SCHEDULES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, schedule_id FROM appointment_schedule"
    " WHERE closed_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM appointment_schedule s USING old"
    " WHERE s.facility_id = old.facility_id AND s.schedule_id = old.schedule_id RETURNING 1)"
    " SELECT count(*)::int AS gone FROM gone",
    fan_out="once an hour a worker removes schedules closed long ago, wherever they lie",
)

# One appointment of a person after the other, so that two at once see each other.
LOCK_PERSON = Scalar(UUID, "SELECT patient_id FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
INSERT = Command(
    f"INSERT INTO appointment ({_ROW})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
)
# $3: with those that are kept from the family.
BY_ID = Statement(
    AppointmentRow, _SELECT + f" WHERE a.patient_id = $1 AND a.appointment_id = $2 AND ($3 OR NOT {_KEPT})"
)
OF_PERSON = Statement(
    AppointmentRow,
    _SELECT
    + f" WHERE a.patient_id = $1 AND ($2 OR NOT {_KEPT}) AND a.appointment_id < $3"
    + " ORDER BY a.appointment_id DESC LIMIT $4",
)
# What lies ahead, the next one first. $2: with those that are kept from the family; $3 now.
NEXT_OF_PERSON = Statement(
    AppointmentRow,
    _SELECT
    + f" WHERE a.patient_id = $1 AND ($2 OR NOT {_KEPT}) AND a.starts_at > $3"
    + " AND a.state IN ('held', 'booked') ORDER BY a.starts_at, a.appointment_id LIMIT $4",
)
STANDING = Statement(
    AppointmentRow,
    _SELECT
    + f" WHERE a.patient_id = $1 AND a.slot_id = $2 AND ($3 OR NOT {_KEPT})"
    + " AND a.state IN ('held', 'booked', 'waiting', 'attended')",
)
# Those that letters gave and that stand; $3: with those that are kept from the family.
OF_REFERRALS = Statement(
    AppointmentRow,
    _SELECT
    + f" WHERE a.patient_id = $1 AND a.referral_id = ANY($2::uuid[]) AND ($3 OR NOT {_KEPT})"
    + " AND a.state IN ('held', 'booked', 'waiting', 'attended') ORDER BY a.appointment_id LIMIT 400",
)
IS_KEPT = Scalar(
    bool,
    f"SELECT {_KEPT} AS kept FROM appointment a"  # noqa: S608 - a constant of ours
    " WHERE a.patient_id = $1 AND a.appointment_id = $2",
)


# What an account itself has ahead in a book, everywhere, and what of its bookings at a facility was missed
# since $6: nobody's bookings for a person count against the person. Written so that the book is looked
# through, and not the account's bookings in every book.
OF_ACCOUNT = Statement(
    AppointmentRow,
    _SELECT
    + f" WHERE a.patient_id = $1 AND a.booked_by IS NOT DISTINCT FROM $2 AND ($5 OR NOT {_KEPT})"
    + " AND ((a.state IN ('held', 'waiting', 'booked') AND a.starts_at > $4)"
    + " OR (a.facility_id = $3 AND a.missed_at > $6 AND a.referral_id IS NULL))",
)


class Told(Struct, frozen=True):
    """Whom a move concerns beside the person."""

    booked_by: UUID | None


MOVE = Statement(
    Told,
    "UPDATE appointment SET state = $3, moved_at = $4, sequence = sequence + 1, held_until = NULL"
    " WHERE patient_id = $1 AND appointment_id = $2 RETURNING booked_by",
)
# Any number of the person's at the facility, also one that is no presence: whoever took it did not stay away.
TOOK_NUMBER = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM check_in WHERE patient_id = $1 AND facility_id = $2"
    " AND recorded_at >= $3 AND recorded_at <= $4 AND withdrawn_at IS NULL) AS took",
)
SET_MISSED = Command("UPDATE appointment SET missed_at = $3 WHERE patient_id = $1 AND appointment_id = $2")


class Ended(Struct, frozen=True):
    patient_id: UUID
    appointment_id: UUID
    facility_id: UUID


ENDED = Statement(
    Ended,
    "SELECT patient_id, appointment_id, facility_id FROM appointment WHERE ends_at < $1 LIMIT $2",
    fan_out="once an hour a worker removes appointments of days long past, wherever they lie",
)
DELETE = Command("DELETE FROM appointment WHERE patient_id = $1 AND appointment_id = $2")
