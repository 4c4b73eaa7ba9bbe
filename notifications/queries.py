"""All SQL of notifications and deliveries."""

from datetime import datetime
from uuid import UUID

from notifications.models import (
    Answered,
    Claimed,
    DeadLetter,
    EndedLine,
    InboxRow,
    PendingRow,
    PreferenceRow,
    UnreadRow,
    WaitingLine,
    Way,
)
from store.statement import Command, Scalar, Statement

# Notices with their pushes, whoever they are for. A delivery's id begins with the time ($12: milliseconds, in
# hexadecimal) and goes on with what it is of, so that the same notice makes no second one. To a frozen book
# nothing is pushed any more (security.md S18). What many notices have in common comes once, and is taken
# by its place: a join of two unnested arrays, of whose lengths no plan knows, would compare each with each.
WRITE_NOTICES = Scalar(
    UUID,
    """
    WITH one AS MATERIALIZED (
        SELECT u.*, ($6::text[])[alike] AS type, ($7::text[])[alike] AS ref, ($8::text[])[alike] AS status,
            ($9::timestamptz[])[alike] AS expires_at, ($10::text[])[alike] AS collapse,
            ($15::int[])[alike] AS bucket, ($16::uuid[])[alike] AS dependent_id,
            ($17::bool[])[alike] AS keeps_quiet
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::int[])
            AS u (patient_id, notification_id, dedupe_key, leaves_at, alike)),
    new AS (
        INSERT INTO notification (patient_id, notification_id, type, dedupe_key, ref, status, created_at,
                                  expires_at)
        SELECT patient_id, notification_id, type, dedupe_key, ref, status, $11, expires_at FROM one
        ON CONFLICT DO NOTHING
        RETURNING notification_id),
    pushed AS (
        INSERT INTO delivery (bucket, delivery_id, patient_id, notification_id, device_id, channel, type,
                              collapse, status, next_attempt_at, due_at, expires_at, created_at,
                              dependent_id, keeps_quiet)
        SELECT o.bucket,
               ($12 || '7' || substr(h.said, 1, 3) || '8' || substr(h.said, 4, 15))::uuid,
               o.patient_id, o.notification_id, t.device_id, 'push', o.type,
               o.collapse, 'pending', o.leaves_at, o.leaves_at, o.expires_at, $11,
               o.dependent_id, o.keeps_quiet
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

UPSERT_TARGET = Command(
    """
    INSERT INTO push_target (patient_id, device_id, kind, value_hash, value_sealed, platform, language,
                             updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (patient_id, device_id) DO UPDATE SET
        kind = EXCLUDED.kind, value_hash = EXCLUDED.value_hash, value_sealed = EXCLUDED.value_sealed,
        platform = EXCLUDED.platform, language = EXCLUDED.language, updated_at = EXCLUDED.updated_at
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

# Notices about others that nobody opened, by whom they are about.
UNREAD_ABOUT = Statement(
    UnreadRow,
    """
    SELECT n.ref::json ->> 'patient_id' AS about, count(*) AS unread FROM notification n
    WHERE n.patient_id = $1 AND n.expires_at > $2 AND n.ref LIKE '%"patient_id"%'
      AND NOT EXISTS (SELECT FROM notification_receipt r WHERE r.patient_id = n.patient_id
          AND r.notification_id = n.notification_id AND r.kind IN ('opened', 'acted'))
    GROUP BY 1 LIMIT 200
    """,
)

NOTIFICATION_EXISTS = Scalar(
    bool, "SELECT true FROM notification WHERE patient_id = $1 AND notification_id = $2"
)

# $2: the first id of $3; ids of these notices begin with their time.
COUNT_RUNG = Scalar(
    int,
    """
    SELECT count(*)::int AS rung FROM notification
    WHERE patient_id = $1 AND notification_id >= $2 AND created_at >= $3 AND type = ANY($4::text[])
      AND status = 'ring'
    """,
)

TRUSTED_SINCE = Scalar(
    datetime,
    "SELECT enrolled_at FROM device WHERE patient_id = $1 AND device_id = $2 AND probation_until <= $3",
)

# Somebody who looked on a device that was trusted before the notice, and that it is not about, knows: the SMS
# that waits ends. A thief's new phone would else silence the warning of itself (security.md S8). $6: from
# when on the device is one to trust; NULL: it is none.
INSERT_RECEIPT = Command(
    """
    INSERT INTO notification_receipt (patient_id, notification_id, device_id, kind, at, ends_sms)
    SELECT n.patient_id, n.notification_id, $3::uuid, $4::text, $5::timestamptz,
           $4::text IN ('opened', 'acted') AND n.ref::jsonb ->> 'device_id' IS DISTINCT FROM $3::uuid::text
               AND COALESCE($6::timestamptz <= n.created_at, false)
    FROM notification n WHERE n.patient_id = $1 AND n.notification_id = $2
    ON CONFLICT (patient_id, notification_id, device_id, kind) DO NOTHING
    """
)

# Before a claim: the rows of a worker that died between claim and settlement become `unknown`, for nobody
# knows whether they left; a late code or notice does not ring; texts of what ended are erased.
TIDY = Command(
    """
    WITH unsettled AS (
        UPDATE delivery SET status = 'unknown', lease_until = NULL, error_code = 'lease-expired'
        WHERE bucket = $1 AND channel = $3 AND status = 'sending' AND lease_until <= $2),
    late AS (
        UPDATE delivery SET status = 'dropped', error_code = 'expired', settled_at = $2,
            address_sealed = NULL, text_sealed = NULL
        WHERE bucket = $1 AND channel = $3 AND status IN ('pending', 'unknown') AND next_attempt_at <= $2
          AND expires_at <= $2)
    UPDATE delivery SET address_sealed = NULL, text_sealed = NULL
    WHERE bucket = $1 AND channel = $3 AND text_sealed IS NOT NULL AND expires_at <= $2
      AND status IN ('sent', 'failed', 'dropped')
    """
)

# Notices that are needless meanwhile. $4: the channels; an SMS that waits for a phone's answer is one.
WITHDRAW = Command(
    """
    UPDATE delivery d SET status = 'dropped', error_code = 'answered', settled_at = $3,
        address_sealed = NULL, text_sealed = NULL
    FROM unnest($1::int[], $2::uuid[]) AS u (bucket, notification_id)
    WHERE d.bucket = u.bucket AND d.notification_id = u.notification_id AND d.channel = ANY($4::text[])
      AND d.status IN ('pending', 'unknown')
    """,
    fan_out="one batch of due work holds many persons",
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

# One bucket and channel a statement, by ctid (scale.md). A delivery waits while an earlier one of the same
# device and collapse group is under way, so that the phone sees them in order.
CLAIM = Statement(
    Claimed,
    """
    UPDATE delivery SET status = 'sending', lease_until = $3, attempts = attempts + 1
    WHERE bucket = $1 AND ctid = ANY(ARRAY(
        SELECT d.ctid FROM delivery d
        WHERE d.bucket = $1 AND d.channel = $5 AND d.status IN ('pending', 'unknown')
          AND d.next_attempt_at <= $2
          AND NOT EXISTS (
              SELECT 1 FROM delivery e
              WHERE e.bucket = $1 AND e.status = 'sending' AND e.patient_id = d.patient_id
                AND e.device_id = d.device_id AND e.collapse = d.collapse AND e.delivery_id < d.delivery_id)
        ORDER BY d.next_attempt_at LIMIT $4 FOR UPDATE SKIP LOCKED))
      AND status IN ('pending', 'unknown')
    RETURNING bucket, delivery_id, patient_id, notification_id, device_id, channel, type, collapse, attempts,
              lease_until, COALESCE(due_at, created_at) AS due_at, expires_at, address_sealed, text_sealed,
              dependent_id, keeps_quiet
    """,
)

# Read when they leave, all of a claim at once: a device that signed out since has no target.
WAYS = Statement(
    Way,
    """
    SELECT c.patient_id, u.device_id, c.state AS book, t.kind, t.value_sealed, t.platform,
           COALESCE(t.language, p.language) AS language, p.zone, p.quiet_from, p.quiet_until
    FROM unnest($1::uuid[], $2::uuid[]) AS u (patient_id, device_id)
    JOIN citizen c ON c.patient_id = u.patient_id
    LEFT JOIN push_target t ON t.patient_id = u.patient_id AND t.device_id = u.device_id
    LEFT JOIN notification_preference_set p ON p.patient_id = u.patient_id
    """,
    fan_out="one batch of due work holds many persons",
)

# What became of one claim. $3: its lease; what it has lost meanwhile is left to whoever holds it now. $7 to
# $11: what many have in common, by its place.
SETTLE = Command(
    """
    UPDATE delivery d SET status = ($7::text[])[u.alike], next_attempt_at = ($8::timestamptz[])[u.alike],
        message_id = u.message_id, error_code = ($9::text[])[u.alike], lease_until = NULL,
        attempts = d.attempts - ($10::int[])[u.alike],
        settled_at = CASE WHEN ($7::text[])[u.alike] IN ('sent', 'failed', 'dropped')
            THEN $2::timestamptz END,
        address_sealed = CASE WHEN ($11::bool[])[u.alike] THEN NULL ELSE d.address_sealed END,
        text_sealed = CASE WHEN ($11::bool[])[u.alike] THEN NULL ELSE d.text_sealed END
    FROM unnest($4::uuid[], $5::text[], $6::int[]) AS u (delivery_id, message_id, alike)
    WHERE d.bucket = $1 AND d.delivery_id = u.delivery_id AND d.status = 'sending' AND d.lease_until = $3
    """
)

# A provider that said when to come back is not asked before for what can wait. $3: the device alone that is
# rung too often; NULL: everybody.
PAUSE = Command(
    """
    UPDATE delivery SET next_attempt_at = $2
    WHERE bucket = $1 AND channel = 'push' AND status IN ('pending', 'unknown') AND next_attempt_at < $2
      AND collapse IN ('reminder', 'info') AND ($3::uuid IS NULL OR device_id = $3::uuid)
    """
)

MISMATCHED = Scalar(
    int,
    """
    SELECT count(*) FROM (
        SELECT FROM delivery
        WHERE status = 'failed' AND settled_at >= $1 AND error_code = 'sender-mismatch' LIMIT $2) AS d
    """,
    fan_out="a wrong service account shows everywhere at once",
)

ANSWERED = Statement(
    Answered,
    """
    SELECT notification_id, device_id, bool_or(ends_sms) AS ends_sms FROM notification_receipt
    WHERE patient_id = ANY($1::uuid[]) AND notification_id = ANY($2::uuid[])
    GROUP BY notification_id, device_id
    """,
    fan_out="one batch of due work holds many persons",
)

DELETE_DEAD_TARGETS = Command(
    """
    DELETE FROM push_target t USING unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
        AS u (patient_id, device_id, claimed_at)
    WHERE t.patient_id = u.patient_id AND t.device_id = u.device_id AND t.updated_at <= u.claimed_at
    """,
    fan_out="one batch of due work holds many persons",
)

DELETE_STALE_TARGETS = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT patient_id, device_id FROM push_target WHERE updated_at < $1 LIMIT $2),
    gone AS (
        DELETE FROM push_target t USING old
        WHERE t.patient_id = old.patient_id AND t.device_id = old.device_id AND t.updated_at < $1 RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)

BUCKETS_TO_DRAIN = Scalar(
    int,
    """
    SELECT bucket FROM delivery
    WHERE channel = ANY($2::text[]) AND status IN ('pending', 'unknown') AND next_attempt_at <= $1
    UNION SELECT bucket FROM delivery
          WHERE channel = ANY($2::text[]) AND status = 'sending' AND lease_until <= $1
    UNION SELECT bucket FROM delivery
          WHERE channel = ANY($2::text[]) AND text_sealed IS NOT NULL AND expires_at <= $1
            AND status IN ('sent', 'failed', 'dropped')
    """,
    fan_out="the worker asks once per round which buckets hold work",
)

# What a phone got was sent, also when nobody knew or it waits to go again; what the network gave up has
# failed. A delivery that was dropped stays so, and nothing takes back a `delivered`.
REPORT_SMS = Command(
    """
    UPDATE delivery SET reported = $3, reported_at = $4,
        status = CASE $3 WHEN 'delivered' THEN 'sent' ELSE 'failed' END,
        error_code = CASE $3 WHEN 'delivered' THEN NULL ELSE 'reported' END,
        settled_at = COALESCE(settled_at, $4), lease_until = NULL, address_sealed = NULL, text_sealed = NULL
    WHERE bucket = $1 AND delivery_id = $2 AND channel = 'sms' AND status <> 'dropped'
      AND reported IS DISTINCT FROM 'delivered'
    """
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

CHARGE_SMS = Scalar(
    int,
    """
    INSERT INTO sms_budget (bucket, key, day, used) VALUES ($1, $2, $3, $4)
    ON CONFLICT (bucket, key, day) DO UPDATE SET used = sms_budget.used + EXCLUDED.used
    RETURNING used
    """,
)

DELETE_SMS_BUDGETS = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (SELECT bucket, key, day FROM sms_budget WHERE day < $1 LIMIT $2),
    gone AS (
        DELETE FROM sms_budget b USING old
        WHERE b.bucket = old.bucket AND b.key = old.key AND b.day = old.day RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
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

_ASKED = "operators ask how the queue stands"

WAITING = Statement(
    WaitingLine,
    """
    SELECT channel, type, status, count(*) AS count, count(*) FILTER (WHERE next_attempt_at <= $1) AS due,
           min(COALESCE(due_at, created_at)) FILTER (WHERE next_attempt_at <= $1) AS oldest
    FROM delivery WHERE status IN ('pending', 'unknown', 'sending')
    GROUP BY channel, type, status ORDER BY channel, type, status
    """,
    fan_out=_ASKED,
)

ENDED = Statement(
    EndedLine,
    """
    SELECT channel, type, status, error_code, count(*) AS count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY late) AS late_p50,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY late) AS late_p99
    FROM (
        SELECT channel, type, status, error_code,
               greatest(0, extract(epoch FROM settled_at - COALESCE(due_at, created_at)))::float8 AS late
        FROM delivery WHERE settled_at >= $1) AS d
    GROUP BY channel, type, status, error_code ORDER BY channel, type, status, error_code
    """,
    fan_out=_ASKED,
)

# $1: the codes that nobody needs to look at; $2: since when.
COUNT_DEAD = Scalar(
    int,
    """
    SELECT count(*) FROM delivery
    WHERE status IN ('failed', 'dropped') AND error_code <> ALL($1::text[]) AND settled_at >= $2
    """,
    fan_out=_ASKED,
)

DEAD_LETTERS = Statement(
    DeadLetter,
    """
    SELECT delivery_id, channel, type, status, error_code, attempts, settled_at, expires_at FROM delivery
    WHERE status IN ('failed', 'dropped') AND error_code <> ALL($1::text[]) AND settled_at >= $2
    ORDER BY settled_at DESC, delivery_id DESC LIMIT $3
    """,
    fan_out=_ASKED,
)

# An SMS whose text is gone stays where it is.
RETRY_DEAD = Scalar(
    int,
    """
    WITH again AS (
        UPDATE delivery SET status = 'pending', attempts = 0, next_attempt_at = $3, error_code = NULL,
            settled_at = NULL
        WHERE status IN ('failed', 'dropped') AND error_code <> ALL($1::text[]) AND settled_at >= $2
          AND expires_at > $3 AND (channel = 'push' OR text_sealed IS NOT NULL)
          AND (cardinality($4::uuid[]) = 0 OR delivery_id = ANY($4::uuid[]))
        RETURNING 1)
    SELECT count(*) FROM again
    """,
    fan_out="operators send again what died",
)
