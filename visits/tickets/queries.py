"""All SQL of numbers in a line."""

from typing import Final

from store.statement import Command, Scalar, Statement
from visits.tickets.models import Given, InLine, QueueTicket, TicketKept, TicketState

_LINE: Final = "facility_id = $1 AND counter_id = $2 AND day = $3"
_WAITS: Final = "called_at IS NULL AND left_at IS NULL"
_HELD: Final = (
    "SELECT number, valid_until, called_at IS NOT NULL AS is_called FROM queue_ticket"  # noqa: S608
    f" WHERE {_LINE} AND subject = ANY($4::bytea[]) AND valid_until > $5 AND left_at IS NULL"
    " ORDER BY number DESC LIMIT 1"
)

# The subject's number that still counts, or the next one of the counter's day. Two of one subject at the same
# moment both look before the day's row is theirs: the second then finds the turn taken and gets no row.
TAKE = Statement(
    TicketKept,
    f"""
    WITH held AS ({_HELD}), next AS (
        INSERT INTO queue_day AS d (facility_id, counter_id, day, last_number)
        SELECT $1, $2, $3, 1 WHERE NOT EXISTS (SELECT FROM held)
        ON CONFLICT (facility_id, counter_id, day) DO UPDATE SET last_number = d.last_number + 1
        RETURNING d.last_number
    ), made AS (
        INSERT INTO queue_ticket (facility_id, counter_id, day, number, subject, turn, arrival_id, taken_at,
            valid_until)
        SELECT $1, $2, $3, next.last_number, ($4::bytea[])[1],
            (SELECT count(*)::int FROM queue_ticket WHERE {_LINE} AND subject = ($4::bytea[])[1]),
            $6, $5, $7
        FROM next
        ON CONFLICT (facility_id, counter_id, day, subject, turn) DO NOTHING
        RETURNING number, valid_until, called_at IS NOT NULL AS is_called
    )
    SELECT number, valid_until, is_called FROM held UNION ALL SELECT number, valid_until, is_called FROM made
    """,  # noqa: S608 - a constant of ours
)
# The row is still held by whoever counted it up: nobody has the next number yet.
GIVE_BACK = Command(f"UPDATE queue_day SET last_number = last_number - 1 WHERE {_LINE}")  # noqa: S608

CALL_NEXT = Scalar(
    int,
    f"""
    UPDATE queue_ticket SET called_at = $4
    WHERE {_LINE} AND {_WAITS} AND number = (
        SELECT number FROM queue_ticket WHERE {_LINE} AND {_WAITS} ORDER BY number LIMIT 1
        FOR UPDATE SKIP LOCKED)
    RETURNING number
    """,  # noqa: S608 - a constant of ours
)
# A page of who waits, behind that number.
WAITING = Statement(
    InLine,
    f"""
    SELECT number, taken_at FROM queue_ticket WHERE {_LINE} AND {_WAITS} AND number > $4
    ORDER BY number LIMIT $5
    """,  # noqa: S608 - a constant of ours
)
COUNT_WAITING = Scalar(
    int,
    f"SELECT count(*)::int AS waiting FROM queue_ticket WHERE {_LINE} AND {_WAITS}",  # noqa: S608
)
LAST_CALLED = Scalar(
    int,
    f"SELECT number FROM queue_ticket WHERE {_LINE} AND called_at IS NOT NULL"  # noqa: S608
    " ORDER BY called_at DESC, number DESC LIMIT 1",
)
STATE = Statement(
    TicketState,
    """
    SELECT c.code AS counter_code, t.valid_until, t.taken_at, t.called_at, t.left_at, (
        SELECT count(*)::int FROM queue_ticket a
        WHERE a.facility_id = $1 AND a.counter_id = $2 AND a.day = $3 AND a.number < $4
          AND a.called_at IS NULL AND a.left_at IS NULL) AS ahead
    FROM queue_ticket t JOIN counter c ON c.facility_id = t.facility_id AND c.counter_id = t.counter_id
    WHERE t.facility_id = $1 AND t.counter_id = $2 AND t.day = $3 AND t.number = $4
    """,
)
OF_ARRIVAL = Statement(
    QueueTicket,
    """
    SELECT t.counter_id, c.code AS counter_code, t.day, t.number, t.valid_until,
        t.called_at IS NOT NULL AS is_called
    FROM queue_ticket t JOIN counter c ON c.facility_id = t.facility_id AND c.counter_id = t.counter_id
    WHERE t.facility_id = $1 AND t.arrival_id = $2 ORDER BY t.taken_at DESC LIMIT 1
    """,
)
LEAVE = Command(
    f"UPDATE queue_ticket SET left_at = $5 WHERE {_LINE} AND number = $4 AND left_at IS NULL"  # noqa: S608
)
# The numbers that were first given for an arrival and stand, latest first.
GIVEN_FOR = Statement(
    Given,
    """
    SELECT t.counter_id, c.unit_id, t.day, t.number
    FROM queue_ticket t JOIN counter c ON c.facility_id = t.facility_id AND c.counter_id = t.counter_id
    WHERE t.facility_id = $1 AND t.arrival_id = $2 AND t.left_at IS NULL ORDER BY t.taken_at DESC, t.number
    """,
)
DELETE_TICKETS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, counter_id, day, number FROM queue_ticket"
    " WHERE day < $1 LIMIT $2), gone AS (DELETE FROM queue_ticket t USING old"
    " WHERE t.facility_id = old.facility_id AND t.counter_id = old.counter_id AND t.day = old.day"
    " AND t.number = old.number RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
DELETE_DAYS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, counter_id, day FROM queue_day WHERE day < $1 LIMIT $2),"
    " gone AS (DELETE FROM queue_day d USING old WHERE d.facility_id = old.facility_id"
    " AND d.counter_id = old.counter_id AND d.day = old.day RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
