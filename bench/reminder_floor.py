"""The floor under reminders: the same rows written by bare SQL, hundreds at a time, by two connections.

Nothing is decided and nobody is looked up: no access, no line of the record, no preference, no seal, no
message; PostgreSQL does all of it, and the two connections wait for it.
"""

import asyncio
import time
from typing import Final

import asyncpg

from kernel.ids import BUCKETS

CLAIM: Final = 500
PROCESSES: Final = 2
# Timer taken, plan moved on, time written, notice and push written, timer set again.
RING: Final = """
    WITH gone AS (
        DELETE FROM due_queue WHERE bucket = $1 AND ctid = ANY(ARRAY(
            SELECT ctid FROM due_queue WHERE bucket = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3
            FOR UPDATE SKIP LOCKED))
        RETURNING kind, ref, left(ref, 36)::uuid AS patient_id, substr(ref, 38)::uuid AS reminder_id),
    moved AS (
        UPDATE reminder r SET doses_due = r.doses_due + 1, last_at = r.next_at,
            next_at = r.next_at + interval '1 day'
        FROM gone g WHERE r.patient_id = g.patient_id AND r.reminder_id = g.reminder_id
        RETURNING r.patient_id, r.reminder_id, r.last_at, r.next_at, g.kind, g.ref,
            gen_random_uuid() AS notification_id),
    noted AS (
        INSERT INTO reminder_occurrence (patient_id, reminder_id, due_at, outcome)
        SELECT patient_id, reminder_id, last_at, 'told' FROM moved
        ON CONFLICT (patient_id, reminder_id, due_at) DO NOTHING),
    heard AS (
        SELECT m.patient_id, m.notification_id, m.patient_id AS to_id, 'medicine-due' AS type, m.last_at
        FROM moved m
        UNION ALL SELECT m.patient_id, gen_random_uuid(), g.guardian_id, 'dependent-reminder', m.last_at
        FROM moved m JOIN guardianship g ON g.patient_id = m.patient_id),
    said AS (
        INSERT INTO notification (patient_id, notification_id, type, dedupe_key, ref, status, created_at,
            expires_at)
        SELECT to_id, notification_id, type,
            'medicine-due:' || patient_id || ':2026-05-04T00:00:00+00:00',
            '{"due_at":"2026-05-04T00:00:00+00:00"}', 'ring', $2, last_at + interval '1 hour'
        FROM heard ON CONFLICT DO NOTHING),
    pushed AS (
        INSERT INTO delivery (bucket, delivery_id, patient_id, notification_id, device_id, channel, type,
            collapse, status, next_attempt_at, due_at, expires_at, created_at, dependent_id)
        SELECT get_byte(sha256(uuid_send(h.to_id)), 0), gen_random_uuid(), h.to_id, h.notification_id,
            t.device_id, 'push', h.type, 'reminder', 'pending', h.last_at, h.last_at,
            h.last_at + interval '1 hour', $2, nullif(h.patient_id, h.to_id)
        FROM heard h JOIN push_target t ON t.patient_id = h.to_id),
    again AS (
        INSERT INTO due_queue (bucket, kind, ref, due_at) SELECT $1, kind, ref, next_at FROM moved
        ON CONFLICT (bucket, kind, ref) DO UPDATE SET due_at = EXCLUDED.due_at RETURNING 1)
    SELECT count(*) FROM again
"""
TAKE: Final = """
    WITH taken AS (
        UPDATE delivery SET status = 'sending', lease_until = $4, attempts = attempts + 1
        WHERE bucket = $1 AND ctid = ANY(ARRAY(
            SELECT ctid FROM delivery
            WHERE bucket = $1 AND channel = 'push' AND status IN ('pending', 'unknown')
                AND next_attempt_at <= $2
            ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM taken
"""
SETTLE: Final = """
    WITH settled AS (
        UPDATE delivery SET status = 'sent', message_id = 'local', lease_until = NULL, settled_at = $2
        WHERE bucket = $1 AND status = 'sending' AND lease_until = $3 RETURNING 1)
    SELECT count(*) FROM settled
"""


async def run(dsn: str, now: object, lease: object) -> float:
    """Seconds until every row is written."""
    connections = [await asyncpg.connect(dsn) for _ in range(PROCESSES)]
    try:
        for one in connections:
            await one.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
        begin = time.perf_counter()
        await asyncio.gather(*(_ring(one, n, now) for n, one in enumerate(connections)))
        await asyncio.gather(*(_send(one, n, now, lease) for n, one in enumerate(connections)))
        return time.perf_counter() - begin
    finally:
        for one in connections:
            await one.close()


async def _ring(one: "asyncpg.Connection[asyncpg.Record]", number: int, now: object) -> None:
    """The buckets of one connection: each until nothing of it is left."""
    for bucket in range(number, BUCKETS, PROCESSES):
        while await one.fetchval(RING, bucket, now, CLAIM):
            pass


async def _send(one: "asyncpg.Connection[asyncpg.Record]", number: int, now: object, lease: object) -> None:
    """The deliveries of one connection's buckets, when all are written: a guardian's lies in another one."""
    for bucket in range(number, BUCKETS, PROCESSES):
        while await one.fetchval(TAKE, bucket, now, CLAIM, lease):
            await one.fetchval(SETTLE, bucket, now, lease)
