"""All SQL of coverage checks: at the facility that asked, with no word of whom."""

from datetime import datetime
from uuid import UUID

from store.database import Tx
from store.statement import Command, Scalar, Statement
from visits.coverage_check.models import Check

BEGIN = Command(
    """
    INSERT INTO coverage_check (facility_id, check_id, arrival_id, asked_by, asked_at)
    VALUES ($1, $2, $3, $4, $5)
    """
)
FINISH = Command(
    """
    UPDATE coverage_check SET answered_at = $3, code = $4, failure = $5
    WHERE facility_id = $1 AND check_id = $2 AND answered_at IS NULL
    """
)
CHECK = Statement(
    Check,
    "SELECT check_id, arrival_id, asked_at, answered_at, code, failure FROM coverage_check"
    " WHERE facility_id = $1 AND check_id = $2",
)
FORGET = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT facility_id, check_id FROM coverage_check WHERE asked_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM coverage_check c USING old"
    " WHERE c.facility_id = old.facility_id AND c.check_id = old.check_id RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


async def check_by_id(tx: Tx, facility_id: UUID, check_id: UUID) -> Check | None:
    return await CHECK.one(tx, facility_id, check_id)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    return await FORGET.one(tx, before, limit) or 0
