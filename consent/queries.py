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


def waits_for_youth(grant: str, now: str) -> str:
    """The condition that a guardian's grant waits in vain for the word of somebody who turned 15."""
    return (
        f"EXISTS (SELECT FROM grant_for_another w WHERE w.patient_id = {grant}.patient_id"
        f" AND w.request_id = {grant}.request_id AND w.confirm_by <= {now}"
        f" AND coalesce({grant}.confirmed_at < w.youth_from, true))"
    )
