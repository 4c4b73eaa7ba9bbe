"""SQL of the reviews of broken glass, by the facility whose reviewer closes them."""

from datetime import datetime
from uuid import UUID

from consent.emergency.models import Overdue, Review, Verdict
from store.database import Tx
from store.statement import Command, Scalar, Statement

INSERT_REVIEW = Command(
    """
    INSERT INTO emergency_review (facility_id, emergency_id, kind, patient_id, practitioner_id,
        practitioner_name, unit_id, unit_name, opened_at, ends_at, needs_cosign, due_at, disputed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (facility_id, emergency_id) DO NOTHING
    """
)


async def insert_review(tx: Tx, review: Review) -> None:
    await INSERT_REVIEW.run(
        tx,
        review.facility_id,
        review.emergency_id,
        review.kind,
        review.patient_id,
        review.practitioner_id,
        review.practitioner_name,
        review.unit_id,
        review.unit_name,
        review.opened_at,
        review.ends_at,
        review.needs_cosign,
        review.due_at,
        review.disputed_at,
    )


HASTEN_REVIEW = Command(
    "UPDATE emergency_review SET due_at = least(due_at, $3) WHERE facility_id = $1 AND emergency_id = $2"
    " AND closed_at IS NULL"
)


async def hasten_review(tx: Tx, facility_id: UUID, emergency_id: UUID, due_at: datetime) -> None:
    await HASTEN_REVIEW.run(tx, facility_id, emergency_id, due_at)


NOTE_COSIGNED = Command(
    "UPDATE emergency_review SET needs_cosign = needs_cosign AND NOT $3, ends_at = $4"
    " WHERE facility_id = $1 AND emergency_id = $2"
)


async def note_cosigned(
    tx: Tx, facility_id: UUID, emergency_id: UUID, *, opened: bool, ends_at: datetime
) -> None:
    await NOTE_COSIGNED.run(tx, facility_id, emergency_id, opened, ends_at)


REOPEN_REVIEW = Command(
    """
    UPDATE emergency_review SET disputed_at = $3, due_at = $4, closed_at = NULL, verdict = NULL,
        closed_before_by = reviewer_id, reviewer_id = NULL, note = NULL
    WHERE facility_id = $1 AND emergency_id = $2
    """
)


async def reopen_review(
    tx: Tx, facility_id: UUID, emergency_id: UUID, now: datetime, due_at: datetime
) -> None:
    await REOPEN_REVIEW.run(tx, facility_id, emergency_id, now, due_at)


_REVIEW = """facility_id, emergency_id, kind, patient_id, practitioner_id, practitioner_name, unit_id,
    unit_name, opened_at, ends_at, needs_cosign, due_at, disputed_at, closed_at, verdict,
    closed_before_by"""
REVIEW_BY_ID = Statement(
    Review,
    f"SELECT {_REVIEW} FROM emergency_review WHERE facility_id = $1 AND emergency_id = $2",  # noqa: S608
)


async def review_by_id(tx: Tx, facility_id: UUID, emergency_id: UUID) -> Review | None:
    return await REVIEW_BY_ID.one(tx, facility_id, emergency_id)


OPEN_REVIEWS = Statement(
    Review,
    f"""
    SELECT {_REVIEW} FROM emergency_review
    WHERE facility_id = $1 AND closed_at IS NULL AND (due_at, emergency_id) > ($2, $3)
    ORDER BY due_at, emergency_id LIMIT $4
    """,  # noqa: S608
)


async def open_reviews(tx: Tx, facility_id: UUID, after: tuple[datetime, UUID], limit: int) -> list[Review]:
    """Those due first come first."""
    return await OPEN_REVIEWS.all(tx, facility_id, *after, limit)


RUNNING_AT_FACILITY = Statement(
    Review,
    f"""
    SELECT {_REVIEW} FROM emergency_review
    WHERE facility_id = $1 AND closed_at IS NULL AND kind = 'first' AND ends_at > $2
    ORDER BY due_at, emergency_id LIMIT $3
    """,  # noqa: S608
)


async def running_at(tx: Tx, facility_id: UUID, now: datetime, limit: int) -> list[Review]:
    """What runs or waits for a co-signature at a facility."""
    return await RUNNING_AT_FACILITY.all(tx, facility_id, now, limit)


CLOSE_REVIEW = Scalar(
    UUID,
    """
    UPDATE emergency_review SET closed_at = $3, verdict = $4, reviewer_id = $5, note = $6
    WHERE facility_id = $1 AND emergency_id = $2 AND closed_at IS NULL RETURNING emergency_id
    """,
)


async def close_review(
    tx: Tx,
    facility_id: UUID,
    emergency_id: UUID,
    now: datetime,
    verdict: Verdict,
    reviewer_id: UUID,
    note: bytes,
) -> bool:
    """False when somebody closed it first."""
    return await CLOSE_REVIEW.one(tx, facility_id, emergency_id, now, verdict, reviewer_id, note) is not None


OVERDUE = Statement(
    Overdue,
    """
    SELECT v.emergency_id, v.facility_id, f.name AS facility_name, v.kind, v.opened_at, v.due_at,
        v.disputed_at IS NOT NULL AS is_disputed
    FROM emergency_review v LEFT JOIN facility f ON f.facility_id = v.facility_id
    WHERE v.closed_at IS NULL AND v.due_at <= $1 AND (v.due_at, v.emergency_id) > ($2, $3)
    ORDER BY v.due_at, v.emergency_id LIMIT $4
    """,
    fan_out="the department's list of late reviews, wherever they are",
)


async def overdue(tx: Tx, now: datetime, after: tuple[datetime, UUID], limit: int) -> list[Overdue]:
    """Late since longest first."""
    return await OVERDUE.all(tx, now, *after, limit)
