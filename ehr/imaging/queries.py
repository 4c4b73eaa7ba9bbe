"""SQL of the way to a facility's viewer. The study itself is read behind the one filter."""

from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement


class Ticket(Struct, frozen=True):
    """Who asked to see what."""

    actor_id: UUID
    session_id: UUID
    patient_id: UUID
    study_id: str


INSERT_TICKET = Command(
    """
    INSERT INTO ehr_viewer_ticket (actor_id, ticket_hash, session_id, patient_id, study_id, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    """
)
# One redemption in flight takes the row; every other finds nothing.
TAKE_TICKET = Statement(
    Ticket,
    """
    UPDATE ehr_viewer_ticket SET used_at = $3
    WHERE actor_id = $1 AND ticket_hash = $2 AND used_at IS NULL AND expires_at > $3
    RETURNING actor_id, session_id, patient_id, study_id
    """,
)
DELETE_OLD_TICKETS = Command("DELETE FROM ehr_viewer_ticket WHERE actor_id = $1 AND expires_at < $2")
VIEWER_OF = Scalar(str, "SELECT template FROM ehr_viewer WHERE facility_id = $1")
SET_VIEWER = Command(
    """
    INSERT INTO ehr_viewer AS v (facility_id, template, changed_at) VALUES ($1, $2, $3)
    ON CONFLICT (facility_id) DO UPDATE SET template = EXCLUDED.template, changed_at = EXCLUDED.changed_at
    """
)
