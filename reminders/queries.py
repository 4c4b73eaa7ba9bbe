"""All SQL of reminders."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from reminders.models import Outcome, Reminder
from store.database import Tx
from store.statement import Command, Scalar, Statement

_COLUMNS = (
    "patient_id, reminder_id, kind, prescription_id, line, state, asks, own_times, times, interval_hours,"
    " zone, checks, starts_on, doses, doses_due, next_at, last_at, end_reason, version, changed_at,"
    " own_length_of, source, every_days, weekdays, on_days, phases"
)
_SELECT = f"SELECT {_COLUMNS} FROM reminder WHERE patient_id = $1"  # noqa: S608 - constants of this file


class Key(Struct, frozen=True):
    patient_id: UUID
    reminder_id: UUID


class Cover(Struct, frozen=True):
    """A phone that has the present plan since `at`, for times before covers_until."""

    patient_id: UUID
    device_id: UUID
    at: datetime
    covers_until: datetime


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
OF_SOURCE = Statement(
    Key,
    "SELECT patient_id, reminder_id FROM reminder WHERE patient_id = $1 AND kind = $2 AND source = $3",
)
OF_LINE = Statement(
    Key,
    """
    SELECT patient_id, reminder_id FROM reminder WHERE patient_id = $1 AND prescription_id = $2 AND line = $3
    """,
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
INSERT_OCCURRENCE = Scalar(
    datetime,
    """
    INSERT INTO reminder_occurrence (patient_id, reminder_id, due_at, outcome) VALUES ($1, $2, $3, $4)
    ON CONFLICT (patient_id, reminder_id, due_at) DO NOTHING RETURNING due_at
    """,
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
# Before the row is written: a version that stays is no change, only a time that passed.
BUMP_PLAN = Command(
    """
    INSERT INTO reminder_plan (patient_id, version, changed_at)
    SELECT patient_id, 1, $4 FROM reminder WHERE patient_id = $1 AND reminder_id = $2 AND version <> $3
    ON CONFLICT (patient_id) DO UPDATE SET
        version = reminder_plan.version + 1, changed_at = EXCLUDED.changed_at
    """
)
COVERS = Statement(
    Cover,
    """
    SELECT k.patient_id, k.device_id, k.at, k.covers_until
    FROM reminder_plan_ack k JOIN reminder_plan p ON p.patient_id = k.patient_id
    WHERE k.patient_id = ANY($1::uuid[]) AND k.version = p.version
    """,
    fan_out="one batch of due work holds many persons",
)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove times that came before then. Returns how many."""
    return await FORGET.one(tx, before, limit) or 0


async def insert(tx: Tx, one: Reminder) -> None:
    """Nothing where the reminder is there already."""
    await INSERT.run(tx, *(getattr(one, name) for name in Reminder.__struct_fields__))


async def save(tx: Tx, one: Reminder) -> None:
    """Write what can change of a locked row. Phones that had the plan before have an old one then."""
    await BUMP_PLAN.run(tx, one.patient_id, one.reminder_id, one.version, one.changed_at)
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


async def note(tx: Tx, one: Reminder, due_at: datetime, outcome: Outcome) -> bool:
    """Write an occurrence; False where it was written before."""
    noted = await INSERT_OCCURRENCE.one(tx, one.patient_id, one.reminder_id, due_at, outcome)
    return noted is not None
