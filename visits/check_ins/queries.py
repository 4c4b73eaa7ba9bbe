"""All SQL of recording, ending, listing and forgetting check-ins and visits."""

from typing import Final
from uuid import UUID

from store.database import Tx
from store.statement import Command, Scalar, Statement
from visits.check_ins.models import CheckInRow, ListedCheckIn, VisitRow

_ROW: Final = ", ".join(CheckInRow.__struct_fields__)
_KEPT: Final = (*CheckInRow.__struct_fields__[:8], "counter_id")
_VISIT: Final = ", ".join(VisitRow.__struct_fields__)

# No row for a code that was scanned before, and none for a number that nobody has (security.md S19).
INSERT_CHECK_IN = Scalar(
    UUID,
    """
    INSERT INTO check_in (patient_id, check_in_id, facility_id, means, code_id, recorded_by, recorded_at,
        unit_id, counter_id)
    SELECT $1::uuid, $2::uuid, $3::uuid, $4::text, $5::uuid, $6::uuid, $7::timestamptz, $8::uuid, $9::uuid
    WHERE EXISTS (SELECT FROM citizen WHERE patient_id = $1)
    ON CONFLICT DO NOTHING RETURNING check_in_id
    """,
)


async def insert(tx: Tx, row: CheckInRow) -> bool:
    """False when this code was scanned before, or nobody is the person."""
    values = [getattr(row, name) for name in _KEPT]
    return await INSERT_CHECK_IN.one(tx, *values) is not None


BY_CODE = Statement(
    CheckInRow,
    f"SELECT {_ROW} FROM check_in WHERE patient_id = $1 AND code_id = $2",  # noqa: S608
)
BY_ID = Statement(
    CheckInRow,
    f"SELECT {_ROW} FROM check_in WHERE patient_id = $1 AND check_in_id = $2",  # noqa: S608
)
# The open visit of the person here, held until the transaction ends; $2 becomes its id where none is open.
OPEN_VISIT = Statement(
    VisitRow,
    f"""
    INSERT INTO visit AS v (patient_id, visit_id, facility_id, began_at, last_at)
    SELECT $1::uuid, $2::uuid, $3::uuid, $4::timestamptz, $4
    WHERE EXISTS (SELECT FROM citizen WHERE patient_id = $1)
    ON CONFLICT (patient_id, facility_id) WHERE ended_at IS NULL
    DO UPDATE SET last_at = greatest(v.last_at, excluded.last_at)
    RETURNING {_VISIT}
    """,  # noqa: S608 - a constant of ours
)
SETTLE = Command(
    "UPDATE check_in SET visit_id = $3, counter_id = $4, ticket_day = $5, ticket_number = $6"
    " WHERE patient_id = $1 AND check_in_id = $2"
)
# The same account, the same way, the same counter, within the window of a number: not another check-in.
RECENT_AT_COUNTER = Statement(
    CheckInRow,
    f"""
    SELECT {_ROW} FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND counter_id = $3 AND means = $4 AND recorded_by = $5
      AND recorded_at > $6 AND recorded_at <= $7 AND withdrawn_at IS NULL AND left_at IS NULL
    ORDER BY recorded_at DESC LIMIT 1
    """,  # noqa: S608 - a constant of ours
)
# Whose number of the day at this counter was given with what.
AT_COUNTER_TODAY = Statement(
    CheckInRow,
    f"""
    SELECT {_ROW} FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND counter_id = $3 AND ticket_day = $4
      AND means <> 'companion'
    """,  # noqa: S608 - a constant of ours
)

# Another check-in of the person with that number that stands; one that staff typed is told apart.
HOLDERS = Scalar(
    bool,
    """
    SELECT means = 'staff-typed' AS is_typed FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND counter_id = $3 AND ticket_day = $4 AND ticket_number = $5
      AND check_in_id <> $6 AND withdrawn_at IS NULL AND left_at IS NULL
    """,
)

END_VISIT = Statement(
    VisitRow,
    f"""
    UPDATE visit SET ended_at = $3, ended_by = $4
    WHERE patient_id = $1 AND facility_id = $2 AND ended_at IS NULL RETURNING {_VISIT}
    """,  # noqa: S608 - a constant of ours
)
VISIT_BY_ID = Statement(
    VisitRow,
    f"SELECT {_VISIT} FROM visit WHERE patient_id = $1 AND visit_id = $2 FOR NO KEY UPDATE",  # noqa: S608
)
LEAVE_VISIT = Statement(
    CheckInRow,
    f"""
    UPDATE check_in SET left_at = $3 WHERE patient_id = $1 AND visit_id = $2 AND left_at IS NULL
    RETURNING {_ROW}
    """,  # noqa: S608 - a constant of ours
)
LEAVE_ONE = Command(
    "UPDATE check_in SET left_at = $3 WHERE patient_id = $1 AND check_in_id = $2 AND left_at IS NULL"
)
# A visit of which no check-in stands.
END_EMPTY = Command(
    """
    UPDATE visit v SET ended_at = $3, ended_by = 'withdrawn'
    WHERE v.patient_id = $1 AND v.facility_id = $2 AND v.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM check_in c
        WHERE c.patient_id = $1 AND c.visit_id = v.visit_id AND c.withdrawn_at IS NULL)
    """
)

_LISTED: Final = """
    SELECT c.patient_id, c.check_in_id, c.facility_id, c.means, c.recorded_by, c.recorded_at, c.unit_id,
        c.counter_id, c.ticket_day, c.ticket_number, c.left_at, c.visit_id, v.began_at, v.ended_at, v.ended_by
    FROM check_in c LEFT JOIN visit v ON v.patient_id = c.patient_id AND v.visit_id = c.visit_id
    WHERE c.patient_id = $1
"""
# A page, newest first.
LISTED = Statement(
    ListedCheckIn,
    _LISTED
    + """
      AND c.withdrawn_at IS NULL AND c.recorded_at >= $2 AND (c.recorded_at, c.check_in_id) < ($3, $4)
    ORDER BY c.recorded_at DESC, c.check_in_id DESC LIMIT $5
    """,
)
LISTED_ONE = Statement(ListedCheckIn, _LISTED + " AND c.check_in_id = $2")

# With a check-in goes the flag that lay beside it (visits/safety).
DELETE_CHECK_INS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT patient_id, check_in_id FROM check_in WHERE recorded_at < $1"
    " LIMIT $2), flags AS (DELETE FROM visit_safety s USING old"
    " WHERE s.patient_id = old.patient_id AND s.item_id = old.check_in_id),"
    " gone AS (DELETE FROM check_in c USING old WHERE c.patient_id = old.patient_id"
    " AND c.check_in_id = old.check_in_id RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
DELETE_VISITS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT patient_id, visit_id FROM visit WHERE last_at < $1"
    " LIMIT $2), gone AS (DELETE FROM visit v USING old WHERE v.patient_id = old.patient_id"
    " AND v.visit_id = old.visit_id RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
