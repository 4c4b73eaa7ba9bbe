"""SQL of the monthly file."""

from datetime import date, datetime
from uuid import UUID

from audit.accountability.models import Line, Threshold
from store.statement import Command, Scalar, Statement

_COUNTS = (
    "role, requests, reads, people, grants, emergencies, emergency_reads, refusals, people_in_an_hour,"
    " reads_out_of_hours"
)

# Rows of some people in a month. $1: the people; $2, $3: the month's instants.
_SEEN = """
    WITH act AS (
        SELECT patient_id, at, (e -> 'actor' ->> 'id')::uuid AS practitioner_id,
            coalesce(e -> 'actor' ->> 'role', '') AS role, (e ->> 'facility_id')::uuid AS facility_id,
            e ->> 'action' AS action, e ->> 'outcome' AS outcome, e ->> 'basis' AS basis,
            e -> 'grant' ->> 'id' AS basis_id, extract(hour FROM at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS hour
        FROM (SELECT patient_id, at, entry::json AS e FROM access_log
              WHERE patient_id = ANY ($1::uuid[]) AND at >= $2 AND at < $3
                AND actor_kind = 'practitioner') rows
    ), seen AS (
        SELECT *, outcome <> 'refused' AND action LIKE '%:read' AND basis IS NOT NULL AS is_read
        FROM act WHERE facility_id IS NOT NULL
    )"""
_ADDED = ", ".join(
    f"{name} = accountability_line.{name} + excluded.{name}"
    for name in _COUNTS.replace(" ", "").split(",")
    if name not in ("role", "people_in_an_hour")
)
_BY_PEOPLE = "a month is counted once, some people of the log at a time, into lines by facility"

# A person's grants and openings are that person's, so counts of some people add up to those of all. $4: the
# month's first day; $5, $6: out of hours from, until (clock hours in Vietnam).
COUNT = Command(
    f"""
    {_SEEN}
    INSERT INTO accountability_line (facility_id, month, practitioner_id, {_COUNTS})
    SELECT facility_id, $4, practitioner_id, role,
        count(*) FILTER (WHERE action = 'consent:request:create'),
        count(*) FILTER (WHERE is_read),
        count(DISTINCT patient_id) FILTER (WHERE is_read),
        count(DISTINCT basis_id) FILTER (WHERE is_read AND basis = 'grant'),
        count(DISTINCT basis_id) FILTER (WHERE is_read AND basis = 'break-glass'),
        count(*) FILTER (WHERE is_read AND basis = 'break-glass'),
        count(*) FILTER (WHERE outcome = 'refused'),
        0,
        count(*) FILTER (WHERE is_read AND (hour >= $5 OR hour < $6))
    FROM seen GROUP BY facility_id, practitioner_id, role
    ON CONFLICT (facility_id, month, practitioner_id, role) DO UPDATE SET {_ADDED}
    """,  # noqa: S608
    fan_out=_BY_PEOPLE,
)
# After COUNT, whose lines it finds.
COUNT_HOURS = Command(
    f"""
    {_SEEN}, touched AS (
        INSERT INTO accountability_hour (facility_id, month, practitioner_id, role, hour, people)
        SELECT facility_id, $4, practitioner_id, role, date_trunc('hour', at), count(DISTINCT patient_id)
        FROM seen WHERE is_read GROUP BY facility_id, practitioner_id, role, date_trunc('hour', at)
        ON CONFLICT (facility_id, month, practitioner_id, role, hour)
        DO UPDATE SET people = accountability_hour.people + excluded.people
        RETURNING facility_id, practitioner_id, role, people
    ), busiest AS (
        SELECT facility_id, practitioner_id, role, max(people) AS people FROM touched
        GROUP BY facility_id, practitioner_id, role
    )
    UPDATE accountability_line l SET people_in_an_hour = greatest(l.people_in_an_hour, b.people)
    FROM busiest b
    WHERE l.facility_id = b.facility_id AND l.month = $4 AND l.practitioner_id = b.practitioner_id
      AND l.role = b.role
    """,  # noqa: S608
    fan_out=_BY_PEOPLE,
)
FORGET_HOURS = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT DISTINCT h.facility_id, h.month FROM accountability_hour h
        JOIN accountability_month m ON m.month = h.month LIMIT $1
    ), gone AS (
        DELETE FROM accountability_hour h USING old
        WHERE h.facility_id = old.facility_id AND h.month = old.month RETURNING 1
    )
    SELECT count(*) FROM gone
    """,
    fan_out=_BY_PEOPLE,
)
# Ids rise with time, so the first row of the oldest person is about the log's first.
FIRST_AT = Scalar(
    datetime, "SELECT at FROM access_log ORDER BY patient_id, seq LIMIT 1", fan_out="one row, once an hour"
)
PEOPLE_AFTER = Scalar(
    UUID,
    "SELECT patient_id FROM audit_head WHERE patient_id > $1 ORDER BY patient_id LIMIT $2",
    fan_out=_BY_PEOPLE,
)
COUNTED_UP_TO = Scalar(UUID, "SELECT counted_up_to FROM accountability_run WHERE month = $1 FOR UPDATE")
BEGIN_RUN = Command(
    "INSERT INTO accountability_run (month, counted_up_to) VALUES ($1, $2) ON CONFLICT (month) DO NOTHING"
)
ADVANCE_RUN = Command("UPDATE accountability_run SET counted_up_to = $2 WHERE month = $1")
END_RUN = Command("DELETE FROM accountability_run WHERE month = $1")
MARK_COUNTED = Command(
    "INSERT INTO accountability_month (month, counted_at) VALUES ($1, $2) ON CONFLICT (month) DO NOTHING"
)
COUNTED_MONTHS = Scalar(date, "SELECT month FROM accountability_month ORDER BY month")
IS_COUNTED = Scalar(date, "SELECT month FROM accountability_month WHERE month = $1")
LINES = Statement(
    Line,
    f"""
    SELECT facility_id, practitioner_id, {_COUNTS} FROM accountability_line
    WHERE facility_id = $1 AND month = $2 ORDER BY reads DESC, practitioner_id, role LIMIT $3
    """,  # noqa: S608
)
ALL_LINES = Statement(
    Line,
    f"""
    SELECT facility_id, practitioner_id, {_COUNTS} FROM accountability_line
    WHERE month = $1 ORDER BY facility_id, reads DESC, practitioner_id, role LIMIT $2
    """,  # noqa: S608
    fan_out="the health department's file spans all facilities",
)
THRESHOLDS = Statement(Threshold, "SELECT name, value FROM accountability_threshold ORDER BY name")
SET_THRESHOLD = Command(
    "INSERT INTO accountability_threshold (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
