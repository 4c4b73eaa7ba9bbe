"""SQL of protected practitioners."""

from uuid import UUID

from audit.protection.models import Protection
from store.statement import Command, Scalar, Statement

# A renewal begins where the protection stands; it never shortens it.
PROTECT = Command(
    """
    INSERT INTO protected_practitioner AS p (practitioner_id, protected_at, protected_until)
    VALUES ($1, $2, $3)
    ON CONFLICT (practitioner_id) DO UPDATE SET
        protected_at = excluded.protected_at, protected_until = excluded.protected_until
    """
)

END = Scalar(
    UUID,
    "UPDATE protected_practitioner SET protected_until = $2"
    " WHERE practitioner_id = $1 AND protected_until > $2 RETURNING practitioner_id",
)

PROTECTIONS = Statement(
    Protection,
    "SELECT practitioner_id, protected_at, protected_until FROM protected_practitioner"
    " WHERE practitioner_id = ANY($1) AND protected_until > $2 ORDER BY protected_until, practitioner_id",
)

ENDING = Statement(
    Protection,
    "SELECT practitioner_id, protected_at, protected_until FROM protected_practitioner"
    " WHERE protected_until > $1 AND protected_until <= $2"
    " ORDER BY protected_until, practitioner_id LIMIT $3",
)

MASKED = Scalar(
    UUID,
    """
    SELECT p.practitioner_id FROM protected_practitioner p
    WHERE p.practitioner_id = ANY($2) AND p.protected_until > $3
      AND NOT EXISTS (SELECT FROM actor_unmasking u
                      WHERE u.patient_id = $1 AND u.practitioner_id = p.practitioner_id)
    """,
)

ALL_MASKED = Scalar(
    UUID,
    """
    SELECT p.practitioner_id FROM protected_practitioner p
    WHERE p.protected_until > $2
      AND NOT EXISTS (SELECT FROM actor_unmasking u
                      WHERE u.patient_id = $1 AND u.practitioner_id = p.practitioner_id)
    """,
)

UNMASK = Scalar(
    UUID,
    "INSERT INTO actor_unmasking (patient_id, practitioner_id, report_id, unmasked_by, unmasked_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (patient_id, practitioner_id) DO NOTHING"
    " RETURNING practitioner_id",
)
