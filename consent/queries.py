"""SQL that requests, codes and grants share: the person's consent lock with its count of wrong codes, and
what a day allows."""

from datetime import date
from uuid import UUID

from store.database import Tx
from store.statement import Command, Scalar

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


# Each list is counted, since PostgreSQL leaves out what nothing reads, and with it the lock.
LOCK_DOORS = Scalar(
    int,
    """
    WITH grants AS (SELECT FROM consent_grant WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE),
        handed AS (SELECT FROM consent_delegation WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE),
        links AS (SELECT FROM share_link WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE),
        cards AS (SELECT FROM emergency_card WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE),
        apps AS (SELECT FROM app_consent WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE),
        opened AS (SELECT FROM emergency_access WHERE patient_id = $1 AND ended_at IS NULL FOR UPDATE)
    SELECT ((SELECT count(*) FROM grants) + (SELECT count(*) FROM handed) + (SELECT count(*) FROM links)
        + (SELECT count(*) FROM cards) + (SELECT count(*) FROM apps) + (SELECT count(*) FROM opened))::int
        AS doors
    """,
)


async def lock_doors(tx: Tx, patient_id: UUID) -> None:
    """Lock every row under which somebody reads, for an act that ends several; lock_guard came before.

    And before anything is logged: a read takes its own row and then the head of the log, so whoever held the
    head while waiting for a row would wait for ever.
    """
    await LOCK_DOORS.one(tx, patient_id)


SET_WRONG_CODES = Command("UPDATE consent_guard SET wrong_codes = $2 WHERE patient_id = $1")


async def set_wrong_codes(tx: Tx, patient_id: UUID, wrong_codes: int) -> None:
    await SET_WRONG_CODES.run(tx, patient_id, wrong_codes)


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


# -- what was answered for another person (consent/relatives.py)

ASSENT_OF = Scalar(str, "SELECT method FROM child_assent WHERE patient_id = $1 AND request_id = $2")
INSERT_ASSENT = Command(
    "INSERT INTO child_assent (patient_id, request_id, method, given_by, given_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (patient_id, request_id) DO NOTHING"
)
INSERT_FOR_ANOTHER = Command(
    "INSERT INTO grant_for_another (patient_id, request_id, granted_by, relation, assent, youth_from,"
    " confirm_by) VALUES ($1, $2, $3, $4, $5, $6, $7)"
)


def granter_is_gone(grant: str, now: str) -> str:
    """The condition that whoever answered for the person no longer may: a guardian whom a court barred or
    whose link ended, a proxy who ended or ran out. A grant that was agreed to since then stays."""
    return (
        "EXISTS (SELECT FROM grant_for_another w"
        " LEFT JOIN guardianship wg ON wg.patient_id = w.patient_id AND wg.guardian_id = w.granted_by"
        " AND w.relation = 'guardian'"
        " LEFT JOIN proxy wp ON wp.patient_id = w.patient_id AND wp.proxy_id = w.granted_by"
        " AND w.relation = 'proxy'"
        f" WHERE w.patient_id = {grant}.patient_id AND w.request_id = {grant}.request_id"
        " AND least(wg.barred_at, wg.ended_at, wp.ended_at,"
        f" CASE WHEN wp.until <= {now} THEN wp.until END) > coalesce({grant}.confirmed_at, '-infinity'))"
    )


# What $2 gave in this person's name and the person did not say again since.
GIVEN_BY = Scalar(
    UUID,
    "SELECT g.grant_id FROM consent_grant g JOIN grant_for_another a ON a.patient_id = g.patient_id"
    " AND a.request_id = g.request_id WHERE g.patient_id = $1 AND a.granted_by = $2 AND g.ended_at IS NULL"
    " AND g.ends_at > $3 AND g.confirmed_at IS NULL",
)


def waits_for_youth(grant: str, now: str) -> str:
    """The condition that a guardian's grant waits in vain for the word of somebody who turned 15."""
    return (
        f"EXISTS (SELECT FROM grant_for_another w WHERE w.patient_id = {grant}.patient_id"
        f" AND w.request_id = {grant}.request_id AND w.confirm_by <= {now}"
        f" AND coalesce({grant}.confirmed_at < w.youth_from, true))"
    )
