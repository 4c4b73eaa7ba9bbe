"""All SQL of answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from reminders.answers.models import Answer, Came, Open
from reminders.models import Kind
from store.database import Tx
from store.statement import Scalar, Statement

TIMES_MAX: Final = 20_000


class Key(Struct, frozen=True):
    reminder_id: UUID
    due_at: datetime


class Closed(Struct, frozen=True):
    kind: Kind
    due_at: datetime


class Opened(Struct, frozen=True):
    patient_id: UUID
    notification_id: UUID


# An answer gives way to one that was given later, whichever comes first.
PUT = Statement(
    Key,
    """
    INSERT INTO reminder_answer (patient_id, reminder_id, due_at, act, at, rings_at, recorded_at)
    SELECT $1, a.reminder_id, a.due_at, a.act, a.at, a.rings_at, $7
    FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::timestamptz[])
        AS a (reminder_id, due_at, act, at, rings_at)
    ORDER BY a.reminder_id, a.due_at
    ON CONFLICT (patient_id, reminder_id, due_at) DO UPDATE SET
        act = EXCLUDED.act, at = EXCLUDED.at, rings_at = EXCLUDED.rings_at, recorded_at = EXCLUDED.recorded_at
    WHERE EXCLUDED.at >= reminder_answer.at
    RETURNING reminder_id, due_at
    """,
)
# Shared with other answers, not with what rings.
LOCK = Scalar(
    UUID,
    """
    SELECT reminder_id FROM reminder WHERE patient_id = $1 AND reminder_id = ANY($2::uuid[])
    ORDER BY reminder_id FOR SHARE
    """,
)
# When times of these answers still ring that were put off.
PUT_OFF_UNTIL = Scalar(
    datetime,
    """
    SELECT DISTINCT o.rings_at FROM reminder_answer o
    JOIN unnest($2::uuid[], $3::timestamptz[]) AS a (reminder_id, due_at)
        ON a.reminder_id = o.reminder_id AND a.due_at = o.due_at
    WHERE o.patient_id = $1 AND o.act = 'later' AND o.rings_at > $4 ORDER BY o.rings_at
    """,
)
# Of these instants, those until which nothing is put off any more.
WAITED_FOR_NO_MORE = Scalar(
    datetime,
    """
    SELECT q.rings_at FROM unnest($2::timestamptz[]) AS q (rings_at)
    WHERE NOT EXISTS (
        SELECT FROM reminder_answer o
        WHERE o.patient_id = $1 AND o.act = 'later' AND o.rings_at = q.rings_at)
    ORDER BY q.rings_at
    """,
)
# Times of which something was said and all is answered.
CLOSED = Statement(
    Closed,
    """
    SELECT r.kind, o.due_at
    FROM reminder_occurrence o
    JOIN reminder r ON r.patient_id = o.patient_id AND r.reminder_id = o.reminder_id
    LEFT JOIN reminder_answer a ON a.patient_id = o.patient_id AND a.reminder_id = o.reminder_id
        AND a.due_at = o.due_at AND a.act <> 'later'
    WHERE o.patient_id = $1 AND o.due_at = ANY($2::timestamptz[]) AND o.outcome IN ('told', 'answered')
    GROUP BY r.kind, o.due_at
    HAVING bool_and(a.act IS NOT NULL) AND bool_or(o.outcome = 'told')
    """,
)
NOTED = Statement(
    Key,
    """
    SELECT reminder_id, due_at FROM reminder_occurrence
    WHERE patient_id = $1 AND reminder_id = ANY($2::uuid[]) AND due_at = ANY($3::timestamptz[])
    """,
)
CAME_SINCE = Statement(
    Came,
    """
    SELECT o.patient_id, o.reminder_id, o.due_at, a.act
    FROM reminder_occurrence o
    LEFT JOIN reminder_answer a
        ON a.patient_id = o.patient_id AND a.reminder_id = o.reminder_id AND a.due_at = o.due_at
    WHERE o.patient_id = $1 AND o.reminder_id = ANY($2::uuid[]) AND o.due_at >= $3
      AND (o.outcome IN ('told', 'answered') OR a.act IN ('taken', 'skipped'))
    ORDER BY o.due_at DESC LIMIT $4
    """,
)
# Answers to times of one day, also to those that have not come.
SAID_BETWEEN = Statement(
    Came,
    """
    SELECT patient_id, reminder_id, due_at, act FROM reminder_answer
    WHERE patient_id = $1 AND due_at >= $2 AND due_at < $3 ORDER BY due_at, reminder_id
    """,
)
# A course is used up with its last time, which is asked after like every other. Of who is reported dead
# nothing is (security.md S18). In which table, and whose.
_OPEN = """
    SELECT o.patient_id, o.reminder_id, o.due_at, r.kind,
        r.version - CASE r.state WHEN 'ended' THEN 1 ELSE 0 END AS version,
        EXISTS (SELECT FROM person_alias a WHERE a.patient_id = {1}) AS is_merged,
        EXISTS (SELECT FROM guardianship g WHERE g.patient_id = {1} AND g.ended_at IS NULL)
        OR EXISTS (SELECT FROM birth_link b WHERE b.patient_id = {1})
        OR EXISTS (SELECT FROM proxy p WHERE p.patient_id = {1} AND p.ended_at IS NULL
            AND 'reminders' = ANY(p.scopes)) AS has_carer
    FROM {0} o
    JOIN reminder r ON r.patient_id = o.patient_id AND r.reminder_id = o.reminder_id
    JOIN citizen c ON c.patient_id = o.patient_id
    WHERE (r.state = 'active' OR (r.state = 'ended' AND r.end_reason = 'used-up'))
      AND c.state NOT IN ('death-reported', 'frozen', 'erasing')
"""
PUT_OFF = Statement(
    Open,
    _OPEN.format("reminder_answer", "$1")
    + " AND o.patient_id = $1 AND o.act = 'later' AND o.rings_at = $2 ORDER BY o.due_at, o.reminder_id",
)
# Of one bucket (kernel/ids.py) and one minute: what was told, and neither answered nor put off beyond $6.
UNANSWERED = Statement(
    Open,
    _OPEN.format("reminder_occurrence", "o.patient_id")  # noqa: S608 - constants of this file
    + """
      AND o.due_at >= $1 AND o.due_at < $2
      AND get_byte(sha256(uuid_send(o.patient_id)), 0) = $3
      AND o.patient_id > $4 AND o.outcome = 'told' AND r.kind = ANY($5::text[])
      AND NOT EXISTS (
          SELECT 1 FROM reminder_answer a
          WHERE a.patient_id = o.patient_id AND a.reminder_id = o.reminder_id AND a.due_at = o.due_at
            AND (a.act <> 'later' OR a.rings_at > $6))
    ORDER BY o.patient_id, o.due_at LIMIT $7
    """,
    fan_out="one batch of due work holds many persons",
)
# Of one person since $2: what nobody answered until $3, nor put off beyond $5.
MISSED = Statement(
    Open,
    _OPEN.format("reminder_occurrence", "$1")  # noqa: S608 - constants of this file
    + """
      AND o.patient_id = $1 AND o.due_at >= $2 AND o.due_at <= $3 AND o.outcome = 'told'
      AND r.kind = ANY($4::text[])
      AND NOT EXISTS (
          SELECT 1 FROM reminder_answer a
          WHERE a.patient_id = o.patient_id AND a.reminder_id = o.reminder_id AND a.due_at = o.due_at
            AND (a.act <> 'later' OR a.rings_at > $5))
    ORDER BY o.due_at DESC, o.reminder_id LIMIT $6
    """,
)
# Which of these notices somebody got.
GOT = Scalar(
    str,
    "SELECT dedupe_key FROM notification WHERE patient_id = $1 AND dedupe_key = ANY($2::text[])"
    " ORDER BY dedupe_key",
)
# Notices that somebody opened or acted on.
OPENED = Statement(
    Opened,
    """
    SELECT DISTINCT patient_id, notification_id FROM notification_receipt
    WHERE patient_id = ANY($1::uuid[]) AND notification_id = ANY($2::uuid[]) AND kind IN ('opened', 'acted')
    """,
    fan_out="one batch of due work holds many persons",
)
FORGET = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT patient_id, reminder_id, due_at FROM reminder_answer WHERE due_at < $1 LIMIT $2
    ), gone AS (
        DELETE FROM reminder_answer a USING old
        WHERE a.patient_id = old.patient_id AND a.reminder_id = old.reminder_id AND a.due_at = old.due_at
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


async def put(
    tx: Tx, patient_id: UUID, answers: Sequence[Answer], now: datetime
) -> set[tuple[UUID, datetime]]:
    """Keep answers of one person, at most one of a time. Returns those that stand now."""
    kept = await PUT.all(
        tx,
        patient_id,
        [one.reminder_id for one in answers],
        [one.due_at for one in answers],
        [one.act for one in answers],
        [one.at for one in answers],
        [one.rings_at for one in answers],
        now,
    )
    return {(one.reminder_id, one.due_at) for one in kept}


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove answers to times before then. Returns how many."""
    return await FORGET.one(tx, before, limit) or 0
