"""All SQL of requests and of their mirrors on the practitioner's side."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from consent.models import AccessRequest, PractitionerRequest, RequestStatus
from store.database import Tx
from store.statement import Command, Scalar, Statement

REQUEST_COLUMNS = """patient_id, request_id, practitioner_id, practitioner_role_id, practitioner_name,
    licence, role, facility_id, facility_name, purpose, types, since, until, duration_seconds, presence,
    delivery, status, attempts, created_at, expires_at"""


class Burden(Struct, frozen=True):
    """What was asked of one person lately: without presence in 24 h and rung in 10 min; by this
    practitioner in 1 h and 24 h; and whether the person blocks this practitioner or facility."""

    today: int
    rings: int
    pair_hour: int
    pair_day: int
    blocked: bool


BURDEN = Statement(
    Burden,
    """
    SELECT count(*) FILTER (WHERE NOT presence AND created_at > $4) AS today,
           count(*) FILTER (WHERE delivery = 'ring' AND NOT presence AND created_at > $5) AS rings,
           count(*) FILTER (WHERE NOT presence AND practitioner_id = $2 AND created_at > $3) AS pair_hour,
           count(*) FILTER (WHERE NOT presence AND practitioner_id = $2 AND created_at > $4) AS pair_day,
           EXISTS (SELECT FROM consent_block
                   WHERE patient_id = $1 AND target_id IN ($2, $6) AND lifted_at IS NULL) AS blocked
    FROM access_request WHERE patient_id = $1 AND created_at > $4
    """,
)


async def burden(
    tx: Tx,
    patient_id: UUID,
    practitioner_id: UUID,
    facility_id: UUID,
    *,
    hour_ago: datetime,
    day_ago: datetime,
    ten_minutes_ago: datetime,
) -> Burden:
    row = await BURDEN.one(tx, patient_id, practitioner_id, hour_ago, day_ago, ten_minutes_ago, facility_id)
    assert row is not None
    return row


INSERT_REQUEST = Command(
    """
    INSERT INTO access_request (patient_id, request_id, practitioner_id, practitioner_role_id,
        practitioner_name, licence, role, facility_id, facility_name, purpose, types, since, until,
        duration_seconds, presence, delivery, status, attempts, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    """
)


async def insert_request(tx: Tx, request: AccessRequest) -> None:
    await INSERT_REQUEST.run(
        tx,
        request.patient_id,
        request.request_id,
        request.practitioner_id,
        request.practitioner_role_id,
        request.practitioner_name,
        request.licence,
        request.role,
        request.facility_id,
        request.facility_name,
        request.purpose,
        request.types,
        request.since,
        request.until,
        request.duration_seconds,
        request.presence,
        request.delivery,
        request.status,
        request.attempts,
        request.created_at,
        request.expires_at,
    )


INSERT_PRACTITIONER_REQUEST = Command(
    """
    INSERT INTO practitioner_request (actor_id, request_id, patient_id, facility_id, subject_hash,
        created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
)


async def insert_practitioner_request(tx: Tx, request: AccessRequest, subject_hash: bytes) -> None:
    await INSERT_PRACTITIONER_REQUEST.run(
        tx,
        request.practitioner_id,
        request.request_id,
        request.patient_id,
        request.facility_id,
        subject_hash,
        request.created_at,
        request.expires_at,
    )


PRACTITIONER_REQUEST = Statement(
    PractitionerRequest,
    """
    SELECT actor_id, request_id, patient_id, facility_id, created_at, expires_at, grant_id
    FROM practitioner_request WHERE actor_id = $1 AND request_id = $2 AND facility_id = $3
    """,
)


async def practitioner_request(
    tx: Tx, practitioner_id: UUID, request_id: UUID, facility_id: UUID
) -> PractitionerRequest | None:
    return await PRACTITIONER_REQUEST.one(tx, practitioner_id, request_id, facility_id)


class SubjectCount(Struct, frozen=True):
    hour: int
    day: int


SUBJECT_COUNT = Statement(
    SubjectCount,
    """
    SELECT count(*) FILTER (WHERE created_at > $3) AS hour, count(*) AS day
    FROM practitioner_request WHERE actor_id = $1 AND subject_hash = $2 AND created_at > $4
    """,
)


async def subject_count(
    tx: Tx, practitioner_id: UUID, subject_hash: bytes, hour_ago: datetime, day_ago: datetime
) -> SubjectCount:
    """How often this practitioner presented this very identifier."""
    row = await SUBJECT_COUNT.one(tx, practitioner_id, subject_hash, hour_ago, day_ago)
    assert row is not None
    return row


MARK_GRANTED = Command(
    "UPDATE practitioner_request SET grant_id = $3 WHERE actor_id = $1 AND request_id = $2"
)


async def mark_granted(tx: Tx, practitioner_id: UUID, request_id: UUID, grant_id: UUID) -> None:
    await MARK_GRANTED.run(tx, practitioner_id, request_id, grant_id)


REQUEST_BY_ID = Statement(
    AccessRequest,
    f"SELECT {REQUEST_COLUMNS} FROM access_request WHERE patient_id = $1 AND request_id = $2",  # noqa: S608
)


async def request_by_id(tx: Tx, patient_id: UUID, request_id: UUID) -> AccessRequest | None:
    return await REQUEST_BY_ID.one(tx, patient_id, request_id)


OPEN_REQUESTS = Statement(
    AccessRequest,
    f"""
    SELECT {REQUEST_COLUMNS} FROM access_request
    WHERE patient_id = $1 AND created_at > $3 AND expires_at > $2 AND status = 'requested'
      AND delivery IN ('ring', 'silent')
    ORDER BY created_at DESC LIMIT 100
    """,  # noqa: S608
)


async def open_requests(
    tx: Tx, patient_id: UUID, now: datetime, created_after: datetime
) -> list[AccessRequest]:
    return await OPEN_REQUESTS.all(tx, patient_id, now, created_after)


END_REQUEST = Scalar(
    UUID,
    """
    UPDATE access_request SET status = $3, decided_at = $4
    WHERE patient_id = $1 AND request_id = $2 AND status = 'requested' AND delivery IN ('ring', 'silent')
      AND expires_at > $4
    RETURNING request_id
    """,
)


async def end_request(
    tx: Tx, patient_id: UUID, request_id: UUID, status: RequestStatus, now: datetime
) -> bool:
    """Refuse or report: one conditional statement, so it races an approval fairly."""
    return await END_REQUEST.one(tx, patient_id, request_id, status, now) is not None
