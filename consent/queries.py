"""All SQL of consent: requests, the check of codes, grants and their mirrors."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from consent.models import (
    AccessRequest,
    Grant,
    LiveGrant,
    PractitionerGrant,
    PractitionerRequest,
    RequestStatus,
)
from store.database import Tx
from store.statement import Command, Scalar, Statement

# ---- the decision

LIVE_GRANT = Statement(
    LiveGrant,
    """
    SELECT g.grant_id, g.version, g.types, g.since, g.until, g.labels, g.created_at, g.confirmed_at, g.told_on
    FROM consent_grant g JOIN citizen c ON c.patient_id = g.patient_id
    WHERE g.patient_id = $1 AND g.practitioner_id = $2 AND g.facility_id = $3 AND g.ended_at IS NULL
      AND g.starts_at <= $4 AND g.ends_at > $4 AND c.state IN ('active', 'death-reported')
    """,
)


async def live_grant(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID, now: datetime
) -> LiveGrant | None:
    """The grant in force of this practitioner at this facility, of a living person; one statement."""
    return await LIVE_GRANT.one(tx, patient_id, practitioner_id, facility_id, now)


TELL_FIRST_USE = Scalar(
    UUID,
    """
    UPDATE consent_grant SET told_on = $3
    WHERE patient_id = $1 AND grant_id = $2 AND (told_on IS NULL OR told_on < $3)
    RETURNING grant_id
    """,
)


async def take_first_use(tx: Tx, patient_id: UUID, grant_id: UUID, day: date) -> bool:
    """True for the one use that is the grant's first of the day."""
    return await TELL_FIRST_USE.one(tx, patient_id, grant_id, day) is not None


# ---- requests

REQUEST_COLUMNS = """patient_id, request_id, practitioner_id, practitioner_role_id, practitioner_name,
    licence, role, facility_id, facility_name, purpose, types, since, until, duration_seconds, presence,
    delivery, status, attempts, created_at, expires_at"""


class Burden(Struct, frozen=True):
    """What was asked of one person lately: without presence in 24 h and rung in 10 min; by this
    practitioner in 1 h and 24 h; and whether the person reported this practitioner."""

    today: int
    rings: int
    pair_hour: int
    pair_day: int
    reported: bool


BURDEN = Statement(
    Burden,
    """
    SELECT count(*) FILTER (WHERE NOT presence AND created_at > $4) AS today,
           count(*) FILTER (WHERE delivery = 'ring' AND NOT presence AND created_at > $5) AS rings,
           count(*) FILTER (WHERE NOT presence AND practitioner_id = $2 AND created_at > $3) AS pair_hour,
           count(*) FILTER (WHERE NOT presence AND practitioner_id = $2 AND created_at > $4) AS pair_day,
           coalesce(bool_or(status = 'reported' AND practitioner_id = $2), false) AS reported
    FROM access_request WHERE patient_id = $1 AND (created_at > $4 OR status = 'reported')
    """,
)


async def burden(
    tx: Tx,
    patient_id: UUID,
    practitioner_id: UUID,
    *,
    hour_ago: datetime,
    day_ago: datetime,
    ten_minutes_ago: datetime,
) -> Burden:
    row = await BURDEN.one(tx, patient_id, practitioner_id, hour_ago, day_ago, ten_minutes_ago)
    assert row is not None
    return row


RECENT_GRANT = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM consent_grant WHERE patient_id = $1 AND facility_id = $2 AND created_at > $3)
        AS known
    """,
)


async def has_recent_grant(tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime) -> bool:
    return bool(await RECENT_GRANT.one(tx, patient_id, facility_id, since))


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


# ---- the check: charge, compare and decide in one statement


class Check(Struct, frozen=True):
    """The outcome of a charged attempt."""

    attempts: int
    status: RequestStatus
    grant_id: UUID | None
    presence: bool


CHECK_CODE = Statement(
    Check,
    """
    UPDATE access_request SET
        attempts = attempts + 1,
        status = CASE WHEN status = 'requested' AND $6
                       AND ($7 OR (code_hash = $8 AND code_expires_at > $4))
                 THEN 'granted' ELSE status END,
        grant_id = CASE WHEN status = 'requested' AND $6
                         AND ($7 OR (code_hash = $8 AND code_expires_at > $4))
                   THEN $5 ELSE grant_id END
    WHERE patient_id = $1 AND request_id = $2 AND practitioner_id = $3 AND status <> 'granted'
      AND attempts < 5 AND expires_at > $4
    RETURNING attempts, status, grant_id, presence
    """,
)


async def check_code(
    tx: Tx,
    *,
    patient_id: UUID,
    request_id: UUID,
    practitioner_id: UUID,
    now: datetime,
    grant_id: UUID,
    allowed: bool,
    matched: bool,
    code_hash: bytes,
) -> Check | None:
    """Charge one attempt and, in the same statement, grant when the secret is right.

    None: the request is over or its five attempts are spent, nothing was compared. `grant_id` is the
    id the grant will have; it comes back only to the one attempt that won. `allowed`: policy.tier_open,
    from what never changes in the row. `matched`: the caller already compared (digits, nonce, HOTP);
    `code_hash` is compared with the stored SMS code here.
    """
    return await CHECK_CODE.one(
        tx, patient_id, request_id, practitioner_id, now, grant_id, allowed, matched, code_hash
    )


LOCK_GUARD = Scalar(
    int,
    """
    INSERT INTO consent_guard (patient_id, wrong_codes) VALUES ($1, 0)
    ON CONFLICT (patient_id) DO UPDATE SET wrong_codes = consent_guard.wrong_codes
    RETURNING wrong_codes
    """,
)


async def lock_guard(tx: Tx, patient_id: UUID) -> int:
    """Take the person's consent lock until the transaction ends. Returns the consecutive wrong codes.

    Taken before any other row of the person, so that no two acts on consent can wait for each other.
    """
    return await LOCK_GUARD.one(tx, patient_id) or 0


SET_WRONG_CODES = Command("UPDATE consent_guard SET wrong_codes = $2 WHERE patient_id = $1")


async def set_wrong_codes(tx: Tx, patient_id: UUID, wrong_codes: int) -> None:
    await SET_WRONG_CODES.run(tx, patient_id, wrong_codes)


# ---- SMS codes (tier D)


class CodeSlot(Struct, frozen=True):
    code_sends: int


TAKE_CODE_SLOT = Statement(
    CodeSlot,
    """
    UPDATE access_request SET code_hash = $5, code_sealed = $6, code_expires_at = $7, code_sent_at = $4,
        code_sends = code_sends + 1
    WHERE patient_id = $1 AND request_id = $2 AND practitioner_id = $3 AND status <> 'granted'
      AND attempts < 5 AND expires_at > $4 AND code_sends < 3
      AND (code_sent_at IS NULL OR code_sent_at <= $8)
    RETURNING code_sends
    """,
)


async def take_code_slot(
    tx: Tx,
    *,
    patient_id: UUID,
    request_id: UUID,
    practitioner_id: UUID,
    now: datetime,
    code_hash: bytes,
    code_sealed: bytes,
    code_expires_at: datetime,
    sent_before: datetime,
) -> CodeSlot | None:
    """Put a new code in place of the old one; None when the sends or the pause do not allow it."""
    return await TAKE_CODE_SLOT.one(
        tx,
        patient_id,
        request_id,
        practitioner_id,
        now,
        code_hash,
        code_sealed,
        code_expires_at,
        sent_before,
    )


class SealedCode(Struct, frozen=True):
    """What the delivery of one code needs; `code_sealed` is gone once it was sent."""

    practitioner_role_id: UUID
    practitioner_name: str
    facility_name: str
    duration_seconds: int
    code_sealed: bytes
    code_expires_at: datetime


SEALED_CODE = Statement(
    SealedCode,
    """
    SELECT practitioner_role_id, practitioner_name, facility_name, duration_seconds, code_sealed,
           code_expires_at
    FROM access_request
    WHERE patient_id = $1 AND request_id = $2 AND code_sends = $4 AND status = 'requested'
      AND code_sealed IS NOT NULL AND code_expires_at > $3
    """,
)


async def sealed_code(
    tx: Tx, patient_id: UUID, request_id: UUID, now: datetime, code_sends: int
) -> SealedCode | None:
    return await SEALED_CODE.one(tx, patient_id, request_id, now, code_sends)


ERASE_CODE = Command(
    """
    UPDATE access_request SET code_sealed = NULL
    WHERE patient_id = $1 AND request_id = $2 AND code_sends <= $3
    """
)


async def erase_code(tx: Tx, patient_id: UUID, request_id: UUID, code_sends: int) -> None:
    await ERASE_CODE.run(tx, patient_id, request_id, code_sends)


USE_QUOTA = Scalar(
    int,
    """
    INSERT INTO request_quota (actor_id, kind, day, used) VALUES ($1, $2, $3, 1)
    ON CONFLICT (actor_id, kind, day) DO UPDATE SET used = request_quota.used + 1
    WHERE request_quota.used < $4
    RETURNING used
    """,
)


async def use_quota(tx: Tx, actor_id: UUID, kind: str, day: date, most: int) -> bool:
    """Take one of `most` for the day; False when none is left. Locks the row until commit."""
    return await USE_QUOTA.one(tx, actor_id, kind, day, most) is not None


# ---- grants

GRANT_COLUMNS = """patient_id, grant_id, version, supersedes, request_id, practitioner_id,
    practitioner_name, licence, facility_id, facility_name, purpose, tier, presence, types, since, until,
    labels, created_at, starts_at, ends_at, ended_at, end_reason, confirmed_at"""


class Superseded(Struct, frozen=True):
    grant_id: UUID
    version: int


SUPERSEDE = Statement(
    Superseded,
    """
    UPDATE consent_grant SET ended_at = $4, end_reason = 'superseded'
    WHERE patient_id = $1 AND practitioner_id = $2 AND facility_id = $3 AND ended_at IS NULL
    RETURNING grant_id, version
    """,
)


async def supersede(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID, now: datetime
) -> Superseded | None:
    """End the one grant that is not ended yet, in force or run out."""
    return await SUPERSEDE.one(tx, patient_id, practitioner_id, facility_id, now)


INSERT_GRANT = Command(
    """
    INSERT INTO consent_grant (patient_id, grant_id, version, supersedes, request_id, practitioner_id,
        practitioner_role_id, practitioner_name, licence, facility_id, facility_name, purpose, tier,
        presence, types, since, until, labels, created_at, starts_at, ends_at, artefact, fhir_consent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
        $22, $23)
    """
)


async def insert_grant(
    tx: Tx, grant: Grant, *, practitioner_role_id: UUID, artefact: str, fhir_consent: str
) -> None:
    await INSERT_GRANT.run(
        tx,
        grant.patient_id,
        grant.grant_id,
        grant.version,
        grant.supersedes,
        grant.request_id,
        grant.practitioner_id,
        practitioner_role_id,
        grant.practitioner_name,
        grant.licence,
        grant.facility_id,
        grant.facility_name,
        grant.purpose,
        grant.tier,
        grant.presence,
        grant.types,
        grant.since,
        grant.until,
        grant.labels,
        grant.created_at,
        grant.starts_at,
        grant.ends_at,
        artefact,
        fhir_consent,
    )


INSERT_PRACTITIONER_GRANT = Command(
    """
    INSERT INTO practitioner_grant (actor_id, patient_id, grant_id, facility_id, purpose, types, since,
        until, starts_at, ends_at, agreed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    """
)


async def insert_practitioner_grant(tx: Tx, grant: Grant) -> None:
    await INSERT_PRACTITIONER_GRANT.run(
        tx,
        grant.practitioner_id,
        grant.patient_id,
        grant.grant_id,
        grant.facility_id,
        grant.purpose,
        grant.types,
        grant.since,
        grant.until,
        grant.starts_at,
        grant.ends_at,
        grant.created_at,
    )


END_PRACTITIONER_GRANT = Command(
    """
    UPDATE practitioner_grant SET ended_at = $4
    WHERE actor_id = $1 AND patient_id = $2 AND grant_id = $3 AND ended_at IS NULL
    """
)


async def end_practitioner_grant(
    tx: Tx, practitioner_id: UUID, patient_id: UUID, grant_id: UUID, now: datetime
) -> None:
    await END_PRACTITIONER_GRANT.run(tx, practitioner_id, patient_id, grant_id, now)


class Revoked(Struct, frozen=True):
    practitioner_id: UUID
    version: int


REVOKE = Statement(
    Revoked,
    """
    UPDATE consent_grant SET ended_at = $3, end_reason = 'revoked'
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL
    RETURNING practitioner_id, version
    """,
)


async def revoke(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> Revoked | None:
    return await REVOKE.one(tx, patient_id, grant_id, now)


CONFIRM_GRANT = Statement(
    Grant,
    f"""
    UPDATE consent_grant SET confirmed_at = $3
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL AND ends_at > $3
    RETURNING {GRANT_COLUMNS}
    """,  # noqa: S608
)
CONFIRM_PRACTITIONER_GRANT = Command(
    "UPDATE practitioner_grant SET agreed_at = $4 WHERE actor_id = $1 AND patient_id = $2 AND grant_id = $3"
)


async def confirm_grant(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> Grant | None:
    """Both rows of a live grant say that the person agrees now; None for one that is over."""
    grant = await CONFIRM_GRANT.one(tx, patient_id, grant_id, now)
    if grant is not None:
        await CONFIRM_PRACTITIONER_GRANT.run(tx, grant.practitioner_id, patient_id, grant_id, now)
    return grant


UNENDED_GRANTS = Scalar(
    UUID,
    """
    SELECT grant_id FROM consent_grant
    WHERE patient_id = $1 AND practitioner_id = $2 AND ended_at IS NULL
    """,
)


async def unended_grants(tx: Tx, patient_id: UUID, practitioner_id: UUID) -> list[UUID]:
    return await UNENDED_GRANTS.all(tx, patient_id, practitioner_id)


GRANT_BY_ID = Statement(
    Grant,
    f"SELECT {GRANT_COLUMNS} FROM consent_grant WHERE patient_id = $1 AND grant_id = $2",  # noqa: S608
)


async def grant_by_id(tx: Tx, patient_id: UUID, grant_id: UUID) -> Grant | None:
    return await GRANT_BY_ID.one(tx, patient_id, grant_id)


class Proof(Struct, frozen=True):
    artefact: str
    fhir_consent: str


PROOF_OF_GRANT = Statement(
    Proof, "SELECT artefact, fhir_consent FROM consent_grant WHERE patient_id = $1 AND grant_id = $2"
)


async def proof_of_grant(tx: Tx, patient_id: UUID, grant_id: UUID) -> Proof | None:
    return await PROOF_OF_GRANT.one(tx, patient_id, grant_id)


GRANTS_OF_PERSON = Statement(
    Grant,
    f"""
    SELECT {GRANT_COLUMNS} FROM consent_grant WHERE patient_id = $1 AND grant_id < $2
    ORDER BY grant_id DESC LIMIT $3
    """,  # noqa: S608
)


async def grants_of_person(tx: Tx, patient_id: UUID, before: UUID, limit: int) -> list[Grant]:
    """Newest first: grant ids are time-ordered."""
    return await GRANTS_OF_PERSON.all(tx, patient_id, before, limit)


GRANTS_OF_PRACTITIONER = Statement(
    PractitionerGrant,
    """
    SELECT patient_id, grant_id, facility_id, purpose, types, since, until, starts_at, ends_at,
        coalesce(coalesce(agreed_at, starts_at) <= $6, false) AS held
    FROM practitioner_grant
    WHERE actor_id = $1 AND facility_id = $2 AND ended_at IS NULL AND ends_at > $3 AND grant_id < $4
    ORDER BY grant_id DESC LIMIT $5
    """,
)


async def grants_of_practitioner(
    tx: Tx,
    practitioner_id: UUID,
    facility_id: UUID,
    now: datetime,
    before: UUID,
    limit: int,
    factors_reset_at: datetime | None,
) -> list[PractitionerGrant]:
    return await GRANTS_OF_PRACTITIONER.all(
        tx, practitioner_id, facility_id, now, before, limit, factors_reset_at
    )


class GrantKey(Struct, frozen=True):
    patient_id: UUID
    grant_id: UUID


LIVE_GRANT_KEYS = Statement(
    GrantKey,
    """
    SELECT patient_id, grant_id FROM practitioner_grant
    WHERE actor_id = $1 AND ended_at IS NULL AND ends_at > $2 AND (patient_id, grant_id) > ($3, $4)
    ORDER BY patient_id, grant_id LIMIT $5
    """,
)


async def live_grant_keys(
    tx: Tx, practitioner_id: UUID, now: datetime, after: GrantKey, limit: int
) -> list[GrantKey]:
    """A page of everybody's grants to this practitioner, at every facility."""
    return await LIVE_GRANT_KEYS.all(tx, practitioner_id, now, after.patient_id, after.grant_id, limit)
