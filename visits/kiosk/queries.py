"""All SQL of kiosks and of what their terminals said."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from visits.kiosk.models import Enrolling, KioskRow, Payment, StationRow

INSERT_KIOSK = Command(
    "INSERT INTO kiosk (client_id, facility_id, counter_id, made_by, made_at, code_hash, code_until)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
COUNT_LIVE = Scalar(
    int,
    "SELECT count(*)::int AS live FROM kiosk k JOIN facility_client c ON c.client_id = k.client_id"
    " WHERE k.facility_id = $1 AND c.ended_at IS NULL",
)
_KIOSK: Final = """
    SELECT k.client_id AS kiosk_id, c.name, k.counter_id, o.code AS counter_code, o.name AS counter_name,
        k.made_at, k.code_until, k.enrolled_at, c.ended_at
    FROM kiosk k JOIN facility_client c ON c.client_id = k.client_id
    LEFT JOIN counter o ON o.facility_id = k.facility_id AND o.counter_id = k.counter_id
        AND o.closed_at IS NULL
    WHERE k.facility_id = $1"""
# A page in the order in which they were made; ended ones are in it, with when.
KIOSKS = Statement(
    KioskRow, f"{_KIOSK} AND (k.made_at, k.client_id) > ($2, $3) ORDER BY k.made_at, k.client_id LIMIT $4"
)
KIOSK = Statement(KioskRow, f"{_KIOSK} AND k.client_id = $2")
SET_CODE = Scalar(
    UUID,
    "UPDATE kiosk k SET code_hash = $3, code_until = $4, counter_id = coalesce($5, k.counter_id)"
    " FROM facility_client c WHERE k.facility_id = $1 AND k.client_id = $2 AND c.client_id = k.client_id"
    " AND c.ended_at IS NULL RETURNING k.client_id",
)
CLEAR_CODE = Command(
    "UPDATE kiosk SET code_hash = NULL, code_until = NULL WHERE facility_id = $1 AND client_id = $2"
)
# Once: two devices that send one code at the same moment write the row one after the other.
USE_CODE = Statement(
    Enrolling,
    "UPDATE kiosk SET code_hash = NULL, code_until = NULL, enrolled_at = $2"
    " WHERE code_hash = $1 AND code_until > $2 RETURNING client_id, facility_id, counter_id",
)
STATION = Statement(
    StationRow,
    """
    SELECT k.client_id AS kiosk_id, f.name AS facility_name, o.facility_id, o.counter_id, o.code, o.name,
        o.unit_id, o.opened_at
    FROM kiosk k JOIN facility f ON f.facility_id = k.facility_id
    JOIN counter o ON o.facility_id = k.facility_id AND o.counter_id = k.counter_id AND o.closed_at IS NULL
    WHERE k.facility_id = $1 AND k.client_id = $2
    """,
)

_PAYMENT: Final = (
    "reference, client_id AS kiosk_id, counter_id, state, ticket_day, ticket_number, noted_at, moved_at"
)
INSERT_PAYMENT = Statement(
    Payment,
    "INSERT INTO kiosk_payment (facility_id, reference, client_id, counter_id, state, ticket_day,"  # noqa: S608
    " ticket_number, noted_at, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)"
    f" ON CONFLICT DO NOTHING RETURNING {_PAYMENT}",
)
LOCK_PAYMENT = Statement(
    Payment,
    f"SELECT {_PAYMENT} FROM kiosk_payment"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND client_id = $2 AND reference = $3 FOR UPDATE",
)
MOVE_PAYMENT = Statement(
    Payment,
    "UPDATE kiosk_payment SET state = $4,"  # noqa: S608 - a constant of ours
    " ticket_day = coalesce(ticket_day, $5), ticket_number = coalesce(ticket_number, $6),"
    " moved_at = CASE WHEN state = $4 THEN moved_at ELSE $7 END"
    f" WHERE facility_id = $1 AND client_id = $2 AND reference = $3 RETURNING {_PAYMENT}",
)
PAYMENTS = Statement(
    Payment,
    f"SELECT {_PAYMENT} FROM kiosk_payment"  # noqa: S608 - a constant of ours
    " WHERE facility_id = $1 AND noted_at >= $2 AND noted_at < $3"
    " AND (noted_at, client_id, reference) > ($4, $5, $6) ORDER BY noted_at, client_id, reference LIMIT $7",
)
FORGET_PAYMENTS = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT facility_id, client_id, reference FROM kiosk_payment WHERE noted_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM kiosk_payment p USING old WHERE p.facility_id = old.facility_id"
    " AND p.client_id = old.client_id AND p.reference = old.reference RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
