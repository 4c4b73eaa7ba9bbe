"""All SQL of slots and of the facility's end of bookings."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from visits.slots.models import BookingRow, ListedBooking, SlotRow, SlotShown
from visits.slots.policy import TAKING

_SLOT: Final = ", ".join(SlotRow.__struct_fields__)
_BOOKING: Final = ", ".join(BookingRow.__struct_fields__)
_OF_SLOT: Final = " FROM slot_booking b WHERE b.facility_id = $1 AND b.slot_id = s.slot_id"
_TAKING: Final = ", ".join(f"'{one}'" for one in sorted(TAKING))
_TAKEN: Final = f"(SELECT count(*)::int{_OF_SLOT} AND b.state IN ({_TAKING}))"

INSERT_SLOT = Command(
    f"INSERT INTO slot ({_SLOT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608 - a constant of ours
)
SLOT_BY_ID = Statement(
    SlotRow,
    f"SELECT {_SLOT} FROM slot WHERE facility_id = $1 AND slot_id = $2",  # noqa: S608 - a constant of ours
)
# Whoever changes who has a place of it holds this; bookings that are made meanwhile only point at it.
LOCK_SLOT = Statement(SlotRow, SLOT_BY_ID.sql + " FOR NO KEY UPDATE")
COUNT_OF_GROUP = Scalar(
    int, "SELECT count(*)::int AS made FROM slot WHERE facility_id = $1 AND group_id = $2"
)
OPEN_OF_GROUP = Scalar(
    UUID,
    "SELECT slot_id FROM slot WHERE facility_id = $1 AND group_id = $2 AND state = 'open'"
    " ORDER BY starts_at, slot_id LIMIT 1",
)
SHOWN_OF_GROUP = Statement(
    SlotShown,
    f"""
    SELECT s.slot_id, s.starts_at, s.ends_at, s.capacity, s.state,
        greatest(s.capacity - {_TAKEN}, 0)::int AS free,
        (SELECT count(*)::int {_OF_SLOT} AND b.state = 'waiting') AS waiting
    FROM slot s
    WHERE s.facility_id = $1 AND s.group_id = $2 AND s.starts_at >= $3
    ORDER BY s.starts_at, s.slot_id LIMIT $4
    """,  # noqa: S608 - a constant of ours
)
SET_CAPACITY = Command("UPDATE slot SET capacity = $3 WHERE facility_id = $1 AND slot_id = $2")
CLOSE_SLOT = Command("UPDATE slot SET state = 'closed' WHERE facility_id = $1 AND slot_id = $2")

TAKEN = Scalar(
    int,
    "SELECT count(*)::int AS taken FROM slot_booking"  # noqa: S608 - a constant of ours
    f" WHERE facility_id = $1 AND slot_id = $2 AND state IN ({_TAKING})",
)
WAITING = Scalar(
    int,
    "SELECT count(*)::int AS waiting FROM slot_booking"
    " WHERE facility_id = $1 AND slot_id = $2 AND state = 'waiting'",
)
AHEAD = Scalar(
    int,
    "SELECT count(*)::int AS ahead FROM slot_booking"
    " WHERE facility_id = $1 AND slot_id = $2 AND state = 'waiting' AND turn < $3",
)
# Under the slot's lock: no two have one turn.
INSERT_BOOKING = Statement(
    BookingRow,
    f"""
    INSERT INTO slot_booking ({_BOOKING})
    SELECT $1, $2, $3, $4, coalesce(max(turn), 0)::int + 1, $5, $6, $6, $7
    FROM slot_booking WHERE facility_id = $1 AND slot_id = $3
    RETURNING {_BOOKING}
    """,  # noqa: S608 - a constant of ours
)
BOOKING_BY_ID = Statement(
    BookingRow,
    f"SELECT {_BOOKING} FROM slot_booking WHERE facility_id = $1 AND booking_id = $2",  # noqa: S608
)
# In turn: who waits, or who stands at all.
IN_STATE = Statement(
    BookingRow,
    f"""
    SELECT {_BOOKING} FROM slot_booking
    WHERE facility_id = $1 AND slot_id = $2 AND state = ANY($3::text[]) ORDER BY turn LIMIT $4
    """,  # noqa: S608 - a constant of ours
)
# Held longer than it may be, in turn.
HELD_IN_VAIN = Statement(
    BookingRow,
    f"""
    SELECT {_BOOKING} FROM slot_booking
    WHERE facility_id = $1 AND slot_id = $2 AND state = 'held' AND held_until <= $3 ORDER BY turn
    """,  # noqa: S608 - a constant of ours
)
MOVE_BOOKING = Command(
    "UPDATE slot_booking SET state = $3, moved_at = $4 WHERE facility_id = $1 AND booking_id = $2"
)
# A page of the bookings of some hours, by their time and turn. $8: of these groups alone.
LISTED = Statement(
    ListedBooking,
    """
    SELECT b.booking_id, b.slot_id, s.group_id, b.patient_id, s.starts_at, s.ends_at, b.turn, b.state
    FROM slot s JOIN slot_booking b ON b.facility_id = s.facility_id AND b.slot_id = s.slot_id
    WHERE s.facility_id = $1 AND b.facility_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3
        AND s.kind = $7 AND ($8::uuid[] IS NULL OR s.group_id = ANY($8))
        AND b.state IN ('held', 'booked', 'waiting', 'attended', 'absent')
        AND (s.starts_at, s.slot_id, b.turn) > ($4, $5, $6)
    ORDER BY s.starts_at, s.slot_id, b.turn LIMIT $9
    """,
)
DELETE_BOOKING = Command("DELETE FROM slot_booking WHERE facility_id = $1 AND booking_id = $2")
DELETE_ENDED = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT b.facility_id, b.booking_id FROM slot s"
    " JOIN slot_booking b ON b.facility_id = s.facility_id AND b.slot_id = s.slot_id"
    " WHERE s.kind = $1 AND s.ends_at < $2 LIMIT $3),"
    " gone AS (DELETE FROM slot_booking b USING old"
    " WHERE b.facility_id = old.facility_id AND b.booking_id = old.booking_id RETURNING 1)"
    " SELECT count(*)::int AS gone FROM gone",
    fan_out="once an hour a worker removes who was booked on days long past, wherever it lies",
)
# Those that nobody's booking stands in any more.
DELETE_EMPTY = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT s.facility_id, s.slot_id FROM slot s"
    " WHERE s.kind = $1 AND s.ends_at < $2 AND NOT EXISTS (SELECT FROM slot_booking b"
    " WHERE b.facility_id = s.facility_id AND b.slot_id = s.slot_id) LIMIT $3),"
    " gone AS (DELETE FROM slot s USING old"
    " WHERE s.facility_id = old.facility_id AND s.slot_id = old.slot_id RETURNING 1)"
    " SELECT count(*)::int AS gone FROM gone",
    fan_out="once an hour a worker removes slots of days long past, wherever they lie",
)
