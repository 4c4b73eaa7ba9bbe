"""All SQL of visits."""

from datetime import datetime
from uuid import UUID

from store.database import Tx
from store.statement import Statement
from visits.models import Means, Presence

INSERT_CHECK_IN = Statement(
    Presence,
    """
    INSERT INTO check_in (patient_id, check_in_id, facility_id, means, code_id, recorded_by, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (patient_id, facility_id, code_id) DO NOTHING
    RETURNING check_in_id, recorded_by, recorded_at
    """,
)


async def insert_check_in(
    tx: Tx,
    *,
    patient_id: UUID,
    check_in_id: UUID,
    facility_id: UUID,
    means: Means,
    code_id: UUID,
    recorded_by: UUID,
    recorded_at: datetime,
) -> Presence | None:
    """None when this code was scanned here before: the first scan stands."""
    return await INSERT_CHECK_IN.one(
        tx, patient_id, check_in_id, facility_id, means, code_id, recorded_by, recorded_at
    )


CHECK_IN_BY_CODE = Statement(
    Presence,
    """
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND code_id = $3
    """,
)


async def check_in_by_code(tx: Tx, patient_id: UUID, facility_id: UUID, code_id: UUID) -> Presence | None:
    return await CHECK_IN_BY_CODE.one(tx, patient_id, facility_id, code_id)


RECENT_PRESENCE = Statement(
    Presence,
    """
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at > $3 AND recorded_at <= $4
      AND means = 'citizen-qr'
    ORDER BY recorded_at DESC LIMIT 1
    """,
)


async def recent_presence(
    tx: Tx, patient_id: UUID, facility_id: UUID, after: datetime, now: datetime
) -> Presence | None:
    return await RECENT_PRESENCE.one(tx, patient_id, facility_id, after, now)


ARRIVAL_SINCE = Statement(
    Presence,
    """
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at >= $3 AND recorded_at <= $4
    ORDER BY recorded_at DESC LIMIT 1
    """,
)


async def arrival_since(
    tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime, now: datetime
) -> Presence | None:
    """The latest arrival by any means, presence or ticket."""
    return await ARRIVAL_SINCE.one(tx, patient_id, facility_id, since, now)


RECENT_TICKET = Statement(
    Presence,
    """
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at > $4 AND recorded_at <= $5
      AND means = 'staff-typed' AND recorded_by <> $3
    ORDER BY recorded_at DESC LIMIT 1
    """,
)


async def recent_ticket(
    tx: Tx, patient_id: UUID, facility_id: UUID, asking: UUID, after: datetime, now: datetime
) -> Presence | None:
    return await RECENT_TICKET.one(tx, patient_id, facility_id, asking, after, now)
