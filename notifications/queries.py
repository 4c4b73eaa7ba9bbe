"""All SQL of notifications and deliveries."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from notifications.models import (
    Claimed,
    InboxRow,
    PendingRow,
    PreferenceRow,
    StoredTarget,
)
from store.database import Tx
from store.statement import Command, Scalar, Statement

# Notices with their pushes, whoever they are for. A delivery's id begins with the time ($12: milliseconds, in
# hexadecimal) and goes on with what it is of, so that the same notice makes no second one. To a frozen book
# nothing is pushed any more (security.md S18).
WRITE_NOTICES = Scalar(
    UUID,
    """
    WITH one AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                             $7::timestamptz[], $8::timestamptz[], $9::text[], $10::int[])
            AS u (patient_id, notification_id, type, dedupe_key, ref, status, expires_at, leaves_at, collapse,
                  bucket)),
    new AS (
        INSERT INTO notification (patient_id, notification_id, type, dedupe_key, ref, status, created_at,
                                  expires_at)
        SELECT patient_id, notification_id, type, dedupe_key, ref, status, $11, expires_at FROM one
        ON CONFLICT DO NOTHING
        RETURNING notification_id),
    pushed AS (
        INSERT INTO delivery (bucket, delivery_id, patient_id, notification_id, device_id, channel, type,
                              collapse, status, next_attempt_at, due_at, expires_at, created_at)
        SELECT o.bucket,
               ($12 || '7' || substr(h.said, 1, 3) || '8' || substr(h.said, 4, 15))::uuid,
               o.patient_id, o.notification_id, t.device_id, 'push', o.type,
               o.collapse, 'pending', o.leaves_at, o.leaves_at, o.expires_at, $11
        FROM new
        JOIN one o ON o.notification_id = new.notification_id
        JOIN push_target t ON t.patient_id = o.patient_id
        JOIN citizen c ON c.patient_id = o.patient_id
        CROSS JOIN LATERAL md5(o.notification_id::text || t.device_id::text) AS h (said)
        WHERE o.leaves_at IS NOT NULL AND c.state NOT IN ('frozen', 'closed', 'erasing')
          AND NOT EXISTS (
              SELECT FROM unnest($13::uuid[], $14::uuid[]) AS k (notification_id, device_id)
              WHERE k.notification_id = o.notification_id AND k.device_id = t.device_id)
        ON CONFLICT DO NOTHING)
    SELECT notification_id FROM new
    """,
    fan_out="one batch of due work holds many persons",
)

INSERT_SMS = Command(
    """
    INSERT INTO delivery (bucket, delivery_id, patient_id, notification_id, device_id, channel, type,
                          collapse, status, next_attempt_at, due_at, expires_at, address_sealed, text_sealed,
                          created_at)
    VALUES ($1, $2, $3, $4, $5, 'sms', $6, $7, 'pending', $8, $8, $9, $10, $11, $12)
    """
)

TARGETS_OF = Statement(
    StoredTarget,
    "SELECT device_id, kind, value_sealed FROM push_target WHERE patient_id = $1 ORDER BY device_id",
)

TARGET_OF_DEVICE = Statement(
    StoredTarget,
    "SELECT device_id, kind, value_sealed FROM push_target WHERE patient_id = $1 AND device_id = $2",
)

UPSERT_TARGET = Command(
    """
    INSERT INTO push_target (patient_id, device_id, kind, value_hash, value_sealed, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (patient_id, device_id) DO UPDATE SET
        kind = EXCLUDED.kind, value_hash = EXCLUDED.value_hash,
        value_sealed = EXCLUDED.value_sealed, updated_at = EXCLUDED.updated_at
    """
)

DELETE_TARGET = Command("DELETE FROM push_target WHERE patient_id = $1 AND device_id = $2")

INBOX = Statement(
    InboxRow,
    """
    SELECT notification_id, type, ref, created_at FROM notification
    WHERE patient_id = $1 AND notification_id < $2 AND type <> 'news-waiting'
      AND ($4::text[] IS NULL OR type = ANY($4::text[]))
    ORDER BY notification_id DESC LIMIT $3
    """,
)

NOTIFICATION_EXISTS = Scalar(
    bool, "SELECT true FROM notification WHERE patient_id = $1 AND notification_id = $2"
)

INSERT_RECEIPT = Command(
    """
    INSERT INTO notification_receipt (patient_id, notification_id, device_id, kind, at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (patient_id, notification_id, device_id, kind) DO NOTHING
    """
)

# The rows of a worker that died between claim and settlement: nobody knows whether they left.
EXPIRE_LEASES = Command(
    """
    UPDATE delivery SET status = 'unknown', lease_until = NULL, error_code = 'lease-expired'
    WHERE bucket = $1 AND status = 'sending' AND lease_until <= $2
    """
)

# A late code or notice must not ring.
DROP_EXPIRED = Command(
    """
    UPDATE delivery SET status = 'dropped', error_code = 'expired', address_sealed = NULL, text_sealed = NULL
    WHERE bucket = $1 AND status IN ('pending', 'unknown') AND next_attempt_at <= $2 AND expires_at <= $2
    """
)

ERASE_TEXTS = Command(
    """
    UPDATE delivery SET address_sealed = NULL, text_sealed = NULL
    WHERE bucket = $1 AND text_sealed IS NOT NULL AND expires_at <= $2
      AND status IN ('sent', 'failed', 'dropped')
    """
)

DELETE_ENDED = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT bucket, delivery_id FROM delivery
        WHERE delivery_id < $1 AND status IN ('sent', 'failed', 'dropped') LIMIT $2),
    gone AS (
        DELETE FROM delivery WHERE bucket IN (SELECT bucket FROM old)
          AND delivery_id IN (SELECT delivery_id FROM old) RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)

# One bucket a statement, by ctid (scale.md). A delivery waits while an earlier one of the same device
# and collapse group is under way, so that the phone sees them in order.
CLAIM = Statement(
    Claimed,
    """
    UPDATE delivery SET status = 'sending', lease_until = $3, attempts = attempts + 1
    WHERE bucket = $1 AND ctid = ANY(ARRAY(
        SELECT d.ctid FROM delivery d
        WHERE d.bucket = $1 AND d.status IN ('pending', 'unknown') AND d.next_attempt_at <= $2
          AND NOT EXISTS (
              SELECT 1 FROM delivery e
              WHERE e.bucket = $1 AND e.status = 'sending' AND e.patient_id = d.patient_id
                AND e.device_id = d.device_id AND e.collapse = d.collapse AND e.delivery_id < d.delivery_id)
        ORDER BY d.next_attempt_at LIMIT $4 FOR UPDATE SKIP LOCKED))
      AND status IN ('pending', 'unknown')
    RETURNING bucket, delivery_id, patient_id, notification_id, device_id, channel, type, collapse, attempts,
              lease_until, expires_at, address_sealed, text_sealed
    """,
)

SETTLE = Command(
    """
    UPDATE delivery SET status = $4, next_attempt_at = $5, message_id = $6, error_code = $7,
        lease_until = NULL,
        address_sealed = CASE WHEN $8 THEN NULL ELSE address_sealed END,
        text_sealed = CASE WHEN $8 THEN NULL ELSE text_sealed END
    WHERE bucket = $1 AND delivery_id = $2 AND status = 'sending' AND lease_until = $3
    """
)

BUCKETS_TO_DRAIN = Scalar(
    int,
    """
    SELECT bucket FROM delivery WHERE status IN ('pending', 'unknown') AND next_attempt_at <= $1
    UNION SELECT bucket FROM delivery WHERE status = 'sending' AND lease_until <= $1
    UNION SELECT bucket FROM delivery
          WHERE text_sealed IS NOT NULL AND expires_at <= $1 AND status IN ('sent', 'failed', 'dropped')
    """,
    fan_out="the worker asks once per round which buckets hold work",
)

LATEST = Statement(
    PendingRow,
    """
    SELECT bucket, delivery_id, patient_id, notification_id, device_id, channel, type, status, created_at,
           expires_at, address_sealed, text_sealed
    FROM delivery ORDER BY created_at DESC, delivery_id DESC LIMIT $1
    """,
    fan_out="the inbox page of a demo database shows everybody's messages",
)

PREFERENCES_OF = Statement(
    PreferenceRow,
    """
    SELECT patient_id, zone, quiet_from, quiet_until, language, digest, muted, version
    FROM notification_preference_set WHERE patient_id = ANY($1::uuid[])
    """,
    fan_out="one batch of due work holds many persons",
)

UPSERT_PREFERENCES = Command(
    """
    INSERT INTO notification_preference_set (patient_id, zone, quiet_from, quiet_until, language, digest,
                                             muted, version, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)
    ON CONFLICT (patient_id) DO UPDATE SET
        zone = EXCLUDED.zone, quiet_from = EXCLUDED.quiet_from, quiet_until = EXCLUDED.quiet_until,
        language = EXCLUDED.language, digest = EXCLUDED.digest, muted = EXCLUDED.muted,
        version = notification_preference_set.version + 1, changed_at = EXCLUDED.changed_at
    """
)


async def targets_of(tx: Tx, patient_id: UUID) -> list[StoredTarget]:
    return await TARGETS_OF.all(tx, patient_id)


async def target_of_device(tx: Tx, patient_id: UUID, device_id: UUID) -> StoredTarget | None:
    return await TARGET_OF_DEVICE.one(tx, patient_id, device_id)


async def upsert_target(
    tx: Tx,
    patient_id: UUID,
    device_id: UUID,
    *,
    kind: str,
    value_hash: bytes,
    value_sealed: bytes,
    now: datetime,
) -> None:
    await UPSERT_TARGET.run(tx, patient_id, device_id, kind, value_hash, value_sealed, now)


async def delete_target(tx: Tx, patient_id: UUID, device_id: UUID) -> None:
    await DELETE_TARGET.run(tx, patient_id, device_id)


async def inbox(
    tx: Tx, patient_id: UUID, types: Collection[str] | None, *, before: UUID, limit: int
) -> list[InboxRow]:
    return await INBOX.all(tx, patient_id, before, limit, None if types is None else sorted(types))


async def notification_exists(tx: Tx, patient_id: UUID, notification_id: UUID) -> bool:
    return await NOTIFICATION_EXISTS.one(tx, patient_id, notification_id) is True


async def insert_receipt(
    tx: Tx, patient_id: UUID, notification_id: UUID, device_id: UUID, kind: str, now: datetime
) -> None:
    await INSERT_RECEIPT.run(tx, patient_id, notification_id, device_id, kind, now)


async def expire_leases(tx: Tx, bucket: int, now: datetime) -> None:
    await EXPIRE_LEASES.run(tx, bucket, now)


async def drop_expired(tx: Tx, bucket: int, now: datetime) -> None:
    await DROP_EXPIRED.run(tx, bucket, now)


async def erase_texts(tx: Tx, bucket: int, now: datetime) -> None:
    await ERASE_TEXTS.run(tx, bucket, now)


async def delete_ended(tx: Tx, below: UUID, limit: int) -> int:
    """How many outcomes with an id below this one went."""
    return await DELETE_ENDED.one(tx, below, limit) or 0


async def claim(tx: Tx, bucket: int, *, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
    return await CLAIM.all(tx, bucket, now, lease_until, limit)


async def settle(tx: Tx, rows: Iterable[Sequence[object]]) -> None:
    await SETTLE.many(tx, rows)


async def buckets_to_drain(tx: Tx, now: datetime) -> list[int]:
    return await BUCKETS_TO_DRAIN.all(tx, now)


async def latest(tx: Tx, limit: int) -> list[PendingRow]:
    return await LATEST.all(tx, limit)
