"""SQL of broken glass: the person's rows, their mirror at the practitioner, and the person's settings."""

from datetime import date, datetime, timedelta
from uuid import UUID

from consent.emergency.models import (
    Awaited,
    DisputeReason,
    Emergency,
    LiveEmergency,
    Signers,
    Verdict,
)
from identity.queries import held
from store.database import Tx
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_COLUMNS = """e.patient_id, e.emergency_id, e.version, e.practitioner_id, e.practitioner_name, e.licence,
    e.facility_id, e.facility_name, e.unit_id, e.unit_name, e.reason, e.safety_flag, e.told_from, e.opened_at,
    e.ends_at, e.arrival_by, e.needs_cosign, e.cosigned_at, e.extended_at, e.labels, e.labels_at, e.ended_at,
    e.end_reason, e.disputed_at, e.dispute, e.verdict, e.reviewed_at"""
# What merged persons left out, beside the own choice.
_TAKEN_OVER = "ARRAY(SELECT split_part(t, '/', 2) FROM unnest(s.taken_over) t)"
_OPEN = "e.ended_at IS NULL AND (NOT e.needs_cosign OR e.cosigned_at IS NOT NULL)"

# Everything that can end it is read anew: the row, the unit and the role in it, the practitioner's right, the
# arrival, the person's state, a merge, an epoch. Licence, role and facility were read with the session.
LIVE_EMERGENCY = Statement(
    LiveEmergency,
    f"""
    SELECT e.emergency_id, e.version, e.labels, e.opened_at,
        coalesce(e.read_told_on = $6, false) AS told_today,
        coalesce(s.withheld || {_TAKEN_OVER}, '{{}}'::text[]) AS withheld,
        ARRAY(SELECT o.origin_id FROM person_origin o WHERE o.patient_id = $1
            AND greatest(o.visible_at, o.moved_at, o.proven_at) <= e.opened_at AND o.moved_at IS NOT NULL
            AND (o.proven_at IS NOT NULL OR NOT o.needs_proof)) AS origins
    FROM emergency_access e JOIN citizen c ON c.patient_id = e.patient_id
    JOIN practitioner_role r ON r.practitioner_role_id = $4 AND r.unit_id = e.unit_id
    JOIN facility_unit u ON u.unit_id = e.unit_id AND u.kind = 'emergency' AND u.closed_at IS NULL
    JOIN practitioner p ON p.practitioner_id = e.practitioner_id AND p.emergency_suspended_at IS NULL
    LEFT JOIN emergency_setting s ON s.patient_id = e.patient_id
    WHERE e.patient_id = $1 AND e.practitioner_id = $2 AND e.facility_id = $3 AND e.ends_at > $5
      AND e.opened_at <= $5 AND {_OPEN} AND c.state IN ('active', 'death-reported')
      AND NOT {held("$1", "e.opened_at", "NULL::timestamptz")}
      AND NOT {epoch_holds("e.opened_at")}
      AND NOT EXISTS (SELECT FROM consent_block b WHERE b.patient_id = $1
        AND b.target_id = e.practitioner_id AND b.lifted_at IS NULL)
      AND (e.arrival_by > $5 OR EXISTS (SELECT FROM check_in a WHERE a.patient_id = $1
        AND a.facility_id = e.facility_id AND a.unit_id = e.unit_id AND a.recorded_by <> e.practitioner_id
        AND a.means IN ('citizen-qr', 'counter-qr', 'staff-typed')
        AND a.withdrawn_at IS NULL AND a.recorded_at >= e.opened_at - interval '12 hours'
        AND a.recorded_at <= coalesce(e.arrival_by, e.opened_at)))
    ORDER BY e.opened_at DESC LIMIT 1
    """,  # noqa: S608
)


async def live_emergency(
    tx: Tx,
    patient_id: UUID,
    practitioner_id: UUID,
    facility_id: UUID,
    practitioner_role_id: UUID | None,
    now: datetime,
    day: date,
) -> LiveEmergency | None:
    """The opening in force of this practitioner in this role; one statement. day: today, in Vietnam."""
    return await LIVE_EMERGENCY.one(
        tx, patient_id, practitioner_id, facility_id, practitioner_role_id, now, day
    )


TELL_READ = Scalar(
    UUID,
    """
    UPDATE emergency_access SET read_told_on = $3
    WHERE patient_id = $1 AND emergency_id = $2 AND (read_told_on IS NULL OR read_told_on < $3)
    RETURNING emergency_id
    """,
)


async def take_first_read(tx: Tx, patient_id: UUID, emergency_id: UUID, day: date) -> bool:
    """True for the one read that is the first of the day."""
    return await TELL_READ.one(tx, patient_id, emergency_id, day) is not None


INSERT = Command(
    """
    INSERT INTO emergency_access (patient_id, emergency_id, version, practitioner_id, practitioner_role_id,
        practitioner_name, licence, facility_id, facility_name, unit_id, unit_name, reason, reason_text,
        safety_flag, told_from, opened_at, ends_at, arrival_by, needs_cosign, labels)
    VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0)
    """
)
INSERT_MIRROR = Command(
    "INSERT INTO practitioner_emergency (actor_id, emergency_id, patient_id, facility_id, opened_at,"
    " arrival_by) VALUES ($1, $2, $3, $4, $5, $6)"
)


async def insert(
    tx: Tx,
    made: Emergency,
    *,
    practitioner_role_id: UUID,
    reason_text: bytes,
) -> None:
    """The row, and its mirror at the practitioner."""
    await INSERT.run(
        tx,
        made.patient_id,
        made.emergency_id,
        made.practitioner_id,
        practitioner_role_id,
        made.practitioner_name,
        made.licence,
        made.facility_id,
        made.facility_name,
        made.unit_id,
        made.unit_name,
        made.reason,
        reason_text,
        made.safety_flag,
        made.told_from,
        made.opened_at,
        made.ends_at,
        made.arrival_by,
        made.needs_cosign,
    )
    await INSERT_MIRROR.run(
        tx,
        made.practitioner_id,
        made.emergency_id,
        made.patient_id,
        made.facility_id,
        made.opened_at,
        made.arrival_by,
    )


BY_ID = Statement(
    Emergency,
    f"SELECT {_COLUMNS} FROM emergency_access e WHERE e.patient_id = $1 AND e.emergency_id = $2",  # noqa: S608
)


async def by_id(tx: Tx, patient_id: UUID, emergency_id: UUID) -> Emergency | None:
    return await BY_ID.one(tx, patient_id, emergency_id)


OF_PERSON = Statement(
    Emergency,
    f"""
    SELECT {_COLUMNS} FROM emergency_access e WHERE e.patient_id = $1 AND e.emergency_id < $2
    ORDER BY e.emergency_id DESC LIMIT $3
    """,  # noqa: S608
)


async def of_person(tx: Tx, patient_id: UUID, before: UUID, limit: int) -> list[Emergency]:
    """Newest first."""
    return await OF_PERSON.all(tx, patient_id, before, limit)


RUNNING_OF_PERSON = Statement(
    Emergency,
    f"""
    SELECT {_COLUMNS} FROM emergency_access e
    WHERE e.patient_id = $1 AND e.ends_at > $2 AND e.ended_at IS NULL
    ORDER BY e.opened_at
    """,  # noqa: S608
)


async def running_of_person(tx: Tx, patient_id: UUID, now: datetime) -> list[Emergency]:
    """Not ended and not run out; also what waits for a co-signature."""
    return await RUNNING_OF_PERSON.all(tx, patient_id, now)


OF_PAIR = Statement(
    Emergency,
    f"""
    SELECT {_COLUMNS} FROM emergency_access e
    WHERE e.patient_id = $1 AND e.practitioner_id = $2 AND e.opened_at > $3
    ORDER BY e.opened_at
    """,  # noqa: S608
)


async def of_pair(tx: Tx, patient_id: UUID, practitioner_id: UUID, since: datetime) -> list[Emergency]:
    """Openings of this record by this practitioner, the first first."""
    return await OF_PAIR.all(tx, patient_id, practitioner_id, since)


COUNT_SINCE = Scalar(
    int, "SELECT count(*)::int FROM practitioner_emergency WHERE actor_id = $1 AND opened_at > $2"
)


async def count_since(tx: Tx, practitioner_id: UUID, since: datetime) -> int:
    return await COUNT_SINCE.one(tx, practitioner_id, since) or 0


AWAITED = Statement(
    Awaited,
    """
    SELECT emergency_id, patient_id, facility_id, opened_at, arrival_by FROM practitioner_emergency
    WHERE actor_id = $1 AND arrival_by <= $2 ORDER BY opened_at LIMIT 50
    """,
)
SETTLED = Command(
    "UPDATE practitioner_emergency SET arrival_by = NULL WHERE actor_id = $1 AND emergency_id = $2"
)


async def awaited(tx: Tx, practitioner_id: UUID, now: datetime) -> list[Awaited]:
    """Own openings whose hour is over and that nobody has looked at since."""
    return await AWAITED.all(tx, practitioner_id, now)


async def note_settled(tx: Tx, practitioner_id: UUID, emergency_id: UUID) -> None:
    await SETTLED.run(tx, practitioner_id, emergency_id)


_SIGNABLE = (
    "patient_id = $1 AND emergency_id = $2 AND practitioner_id <> $3 AND ended_at IS NULL AND ends_at > $4"
)
COSIGN_OPEN = Scalar(
    datetime,
    f"""
    UPDATE emergency_access SET cosigned_by = $3, cosigned_at = $4, version = version + 1
    WHERE {_SIGNABLE} AND needs_cosign AND cosigned_at IS NULL RETURNING ends_at
    """,  # noqa: S608
)
FIRST_OF_DAY = Scalar(
    datetime,
    """
    SELECT min(f.opened_at) FROM emergency_access a JOIN emergency_access f ON f.patient_id = a.patient_id
        AND f.practitioner_id = a.practitioner_id AND f.opened_at > a.opened_at - interval '24 hours'
    WHERE a.patient_id = $1 AND a.emergency_id = $2
    """,
)
COSIGN_EXTEND = Scalar(
    datetime,
    f"""
    UPDATE emergency_access SET extended_by = $3, extended_at = $4, version = version + 1, ends_at = $5
    WHERE {_SIGNABLE} AND (NOT needs_cosign OR cosigned_at IS NOT NULL) AND extended_at IS NULL
    RETURNING ends_at
    """,  # noqa: S608
)
COSIGN_LABELS = Scalar(
    datetime,
    f"""
    UPDATE emergency_access SET labels_by = $3, labels_at = $4, version = version + 1, labels = $5
    WHERE {_SIGNABLE} AND (NOT needs_cosign OR cosigned_at IS NOT NULL) AND labels_at IS NULL
    RETURNING ends_at
    """,  # noqa: S608
)


async def cosign_open(
    tx: Tx, patient_id: UUID, emergency_id: UUID, signer: UUID, now: datetime
) -> datetime | None:
    """Ends at; None unless it waits for this. Of two at once one wins."""
    return await COSIGN_OPEN.one(tx, patient_id, emergency_id, signer, now)


async def cosign_extend(
    tx: Tx, patient_id: UUID, emergency_id: UUID, signer: UUID, now: datetime
) -> datetime | None:
    """The same: one day from the first opening of the pair in that day, however often it was opened since."""
    first = await FIRST_OF_DAY.one(tx, patient_id, emergency_id)
    if first is None:
        return None
    return await COSIGN_EXTEND.one(tx, patient_id, emergency_id, signer, now, first + timedelta(days=1))


async def cosign_labels(
    tx: Tx, patient_id: UUID, emergency_id: UUID, signer: UUID, now: datetime, labels: int
) -> datetime | None:
    return await COSIGN_LABELS.one(tx, patient_id, emergency_id, signer, now, labels)


END = Scalar(
    UUID,
    """
    UPDATE emergency_access SET ended_at = $3, end_reason = 'person'
    WHERE patient_id = $1 AND emergency_id = $2 AND ended_at IS NULL AND ends_at > $3
    RETURNING emergency_id
    """,
)


async def end(tx: Tx, patient_id: UUID, emergency_id: UUID, now: datetime) -> bool:
    return await END.one(tx, patient_id, emergency_id, now) is not None


DISPUTE = Scalar(
    UUID,
    """
    UPDATE emergency_access SET disputed_at = $3, dispute = $4, dispute_text = $5, verdict = NULL,
        reviewed_at = NULL,
        end_reason = CASE WHEN ended_at IS NULL AND ends_at > $3 THEN 'dispute' ELSE end_reason END,
        ended_at = CASE WHEN ended_at IS NULL AND ends_at > $3 THEN $3 ELSE ended_at END
    WHERE patient_id = $1 AND emergency_id = $2 AND disputed_at IS NULL RETURNING emergency_id
    """,
)


async def dispute(
    tx: Tx, patient_id: UUID, emergency_id: UUID, now: datetime, reason: DisputeReason, text: bytes | None
) -> bool:
    """Once. What runs ends with it, and a verdict that was there is asked for again."""
    return await DISPUTE.one(tx, patient_id, emergency_id, now, reason, text) is not None


SIGNERS = Statement(
    Signers,
    "SELECT practitioner_id, cosigned_by, extended_by, labels_by FROM emergency_access"
    " WHERE patient_id = $1 AND emergency_id = $2",
)


async def signers(tx: Tx, patient_id: UUID, emergency_id: UUID) -> Signers | None:
    return await SIGNERS.one(tx, patient_id, emergency_id)


REASON_TEXT = Scalar(
    bytes, "SELECT reason_text FROM emergency_access WHERE patient_id = $1 AND emergency_id = $2"
)
DISPUTE_TEXT = Scalar(
    bytes,
    "SELECT dispute_text FROM emergency_access WHERE patient_id = $1 AND emergency_id = $2"
    " AND dispute_text IS NOT NULL",
)


async def reason_text(tx: Tx, patient_id: UUID, emergency_id: UUID) -> bytes | None:
    return await REASON_TEXT.one(tx, patient_id, emergency_id)


async def dispute_text(tx: Tx, patient_id: UUID, emergency_id: UUID) -> bytes | None:
    return await DISPUTE_TEXT.one(tx, patient_id, emergency_id)


SET_VERDICT = Command(
    "UPDATE emergency_access SET verdict = $3, reviewed_at = $4 WHERE patient_id = $1 AND emergency_id = $2"
)


async def set_verdict(tx: Tx, patient_id: UUID, emergency_id: UUID, verdict: Verdict, now: datetime) -> None:
    await SET_VERDICT.run(tx, patient_id, emergency_id, verdict, now)


WITHHELD = Scalar(
    list[str],
    f"SELECT s.withheld || {_TAKEN_OVER} FROM emergency_setting s WHERE s.patient_id = $1",  # noqa: S608
)
SET_WITHHELD = Command(
    """
    INSERT INTO emergency_setting (patient_id, withheld, changed_at) VALUES ($1, $2, $3)
    ON CONFLICT (patient_id) DO UPDATE SET withheld = EXCLUDED.withheld, changed_at = EXCLUDED.changed_at,
        taken_over = '{}'
    """
)
TAKE_OVER = Command(
    """
    INSERT INTO emergency_setting (patient_id, withheld, changed_at, taken_over) VALUES ($1, '{}', $2, $3)
    ON CONFLICT (patient_id) DO UPDATE SET taken_over = emergency_setting.taken_over || EXCLUDED.taken_over
    """
)
GIVE_BACK = Command(
    """
    UPDATE emergency_setting
    SET taken_over = ARRAY(SELECT t FROM unnest(taken_over) t WHERE split_part(t, '/', 1) <> $2)
    WHERE patient_id = $1
    """
)


async def withheld(tx: Tx, patient_id: UUID) -> list[str]:
    return await WITHHELD.one(tx, patient_id) or []


async def set_withheld(tx: Tx, patient_id: UUID, categories: list[str], now: datetime) -> None:
    await SET_WITHHELD.run(tx, patient_id, categories, now)


async def take_over(tx: Tx, merged_id: UUID, survivor_id: UUID, now: datetime) -> None:
    """What the merged person leaves out stays out of the survivor's record too."""
    parts = await withheld(tx, merged_id)
    if parts:
        await TAKE_OVER.run(tx, survivor_id, now, [f"{merged_id}/{part}" for part in parts])


async def give_back(tx: Tx, merged_id: UUID, survivor_id: UUID) -> None:
    await GIVE_BACK.run(tx, survivor_id, str(merged_id))
