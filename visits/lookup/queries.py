"""SQL of how look-ups went."""

from store.statement import Command, Scalar, Statement
from visits.lookup.models import CountRow, FacilityCountRow

COUNT = Command(
    "INSERT INTO look_up_count (facility_id, day, kind, outcome, times) VALUES ($1, $2, $3, $4, 1)"
    " ON CONFLICT (facility_id, day, kind, outcome) DO UPDATE SET times = look_up_count.times + 1"
)
OF_FACILITY = Statement(
    CountRow,
    "SELECT kind, outcome, sum(times)::int AS times FROM look_up_count"
    " WHERE facility_id = $1 AND day >= $2 AND day < $3 GROUP BY kind, outcome ORDER BY kind, outcome",
)
# A page of facilities by their id; every outcome of each, whatever was typed.
OF_ALL = Statement(
    FacilityCountRow,
    "SELECT c.facility_id, f.name AS facility_name, c.outcome, sum(c.times)::int AS times"
    " FROM look_up_count c JOIN facility f ON f.facility_id = c.facility_id"
    " WHERE c.day >= $1 AND c.day < $2 AND c.facility_id IN ("
    "SELECT DISTINCT n.facility_id FROM look_up_count n"
    " WHERE n.day >= $1 AND n.day < $2 AND n.facility_id > $3 ORDER BY n.facility_id LIMIT $4)"
    " GROUP BY c.facility_id, f.name, c.outcome ORDER BY c.facility_id, c.outcome",
    fan_out="the health department's month of every facility, a page at a time",
)
DELETE_OLD = Scalar(
    int,
    "WITH old AS MATERIALIZED"
    " (SELECT facility_id, day, kind, outcome FROM look_up_count WHERE day < $1::timestamptz::date LIMIT $2),"
    " gone AS (DELETE FROM look_up_count c USING old WHERE c.facility_id = old.facility_id"
    " AND c.day = old.day AND c.kind = old.kind AND c.outcome = old.outcome RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
