"""All SQL of reminders."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from reminders.models import Outcome, Reminder
from reminders.passing import Passed
from store.database import Tx
from store.statement import Command, Scalar, Statement

_COLUMNS = (
    "patient_id, reminder_id, kind, prescription_id, line, state, asks, own_times, times, interval_hours,"
    " zone, checks, starts_on, doses, doses_due, next_at, last_at, end_reason, version, changed_at,"
    " own_length_of, source, every_days, weekdays, on_days, phases"
)
_BATCH = "one batch of due work holds many persons"
_SELECT = f"SELECT {_COLUMNS} FROM reminder WHERE patient_id = $1"  # noqa: S608 - constants of this file


class Key(Struct, frozen=True):
    patient_id: UUID
    reminder_id: UUID


class DueReminder(Reminder, frozen=True):
    """A plan whose timer fired, with what a batch has to know of its person. n: which of the timers, from 1;
    is_apart: of a merge, so that it is looked at alone; has_guardians: somebody stood or stands as one;
    is_split: more of its kind rings at that time, by none of these timers; is_off: the person switched its
    kind off."""

    n: int = 0
    is_alive: bool = False
    is_apart: bool = False
    has_guardians: bool = False
    is_split: bool = False
    is_off: bool = False


class Noted(Struct, frozen=True):
    """A time that was not written before."""

    reminder_id: UUID
    due_at: datetime
    outcome: Outcome


class Cover(Struct, frozen=True):
    """A phone that rings by itself. n: at which of the times, from 1."""

    n: int
    device_id: UUID


INSERT = Command(
    f"""
    INSERT INTO reminder ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $23, $24, $25, $26)
    ON CONFLICT (patient_id, reminder_id) DO NOTHING
    """  # noqa: S608
)
BY_IDS = Statement(Reminder, _SELECT + " AND reminder_id = ANY($2::uuid[])")
LOCK = Statement(Reminder, _SELECT + " AND reminder_id = $2 FOR UPDATE")
BY_ID = Statement(Reminder, _SELECT + " AND reminder_id = $2")
OF_LINE = Statement(
    Key,
    """
    SELECT patient_id, reminder_id FROM reminder WHERE patient_id = $1 AND prescription_id = $2 AND line = $3
    """,
)
# Prescriptions of which something is still taken.
STANDING_PRESCRIPTIONS = Scalar(
    UUID,
    """
    SELECT DISTINCT prescription_id FROM reminder
    WHERE patient_id = $1 AND state <> 'ended' AND prescription_id IS NOT NULL ORDER BY prescription_id
    """,
)
STANDING_IDS = Scalar(
    UUID, "SELECT reminder_id FROM reminder WHERE patient_id = $1 AND state <> 'ended' ORDER BY reminder_id"
)
OF_PRESCRIPTION = Statement(
    Reminder, _SELECT + " AND prescription_id = $2 ORDER BY line, reminder_id FOR UPDATE"
)
# What ended some time ago is told by the book's medicines.
SHOWN = Statement(
    Reminder,
    _SELECT
    + """
     AND (state <> 'ended' OR changed_at > $2)
    ORDER BY next_at NULLS LAST, prescription_id, line LIMIT $3
    """,
)
SAVE = Command(
    """
    UPDATE reminder SET state = $3, asks = $4, own_times = $5, times = $6, interval_hours = $7, checks = $8,
        starts_on = $9, doses = $10, doses_due = $11, next_at = $12, last_at = $13, end_reason = $14,
        version = $15, changed_at = $16, own_length_of = $17, zone = $18, every_days = $19, weekdays = $20,
        on_days = $21, phases = $22
    WHERE patient_id = $1 AND reminder_id = $2
    """
)
_FIELDS = ", ".join(f"r.{name}" for name in Reminder.__struct_fields__)
# By their marks, `<patient_id>:<reminder_id>`. In the order in which rows are locked.
DUE = Statement(
    DueReminder,
    f"""
    SELECT {_FIELDS}, q.n,
        c.state NOT IN ('death-reported', 'frozen', 'erasing') AS is_alive,
        EXISTS (SELECT FROM person_alias a WHERE a.patient_id = r.patient_id)
        OR EXISTS (SELECT FROM person_origin o WHERE o.patient_id = r.patient_id) AS is_apart,
        EXISTS (SELECT FROM guardianship g WHERE g.patient_id = r.patient_id AND g.ended_at IS NULL)
        OR EXISTS (SELECT FROM birth_link b WHERE b.patient_id = r.patient_id) AS has_guardians,
        EXISTS (SELECT FROM reminder s
            WHERE s.patient_id = r.patient_id AND s.kind = r.kind AND s.state = 'active'
              AND s.next_at = r.next_at AND concat(s.patient_id, ':', s.reminder_id) <> ALL($1)) AS is_split,
        EXISTS (SELECT FROM reminder_kind_off k
            WHERE k.patient_id = r.patient_id AND k.kind = r.kind) AS is_off
    FROM unnest($1::text[]) WITH ORDINALITY AS q (mark, n)
    JOIN reminder r ON r.patient_id = left(q.mark, 36)::uuid AND r.reminder_id = substr(q.mark, 38)::uuid
    JOIN citizen c ON c.patient_id = r.patient_id
    ORDER BY r.patient_id, r.reminder_id
    """,  # noqa: S608 - field names of a Struct
    fan_out=_BATCH,
)
# Only what stands as it was read: who changed a plan meanwhile pokes its timer.
PASS = Scalar(
    int,
    """
    UPDATE reminder r SET doses_due = p.doses_due, last_at = p.last_at, next_at = p.next_at,
        state = CASE WHEN p.next_at IS NULL THEN 'ended' ELSE r.state END,
        asks = CASE WHEN p.next_at IS NULL THEN NULL ELSE r.asks END,
        end_reason = CASE WHEN p.next_at IS NULL THEN 'used-up' ELSE r.end_reason END,
        version = CASE WHEN p.next_at IS NULL THEN r.version + 1 ELSE r.version END,
        changed_at = CASE WHEN p.next_at IS NULL THEN $8 ELSE r.changed_at END
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[], $5::int[], $6::timestamptz[],
        $7::timestamptz[]) WITH ORDINALITY
        AS p (patient_id, reminder_id, version, was_at, doses_due, last_at, next_at, n)
    WHERE r.patient_id = p.patient_id AND r.reminder_id = p.reminder_id AND r.version = p.version
        AND r.next_at = p.was_at
    RETURNING p.n
    """,
    fan_out=_BATCH,
)
# Taken or skipped before its time, it is closed.
NOTE = Statement(
    Noted,
    """
    INSERT INTO reminder_occurrence (patient_id, reminder_id, due_at, outcome)
    SELECT t.patient_id, t.reminder_id, t.due_at,
        CASE WHEN t.outcome IN ('told', 'late') AND EXISTS (
            SELECT FROM reminder_answer a
            WHERE a.patient_id = t.patient_id AND a.reminder_id = t.reminder_id AND a.due_at = t.due_at
              AND a.act <> 'later')
        THEN 'answered' ELSE t.outcome END
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[])
        AS t (patient_id, reminder_id, due_at, outcome)
    ON CONFLICT (patient_id, reminder_id, due_at) DO NOTHING RETURNING reminder_id, due_at, outcome
    """,
    fan_out=_BATCH,
)

FORGET = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (
        SELECT patient_id, reminder_id, due_at FROM reminder_occurrence WHERE due_at < $1 LIMIT $2
    ), gone AS (
        DELETE FROM reminder_occurrence o USING old
        WHERE o.patient_id = old.patient_id AND o.reminder_id = old.reminder_id AND o.due_at = old.due_at
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """,
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)

# Medicines alone: of nothing else is there a dose.
COUNTED = Statement(
    Reminder, _SELECT + " AND kind = 'medication' AND last_at >= $2 ORDER BY last_at DESC LIMIT $3"
)
# What rings, and what did until lately.
PLANNED = Statement(
    Reminder,
    _SELECT
    + """
     AND (state = 'active' AND next_at IS NOT NULL
          OR state IN ('paused', 'stopped', 'ended') AND changed_at > $2)
    ORDER BY next_at NULLS LAST, reminder_id LIMIT $3
    """,
)
# Of what was shown, as it was shown: what changes meanwhile is another version.
ACKNOWLEDGE = Command(
    """
    INSERT INTO reminder_plan_ack (patient_id, device_id, rings, is_own, covers_until, at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (patient_id, device_id) DO UPDATE SET rings = EXCLUDED.rings, is_own = EXCLUDED.is_own,
        covers_until = EXCLUDED.covers_until, at = EXCLUDED.at
    """
)
FORGET_ACKS = Command("DELETE FROM reminder_plan_ack WHERE patient_id = $1 AND covers_until <= $2")
# A phone that was given other alarms takes off those that it acknowledged.
FORGET_ACK = Command(
    "DELETE FROM reminder_plan_ack WHERE patient_id = $1 AND device_id = $2 AND rings <> $3::text[]"
)
# What rings at one time is one notice. The person's own phone has all of it or counts for none; what a
# guardian sees of it is asked in `occurrences.ring`.
COVERS = Statement(
    Cover,
    """
    SELECT a.n, k.device_id
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[]) WITH ORDINALITY
        AS a (patient_id, reminder_id, version, kind, due_at, n)
    JOIN reminder_plan_ack k ON k.patient_id = a.patient_id AND k.at <= a.due_at
        AND k.covers_until > a.due_at AND concat(a.reminder_id, ':', a.version) = ANY(k.rings)
    WHERE NOT k.is_own OR NOT EXISTS (
        SELECT FROM reminder s
        WHERE s.patient_id = a.patient_id AND s.kind = a.kind AND s.state = 'active' AND s.next_at = a.due_at
          AND concat(s.reminder_id, ':', s.version) <> ALL(k.rings))
    """,
    fan_out=_BATCH,
)
# What has still to ring at that time.
AT_ONCE = Statement(
    Reminder,
    _SELECT
    + " AND kind = $2 AND reminder_id <> $3 AND state = 'active' AND next_at = $4 ORDER BY reminder_id",
)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove times that came before then. Returns how many."""
    return await FORGET.one(tx, before, limit) or 0


async def insert(tx: Tx, one: Reminder) -> None:
    """Nothing where the reminder is there already."""
    await INSERT.run(tx, *(getattr(one, name) for name in Reminder.__struct_fields__))


async def save(tx: Tx, one: Reminder) -> None:
    """Write what can change of a locked row. Another version is another alarm for the phones that had it."""
    await SAVE.run(
        tx,
        one.patient_id,
        one.reminder_id,
        one.state,
        one.asks,
        one.own_times,
        one.times,
        one.interval_hours,
        one.checks,
        one.starts_on,
        one.doses,
        one.doses_due,
        one.next_at,
        one.last_at,
        one.end_reason,
        one.version,
        one.changed_at,
        one.own_length_of,
        one.zone,
        one.every_days,
        one.weekdays,
        one.on_days,
        one.phases,
    )


async def passed(tx: Tx, plans: Sequence[Passed], now: datetime) -> set[int]:
    """Write how far plans are whose times came, as they were read. Returns which, by their place in `plans`:
    a plan that was changed meanwhile is left as it is."""
    saved = await PASS.all(
        tx,
        [one.before.patient_id for one in plans],
        [one.before.reminder_id for one in plans],
        [one.before.version for one in plans],
        [one.before.next_at for one in plans],
        [one.before.doses_due + len(one.times) for one in plans],
        [one.times[-1][0] for one in plans],
        [one.next_at for one in plans],
        now,
    )
    return {place - 1 for place in saved}


async def note(tx: Tx, plans: Sequence[Passed]) -> set[tuple[UUID, datetime]]:
    """Write the times that came. Returns those that were not written before and that nobody answered."""
    times = [(one.before, at, outcome) for one in plans for at, outcome in one.times]
    noted = await NOTE.all(
        tx,
        [one.patient_id for one, _, _ in times],
        [one.reminder_id for one, _, _ in times],
        [at for _, at, _ in times],
        [outcome for _, _, outcome in times],
    )
    return {(one.reminder_id, one.due_at) for one in noted if one.outcome != "answered"}
