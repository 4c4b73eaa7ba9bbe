"""SQL of stays."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from visits.stays.models import StayRow

_ROW: Final = ", ".join(StayRow.__struct_fields__)

INSERT = Command(
    f"INSERT INTO stay ({_ROW}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608 - ours
)
BY_ID = Statement(
    StayRow,
    f"SELECT {_ROW} FROM stay WHERE facility_id = $1 AND stay_id = $2 FOR UPDATE",  # noqa: S608 - ours
)
END = Command("UPDATE stay SET until_at = $3 WHERE facility_id = $1 AND stay_id = $2")
DELETE = Scalar(UUID, "DELETE FROM stay WHERE facility_id = $1 AND stay_id = $2 RETURNING stay_id")
# Who stayed at any time of some hours, by the time of arrival, above a keyset.
LISTED = Statement(
    StayRow,
    f"""
    SELECT {_ROW} FROM stay
    WHERE facility_id = $1 AND from_at < $3 AND coalesce(until_at, $2) >= $2
        AND (from_at, stay_id) > ($4, $5)
    ORDER BY from_at, stay_id LIMIT $6
    """,  # noqa: S608 - ours
)
# One that nobody ended is over for certain after a year.
DELETE_OLD = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, stay_id FROM stay"
    " WHERE from_at < $1 AND coalesce(until_at, from_at + interval '1 year') < $1 LIMIT $2),"
    " gone AS (DELETE FROM stay s USING old"
    " WHERE s.facility_id = old.facility_id AND s.stay_id = old.stay_id RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
