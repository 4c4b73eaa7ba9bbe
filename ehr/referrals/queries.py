"""All SQL of referrals: a row at the person's end and one at each facility's."""

from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from ehr.referrals.models import FacilityReferral, Referral, State
from store.statement import Command, Scalar, Statement

_COLUMNS = (
    "record_id, referral_id, sender_id, receiver_id, receiver_code, number, issued_on, state, received_at,"
    " booked_for, seen_at, answered_at"
)
OF_RECORDS = Statement(
    Referral,
    f"SELECT {_COLUMNS} FROM referral WHERE patient_id = $1 AND record_id = ANY($2::text[])",  # noqa: S608
)
PUT = Command(
    """
    INSERT INTO referral (patient_id, record_id, referral_id, sender_id, receiver_id, receiver_code, number,
        issued_on, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'sent')
    ON CONFLICT (patient_id, record_id) DO UPDATE SET receiver_id = excluded.receiver_id,
        receiver_code = excluded.receiver_code, number = excluded.number, issued_on = excluded.issued_on
    """
)
# A letter that now goes to another place begins anew there.
BEGIN_ANEW = Command(
    """
    UPDATE referral SET state = 'sent', received_at = NULL, booked_for = NULL, seen_at = NULL,
        answered_at = NULL
    WHERE patient_id = $1 AND record_id = $2
    """
)
MOVE = Scalar(
    UUID,
    """
    UPDATE referral SET state = $3,
        received_at = CASE WHEN $3 = 'received' THEN $4::timestamptz ELSE received_at END,
        booked_for = coalesce($5::date, booked_for),
        seen_at = CASE WHEN $3 = 'seen' THEN $4::timestamptz ELSE seen_at END,
        answered_at = CASE WHEN $3 = 'answered' THEN $4::timestamptz ELSE answered_at END
    WHERE patient_id = $1 AND referral_id = $2 AND state = $6 RETURNING referral_id
    """,
)
# Those to this facility whose person has not been seen there yet.
AWAITED = Statement(
    Referral,
    f"SELECT {_COLUMNS} FROM referral"  # noqa: S608
    " WHERE patient_id = $1 AND receiver_id = $2 AND state IN ('sent', 'received', 'booked')"
    " AND issued_on <= $3",
)

PUT_AT_FACILITY = Command(
    """
    INSERT INTO facility_referral (facility_id, side, referral_id, patient_id, other_id, number, issued_on,
        reason, state, changed_at, gone)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false)
    ON CONFLICT (facility_id, side, referral_id) DO UPDATE SET other_id = excluded.other_id,
        number = excluded.number, issued_on = excluded.issued_on, reason = excluded.reason,
        state = excluded.state, gone = false,
        booked_for = CASE WHEN excluded.state <> 'sent' THEN facility_referral.booked_for END
    """
)
MOVE_AT_FACILITY = Command(
    """
    UPDATE facility_referral SET state = $4, booked_for = coalesce($5::date, booked_for), changed_at = $6
    WHERE facility_id = $1 AND side = $2 AND referral_id = $3
    """
)
GONE_AT_FACILITY = Command(
    """
    UPDATE facility_referral SET gone = $4, changed_at = $5
    WHERE facility_id = $1 AND side = $2 AND referral_id = $3
    """
)
FORGET_GONE = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT facility_id, side, referral_id FROM facility_referral"
    " WHERE gone AND changed_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM facility_referral f USING old"
    " WHERE f.facility_id = old.facility_id AND f.side = old.side AND f.referral_id = old.referral_id"
    " AND f.gone RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


class Held(Struct, frozen=True):
    """Whose a letter is, and how far; of those sent to a facility."""

    patient_id: UUID
    state: State
    other_id: UUID | None


HELD_AT_FACILITY = Statement(
    Held,
    """
    SELECT patient_id, state, other_id FROM facility_referral
    WHERE facility_id = $1 AND side = 'in' AND referral_id = $2 AND NOT gone
    """,
)
AT_FACILITY = Statement(
    FacilityReferral,
    """
    SELECT referral_id, patient_id, other_id, number, issued_on, reason, state, booked_for, changed_at
    FROM facility_referral
    WHERE facility_id = $1 AND side = $2 AND NOT gone AND ($3::text IS NULL OR number = $3)
        AND referral_id < $4
    ORDER BY referral_id DESC LIMIT $5
    """,
)
VISIBLE = Scalar(
    str,
    filtered("SELECT r.id FROM ehr_resource r WHERE {visible} AND r.rtype = 'ServiceRequest' LIMIT $10"),
)
# Those of which `seen` would tell of a visit that the reader is not shown: none at that time is visible,
# and one since the letter is not.
UNSEEN = Scalar(
    str,
    filtered(
        """
        SELECT f.record_id FROM referral f
        WHERE f.patient_id = $1 AND f.record_id = ANY ($10::text[]) AND f.seen_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ehr_resource r WHERE {visible} AND r.rtype = 'Encounter'
                AND r.facility_id = f.receiver_id AND r.eff = f.seen_at)
            AND EXISTS (SELECT 1 FROM ehr_resource h
                WHERE h.patient_id = $1 AND h.rtype = 'Encounter' AND h.facility_id = f.receiver_id
                    AND to_char(h.eff AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD') >= f.issued_on
                    AND NOT EXISTS (SELECT 1 FROM ehr_resource r
                        WHERE {visible} AND r.rtype = 'Encounter' AND r.id = h.id))
        """
    ),
)
# The same for the sender, to whom a visit that is hidden from everybody does not exist.
UNSEEN_BY_ALL = Statement(
    Referral,
    f"""
    SELECT {_COLUMNS} FROM referral f
    WHERE patient_id = $1 AND referral_id = $2 AND seen_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM ehr_resource r
            WHERE r.patient_id = $1 AND r.rtype = 'Encounter' AND r.facility_id = f.receiver_id
                AND r.eff = f.seen_at AND NOT r.deleted AND NOT coalesce(r.hidden_from @> $3::uuid[], false))
        AND EXISTS (SELECT 1 FROM ehr_resource r
            WHERE r.patient_id = $1 AND r.rtype = 'Encounter' AND r.facility_id = f.receiver_id
                AND to_char(r.eff AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD') >= f.issued_on
                AND r.hidden_from @> $3::uuid[])
    """,  # noqa: S608
)

# A letter goes with its row when a merge moves that (ehr/merges/queries.py).
MOVED = (
    "referral_id, sender_id, receiver_id, receiver_code, number, issued_on, state, received_at, booked_for,"
    " seen_at, answered_at"
)
