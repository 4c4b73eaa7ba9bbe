"""All SQL of reminders."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from reminders.models import Outcome, Reminder
from reminders.passing import DueReminder, Passed
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


class Written(Struct, frozen=True):
    """One row with the places of all plans that were moved on, from 1, and one for each time that was not
    written before and that nobody answered."""

    reminder_id: UUID | None
    due_at: datetime | None
    moved: list[int] | None


# Where a plan stood, its last time, where it stands then, and how many times came.
_Course: TypeAlias = tuple[datetime | None, datetime, datetime | None, int]


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
_FIELDS = ", ".join(
    f"r.{name}" for name in DueReminder.__struct_fields__ if name in Reminder.__struct_fields__
)
# By their marks, `<patient_id>:<reminder_id>`. In the order in which rows are locked. What rings beside it is
# looked for where somebody else hears of it alone. The guardians are asked for twice there: a part that would
# ask once has no table of its own, and Citus takes no such part to the shards.
_GUARDED = """(EXISTS (SELECT FROM guardianship g WHERE g.patient_id = r.patient_id AND g.ended_at IS NULL)
            OR EXISTS (SELECT FROM birth_link b WHERE b.patient_id = r.patient_id))"""
DUE = Statement(
    DueReminder,
    f"""
    SELECT {_FIELDS}, q.n,
        c.state NOT IN ('death-reported', 'frozen', 'erasing') AS is_alive,
        EXISTS (SELECT FROM person_alias a WHERE a.patient_id = r.patient_id)
        OR EXISTS (SELECT FROM person_origin o WHERE o.patient_id = r.patient_id) AS is_apart,
        {_GUARDED} AS has_guardians,
        {_GUARDED} AND EXISTS (SELECT FROM reminder s
            WHERE s.patient_id = r.patient_id AND s.kind = r.kind AND s.state = 'active'
              AND s.next_at = r.next_at AND concat(s.patient_id, ':', s.reminder_id) <> ALL($1)) AS is_split,
        EXISTS (SELECT FROM reminder_kind_off k
            WHERE k.patient_id = r.patient_id AND k.kind = r.kind) AS is_off,
        EXISTS (SELECT FROM reminder_plan_ack k WHERE k.patient_id = r.patient_id) AS has_alarms
    FROM unnest($1::text[]) WITH ORDINALITY AS q (mark, n)
    JOIN reminder r ON r.patient_id = left(q.mark, 36)::uuid AND r.reminder_id = substr(q.mark, 38)::uuid
    JOIN citizen c ON c.patient_id = r.patient_id
    ORDER BY r.patient_id, r.reminder_id
    """,  # noqa: S608 - field names of a Struct
    fan_out=_BATCH,
)
# Only what stands as it was read: who changed a plan meanwhile pokes its timer. With the times that came of
# what was moved ($8: of which plan, $9: which time); one taken or skipped before is closed. Where plans stood
# and stand ($5 to $7) and times with what became of them ($10, $11) are taken by their places, for many have
# them in common. IS TRUE keeps the look-up of what was moved a hash: a join of arrays, of whose lengths no
# plan knows, would compare each with each.
PASS = Statement(
    Written,
    """
    WITH moved AS (
        UPDATE reminder r SET last_at = ($6::timestamptz[])[p.course], next_at = p.next_at,
            doses_due = r.doses_due + ($12::int[])[p.course],
            state = CASE WHEN p.next_at IS NULL THEN 'ended' ELSE r.state END,
            asks = CASE WHEN p.next_at IS NULL THEN NULL ELSE r.asks END,
            end_reason = CASE WHEN p.next_at IS NULL THEN 'used-up' ELSE r.end_reason END,
            version = CASE WHEN p.next_at IS NULL THEN r.version + 1 ELSE r.version END,
            changed_at = CASE WHEN p.next_at IS NULL THEN $13 ELSE r.changed_at END
        FROM (
            SELECT *, ($7::timestamptz[])[course] AS next_at
            FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY
                AS p (patient_id, reminder_id, version, course, n)) AS p
        WHERE r.patient_id = p.patient_id AND r.reminder_id = p.reminder_id AND r.version = p.version
            AND r.next_at = ($5::timestamptz[])[p.course]
        RETURNING p.n),
    came AS (
        SELECT ($1::uuid[])[n] AS patient_id, ($2::uuid[])[n] AS reminder_id,
            ($10::timestamptz[])[at] AS due_at, ($11::text[])[at] AS outcome
        FROM unnest($8::int[], $9::int[]) AS t (n, at)
        WHERE (n IN (SELECT m.n FROM moved m)) IS TRUE),
    answered AS (
        SELECT a.patient_id, a.reminder_id, a.due_at FROM came t JOIN reminder_answer a
            ON a.patient_id = t.patient_id AND a.reminder_id = t.reminder_id AND a.due_at = t.due_at
        WHERE t.outcome IN ('told', 'late') AND a.act <> 'later'),
    noted AS (
        INSERT INTO reminder_occurrence (patient_id, reminder_id, due_at, outcome)
        SELECT t.patient_id, t.reminder_id, t.due_at,
            CASE WHEN (t.patient_id, t.reminder_id, t.due_at) IN (SELECT * FROM answered)
            THEN 'answered' ELSE t.outcome END
        FROM came t
        ON CONFLICT (patient_id, reminder_id, due_at) DO NOTHING
        RETURNING reminder_id, due_at, outcome)
    SELECT NULL::uuid AS reminder_id, NULL::timestamptz AS due_at, array_agg(m.n) AS moved FROM moved m
    UNION ALL SELECT reminder_id, due_at, NULL FROM noted WHERE outcome <> 'answered'
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
        WHERE s.patient_id = k.patient_id AND s.kind = a.kind AND s.state = 'active' AND s.next_at = a.due_at
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


async def passed(
    tx: Tx, plans: Sequence[Passed], now: datetime
) -> tuple[set[int], set[tuple[UUID, datetime]]]:
    """Write how far plans are whose times came, as they were read, and those times. Returns which, by their
    place in `plans` (a plan that was changed meanwhile is left as it is), and the times of them that were not
    written before and that nobody answered."""
    courses, times = dict[_Course, int](), dict[tuple[datetime, Outcome], int]()
    of = [
        courses.setdefault(
            (one.before.next_at, one.times[-1][0], one.next_at, len(one.times)), len(courses) + 1
        )
        for one in plans
    ]
    came = [
        (n, times.setdefault(at, len(times) + 1)) for n, one in enumerate(plans, start=1) for at in one.times
    ]
    was, last, following, counts = zip(*courses, strict=True)
    found = await PASS.all(
        tx,
        [one.before.patient_id for one in plans],
        [one.before.reminder_id for one in plans],
        [one.before.version for one in plans],
        of,
        was,
        last,
        following,
        [n for n, _ in came],
        [place for _, place in came],
        [at for at, _ in times],
        [outcome for _, outcome in times],
        counts,
        now,
    )
    moved = {n - 1 for one in found if one.moved is not None for n in one.moved}
    return moved, {(one.reminder_id, one.due_at) for one in found if one.reminder_id and one.due_at}
