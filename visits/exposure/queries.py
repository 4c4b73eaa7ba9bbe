"""All SQL of lists of who was at a facility."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from visits.exposure.models import Came, Entry, ListRow

_LIST: Final = ", ".join(ListRow.__struct_fields__)
_SELECT: Final = f"SELECT {_LIST} FROM exposure_list"  # noqa: S608 - a constant of ours
_ENTRY: Final = ", ".join(Entry.__struct_fields__)

INSERT_LIST = Command(
    f"INSERT INTO exposure_list ({_LIST})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
)
LIST_BY_ID = Statement(ListRow, _SELECT + " WHERE list_id = $1")
LOCK_LIST = Statement(ListRow, LIST_BY_ID.sql + " FOR NO KEY UPDATE")
LISTS = Statement(ListRow, _SELECT + " WHERE list_id < $1 ORDER BY list_id DESC LIMIT $2")
LISTS_OF_FACILITY = Statement(
    ListRow, _SELECT + " WHERE facility_id = $1 AND list_id < $2 ORDER BY list_id DESC LIMIT $3"
)
DECIDE = Command("UPDATE exposure_list SET state = $2, decided_by = $3, decided_at = $4 WHERE list_id = $1")
REACH = Command("UPDATE exposure_list SET reached_at = $2, reached_id = $3 WHERE list_id = $1")
FINISH = Command(
    "UPDATE exposure_list SET state = 'made', made_at = $2, expires_at = $3, count = $4 WHERE list_id = $1"
)
END = Command("UPDATE exposure_list SET state = 'ended' WHERE list_id = $1")

# What keeps a visit of that person off every list: its own flag, one of another check-in of the same visit,
# or one of an appointment there about that time.
_FLAGGED: Final = """
    EXISTS (SELECT FROM visit_safety s WHERE s.patient_id = {0} AND s.item_id = c.check_in_id)
    OR EXISTS (SELECT FROM visit_safety s JOIN check_in o
        ON o.patient_id = s.patient_id AND o.check_in_id = s.item_id
        WHERE s.patient_id = {0} AND o.visit_id = c.visit_id)
    OR EXISTS (SELECT FROM visit_safety s JOIN appointment a
        ON a.patient_id = s.patient_id AND a.appointment_id = s.item_id
        WHERE s.patient_id = {0} AND a.facility_id = c.facility_id
          AND a.starts_at BETWEEN c.recorded_at - interval '12 hours' AND c.recorded_at + interval '12 hours')
"""
# Whoever was there or may have been: a companion's number and a scan that was sent later say nothing of when.
CAME = Statement(
    Came,
    f"""
    SELECT c.patient_id, c.check_in_id, c.unit_id, c.counter_id, c.means, c.recorded_at,
        ({_FLAGGED.format("c.patient_id")}) AS is_flagged
    FROM check_in c
    WHERE c.facility_id = $1 AND (c.recorded_at, c.check_in_id) > ($2, $3) AND c.recorded_at < $4
      AND c.withdrawn_at IS NULL AND c.means NOT IN ('companion', 'late')
    ORDER BY c.recorded_at, c.check_in_id LIMIT $5
    """,  # noqa: S608 - a constant of ours
    fan_out="a list is made once, by a job: who came to one facility lies by person",
)


class KnownUnit(Struct, frozen=True):
    unit_id: UUID
    is_open: bool


IS_FLAGGED = Scalar(
    bool,
    f"SELECT ({_FLAGGED.format('$1')}) AS is_flagged FROM check_in c"  # noqa: S608 - a constant of ours
    " WHERE c.patient_id = $1 AND c.check_in_id = $2 AND c.withdrawn_at IS NULL",
)

# The same of another book of the person: whatever is flagged there at that facility about that time.
IS_FLAGGED_NEAR = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM visit_safety s JOIN check_in o
        ON o.patient_id = s.patient_id AND o.check_in_id = s.item_id
        WHERE s.patient_id = $1 AND o.facility_id = $2
          AND o.recorded_at BETWEEN $3::timestamptz - interval '12 hours' AND $3 + interval '12 hours')
    OR EXISTS (SELECT FROM visit_safety s JOIN appointment a
        ON a.patient_id = s.patient_id AND a.appointment_id = s.item_id
        WHERE s.patient_id = $1 AND a.facility_id = $2
          AND a.starts_at BETWEEN $3 - interval '12 hours' AND $3 + interval '12 hours') AS is_flagged
    """,
)


# Closed ones as well: what a facility was counts beside what it is.
UNITS_OF_FACILITY = Statement(
    KnownUnit,
    "SELECT unit_id, closed_at IS NULL AS is_open FROM facility_unit WHERE facility_id = $1",
)
SPECIALTIES = Scalar(str, "SELECT specialty FROM facility_specialty WHERE facility_id = $1")


class KnownCounter(Struct, frozen=True):
    counter_id: UUID
    unit_id: UUID | None
    code: str
    name: str


COUNTERS = Statement(
    KnownCounter,
    "SELECT counter_id, unit_id, code, name FROM counter"
    " WHERE facility_id = $1 AND counter_id = ANY($2::uuid[])",
)

INSERT_ENTRY = Command(
    f"INSERT INTO exposure_entry (list_id, {_ENTRY}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608
    " ON CONFLICT DO NOTHING"
)
ENTRIES = Statement(
    Entry,
    f"SELECT {_ENTRY} FROM exposure_entry"  # noqa: S608 - a constant of ours
    " WHERE list_id = $1 AND (recorded_at, check_in_id) > ($2, $3)"
    " ORDER BY recorded_at, check_in_id LIMIT $4",
)
DELETE_ENTRIES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT check_in_id FROM exposure_entry WHERE list_id = $1 LIMIT $2),"
    " gone AS (DELETE FROM exposure_entry e USING old"
    " WHERE e.list_id = $1 AND e.check_in_id = old.check_in_id RETURNING 1) SELECT count(*)::int FROM gone",
)


class HourCount(Struct, frozen=True):
    hour: datetime
    count: int


COUNT_HOURS = Statement(
    HourCount,
    "SELECT date_trunc('hour', recorded_at, 'UTC') AS hour, count(*)::int AS count FROM exposure_entry"
    " WHERE list_id = $1 GROUP BY 1",
)
# The first that is written stands.
INSERT_HOURS = Command(
    "INSERT INTO exposure_hour (facility_id, hour, count)"
    " SELECT $1, n.hour, n.count FROM unnest($2::timestamptz[], $3::int[]) AS n (hour, count)"
    " ON CONFLICT DO NOTHING"
)
SUM_HOURS = Scalar(
    int,
    "SELECT coalesce(sum(count), 0)::int FROM exposure_hour"
    " WHERE facility_id = $1 AND hour >= $2 AND hour < $3",
)
DELETE_HOURS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, hour FROM exposure_hour WHERE hour < $1 LIMIT $2),"
    " gone AS (DELETE FROM exposure_hour h USING old"
    " WHERE h.facility_id = old.facility_id AND h.hour = old.hour RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
