"""The check of a secret (charge, compare and decide in one statement), and the SMS codes of tier D."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from consent.models import RequestStatus
from store.database import Tx
from store.statement import Command, Statement


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
                       AND ($7 OR (code_hash = ANY($8::bytea[]) AND code_expires_at > $4))
                 THEN 'granted' ELSE status END,
        grant_id = CASE WHEN status = 'requested' AND $6
                         AND ($7 OR (code_hash = ANY($8::bytea[]) AND code_expires_at > $4))
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
    code_hashes: list[bytes],
) -> Check | None:
    """Charge one attempt and, in the same statement, grant when the secret is right.

    None: the request is over or its five attempts are spent, nothing was compared. `grant_id` is the
    id the grant will have; it comes back only to the one attempt that won. `allowed`: policy.tier_open,
    from what never changes in the row. `matched`: the caller already compared (digits, nonce, HOTP);
    one of `code_hashes` is the stored SMS code, or none.
    """
    return await CHECK_CODE.one(
        tx, patient_id, request_id, practitioner_id, now, grant_id, allowed, matched, code_hashes
    )


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
