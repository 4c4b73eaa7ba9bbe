"""SQL of the monthly file."""

from datetime import date

from audit.accountability.models import Line, Threshold
from store.statement import Command, Scalar, Statement

_COUNTS = (
    "role, requests, reads, people, grants, emergencies, emergency_reads, refusals, people_in_an_hour,"
    " reads_out_of_hours"
)

# $1, $2: the month's instants; $3: its first day; $4, $5: out of hours from, until (clock hours in Vietnam).
COUNT = Command(
    f"""
    WITH act AS (
        SELECT patient_id, at, (e -> 'actor' ->> 'id')::uuid AS practitioner_id,
            coalesce(e -> 'actor' ->> 'role', '') AS role, (e ->> 'facility_id')::uuid AS facility_id,
            e ->> 'action' AS action, e ->> 'outcome' AS outcome, e ->> 'basis' AS basis,
            e -> 'grant' ->> 'id' AS basis_id, extract(hour FROM at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS hour
        FROM (SELECT patient_id, at, entry::json AS e FROM access_log
              WHERE at >= $1 AND at < $2 AND actor_kind = 'practitioner') rows
    ), seen AS (
        SELECT *, outcome <> 'refused' AND action LIKE '%:read' AND basis IS NOT NULL AS is_read
        FROM act WHERE facility_id IS NOT NULL
    ), busiest AS (
        SELECT facility_id, practitioner_id, role, max(people) AS people FROM (
            SELECT facility_id, practitioner_id, role, count(DISTINCT patient_id) AS people
            FROM seen WHERE is_read
            GROUP BY facility_id, practitioner_id, role, date_trunc('hour', at)) hours
        GROUP BY facility_id, practitioner_id, role
    )
    INSERT INTO accountability_line (facility_id, month, practitioner_id, {_COUNTS})
    SELECT s.facility_id, $3, s.practitioner_id, s.role,
        count(*) FILTER (WHERE s.action = 'consent:request:create'),
        count(*) FILTER (WHERE s.is_read),
        count(DISTINCT s.patient_id) FILTER (WHERE s.is_read),
        count(DISTINCT s.basis_id) FILTER (WHERE s.is_read AND s.basis = 'grant'),
        count(DISTINCT s.basis_id) FILTER (WHERE s.is_read AND s.basis = 'break-glass'),
        count(*) FILTER (WHERE s.is_read AND s.basis = 'break-glass'),
        count(*) FILTER (WHERE s.outcome = 'refused'),
        coalesce(max(b.people), 0),
        count(*) FILTER (WHERE s.is_read AND (s.hour >= $4 OR s.hour < $5))
    FROM seen s LEFT JOIN busiest b USING (facility_id, practitioner_id, role)
    GROUP BY s.facility_id, s.practitioner_id, s.role
    """,  # noqa: S608
    fan_out="a month is counted once, over everybody's rows",
)
TAKE_MONTH = Scalar(
    date,
    "INSERT INTO accountability_month (month, counted_at) VALUES ($1, $2) ON CONFLICT (month) DO NOTHING"
    " RETURNING month",
)
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
