"""SQL of taking back a facility's first report since an instant."""

from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement

DROP_REPORT = Scalar(
    UUID,
    """
    DELETE FROM person_report WHERE patient_id = $1 AND facility_id = $2 AND first_at >= $3
    RETURNING facility_id
    """,
)


class DroppedNumber(Struct, frozen=True):
    kind: str
    id_hash: bytes


DROP_OWN_NUMBERS = Statement(
    DroppedNumber,
    """
    DELETE FROM patient_identifier_rev
    WHERE patient_id = $1 AND facility_id = $2 AND recorded_at >= $3 AND state = 'facility-reported'
    RETURNING kind, id_hash
    """,
)
DROP_NUMBER = Command(
    """
    DELETE FROM patient_identifier
    WHERE id_hash = $1 AND kind = $2 AND patient_id = $3 AND state = 'facility-reported'
    """
)
REPORTED_SINCE = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM person_report WHERE patient_id = $1 AND last_at >= $2) AS reported",
)
DROP_CONTACTS = Scalar(
    bytes,
    """
    DELETE FROM phone WHERE patient_id = $1 AND role = 'contact' AND changed_at >= $2 RETURNING phone_hash
    """,
)
REPORTS = Scalar(
    bytes,
    """
    SELECT demographics FROM person_report WHERE patient_id = $1 ORDER BY last_at DESC, facility_id LIMIT 20
    """,
)
