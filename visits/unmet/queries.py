"""SQL of typed arrivals."""

from typing import Final

from store.statement import Command, Scalar, Statement
from visits.unmet.models import TypedRow, UnmetRow

INSERT = Command(
    "INSERT INTO typed_arrival (facility_id, arrival_id, recorded_by, recorded_at, number_sealed)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
)
WITHDRAW = Command(
    "UPDATE typed_arrival SET withdrawn_at = $3"
    " WHERE facility_id = $1 AND arrival_id = $2 AND withdrawn_at IS NULL"
)
WAS_WITHDRAWN = Scalar(
    bool,
    "SELECT withdrawn_at IS NOT NULL AS was_withdrawn FROM typed_arrival"
    " WHERE facility_id = $1 AND arrival_id = $2",
)
NUMBER = Scalar(bytes, "SELECT number_sealed FROM typed_arrival WHERE facility_id = $1 AND arrival_id = $2")
WAITING = Statement(
    TypedRow,
    "SELECT recorded_at, number_sealed FROM typed_arrival"
    " WHERE facility_id = $1 AND arrival_id = $2 AND unmet_at IS NULL FOR UPDATE",
)
LIST = Command(
    "UPDATE typed_arrival SET unmet_at = $3, number_sealed = $4 WHERE facility_id = $1 AND arrival_id = $2"
)
DELETE = Command("DELETE FROM typed_arrival WHERE facility_id = $1 AND arrival_id = $2")

_UNMET: Final = """
    SELECT t.facility_id, f.name AS facility_name, t.arrival_id, t.recorded_by, t.recorded_at,
        t.number_sealed, t.withdrawn_at, t.unmet_at
    FROM typed_arrival t JOIN facility f ON f.facility_id = t.facility_id
    WHERE t.unmet_at IS NOT NULL AND """
# Newest first, below a keyset.
OF_FACILITY = Statement(
    UnmetRow,
    _UNMET + "t.facility_id = $1 AND (t.unmet_at, t.arrival_id) < ($2, $3)"
    " ORDER BY t.unmet_at DESC, t.arrival_id DESC LIMIT $4",
)
OF_ALL = Statement(
    UnmetRow,
    _UNMET + "(t.unmet_at, t.arrival_id) < ($1, $2) ORDER BY t.unmet_at DESC, t.arrival_id DESC LIMIT $3",
    fan_out="the health department's list of every facility, a page at a time",
)
DELETE_OLD = Scalar(
    int,
    "WITH old AS MATERIALIZED"
    " (SELECT facility_id, arrival_id FROM typed_arrival WHERE recorded_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM typed_arrival t USING old"
    " WHERE t.facility_id = old.facility_id AND t.arrival_id = old.arrival_id RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
