"""All SQL of visits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from store.database import Tx
from store.statement import Command, Scalar, Statement
from visits.models import Arrival, Came, Presence, Ticket

# The means that are presence, and those by which facility or rotating code saw the person here (S7, S24).
_PRESENCE: Final = "means IN ('citizen-qr', 'counter-qr')"
_SEEN: Final = "means IN ('citizen-qr', 'counter-qr', 'staff-typed')"

RECENT_PRESENCE = Statement(
    Presence,
    f"""
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at > $3 AND recorded_at <= $4
      AND {_PRESENCE} AND withdrawn_at IS NULL AND left_at IS NULL
    ORDER BY recorded_at DESC LIMIT 1
    """,  # noqa: S608 - a constant of ours
)


async def recent_presence(
    tx: Tx, patient_id: UUID, facility_id: UUID, after: datetime, now: datetime
) -> Presence | None:
    return await RECENT_PRESENCE.one(tx, patient_id, facility_id, after, now)


CHECK_IN_BY_ID = Statement(
    Arrival,
    f"SELECT facility_id, recorded_at, {_PRESENCE} AS is_presence FROM check_in"  # noqa: S608
    " WHERE patient_id = $1 AND check_in_id = $2",
)


async def check_in_by_id(tx: Tx, patient_id: UUID, check_in_id: UUID) -> Arrival | None:
    return await CHECK_IN_BY_ID.one(tx, patient_id, check_in_id)


ARRIVAL_SINCE = Statement(
    Presence,
    f"""
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at >= $3 AND recorded_at <= $4
      AND {_SEEN} AND withdrawn_at IS NULL
    ORDER BY recorded_at DESC LIMIT 1
    """,  # noqa: S608 - a constant of ours
)


async def arrival_since(
    tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime, now: datetime
) -> Presence | None:
    """The latest arrival that the facility or a rotating code saw, presence or ticket."""
    return await ARRIVAL_SINCE.one(tx, patient_id, facility_id, since, now)


RECENT_TICKET = Statement(
    Presence,
    """
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at > $4 AND recorded_at <= $5
      AND means = 'staff-typed' AND recorded_by <> $3 AND withdrawn_at IS NULL AND left_at IS NULL
    ORDER BY recorded_at DESC LIMIT 1
    """,
)


async def recent_ticket(
    tx: Tx, patient_id: UUID, facility_id: UUID, asking: UUID, after: datetime, now: datetime
) -> Presence | None:
    return await RECENT_TICKET.one(tx, patient_id, facility_id, asking, after, now)


INSERT_TICKET = Command(
    """
    INSERT INTO arrival_ticket (id_hash, arrival_id, recorded_by, recorded_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id_hash) DO NOTHING
    """
)


async def insert_ticket(tx: Tx, id_hash: bytes, ticket: Ticket) -> None:
    """The first of a day stands."""
    await INSERT_TICKET.run(tx, id_hash, ticket.arrival_id, ticket.recorded_by, ticket.recorded_at)


TICKET_BY_HASH = Statement(
    Ticket, "SELECT arrival_id, recorded_by, recorded_at FROM arrival_ticket WHERE id_hash = $1"
)


async def ticket_by_hash(tx: Tx, id_hash: bytes) -> Ticket | None:
    return await TICKET_BY_HASH.one(tx, id_hash)


DELETE_TICKETS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT id_hash FROM arrival_ticket WHERE recorded_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM arrival_ticket WHERE id_hash IN (SELECT id_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


async def delete_tickets(tx: Tx, before: datetime, limit: int) -> int:
    return await DELETE_TICKETS.one(tx, before, limit) or 0


# No row for an arrival that was noted before.
NOTE_ARRIVAL = Scalar(
    UUID,
    "INSERT INTO desk_arrival (facility_id, arrival_id, recorded_at) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING RETURNING arrival_id",
)
UNNOTE_ARRIVAL = Scalar(
    UUID, "DELETE FROM desk_arrival WHERE facility_id = $1 AND arrival_id = $2 RETURNING arrival_id"
)
NOTED_ARRIVAL = Scalar(
    int,
    "SELECT 1 AS noted FROM desk_arrival WHERE facility_id = $1 AND arrival_id = $2 AND recorded_at >= $3",
)
DELETE_NOTED = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT facility_id, arrival_id FROM desk_arrival WHERE recorded_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM desk_arrival d USING old"
    " WHERE d.facility_id = old.facility_id AND d.arrival_id = old.arrival_id RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


async def delete_noted(tx: Tx, before: datetime, limit: int) -> int:
    return await DELETE_NOTED.one(tx, before, limit) or 0


# What lets a clinician of an emergency unit break the glass (security.md S24): noted by another account, in
# the last twelve hours or, where the unit has one account alone, a while after.
EMERGENCY_ARRIVAL = Statement(
    Came,
    f"""
    SELECT check_in_id, recorded_by, recorded_at FROM check_in
    WHERE patient_id = $1 AND facility_id = $2 AND unit_id = $3 AND recorded_by <> $4
      AND recorded_at >= $5 AND recorded_at <= $6 AND {_SEEN} AND withdrawn_at IS NULL
    ORDER BY recorded_at DESC LIMIT 1
    """,  # noqa: S608 - a constant of ours
)


async def emergency_arrival(
    tx: Tx,
    patient_id: UUID,
    facility_id: UUID,
    unit_id: UUID,
    other_than: UUID,
    first: datetime,
    last: datetime,
) -> Came | None:
    return await EMERGENCY_ARRIVAL.one(tx, patient_id, facility_id, unit_id, other_than, first, last)


WITHDRAW = Scalar(
    UUID,
    """
    UPDATE check_in SET withdrawn_at = $4
    WHERE patient_id = $1 AND check_in_id = $2 AND facility_id = $3 AND withdrawn_at IS NULL
    RETURNING check_in_id
    """,
)


async def withdraw_arrival(
    tx: Tx, patient_id: UUID, check_in_id: UUID, facility_id: UUID, now: datetime
) -> bool:
    return await WITHDRAW.one(tx, patient_id, check_in_id, facility_id, now) is not None
