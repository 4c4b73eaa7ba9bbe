"""All SQL of reactions after vaccination."""

from typing import Final
from uuid import UUID

from store.statement import Command, Scalar, Statement
from vaccination.reactions.models import FacilityRow, LateReaction, ReactionRow, StepRow

_COLUMNS: Final = ", ".join(ReactionRow.__struct_fields__)
_LISTED: Final = ", ".join(FacilityRow.__struct_fields__)
_STEP: Final = ", ".join(StepRow.__struct_fields__)
_SELECT: Final = f"SELECT {_COLUMNS} FROM vaccination_reaction"  # noqa: S608 - a constant of ours

INSERT = Command(
    f"INSERT INTO vaccination_reaction ({_COLUMNS})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
)
BY_ID = Statement(ReactionRow, _SELECT + " WHERE patient_id = $1 AND reaction_id = $2 FOR UPDATE")
OF_PERSON = Statement(
    ReactionRow,
    _SELECT
    + " WHERE patient_id = $1 AND ($2::uuid IS NULL OR reported_by = $2) AND reaction_id < $3"
    + " ORDER BY reaction_id DESC LIMIT $4",
)
UPDATE = Command(
    """
    UPDATE vaccination_reaction SET severity = $3, state = $4, due_at = $5, overdue_at = $6,
        acknowledged_at = $7, authority_told_at = $8, outcome = $9, assessed = $10, ended_at = $11
    WHERE patient_id = $1 AND reaction_id = $2
    """
)
MIRROR = Command(
    """
    INSERT INTO facility_vaccination_reaction (facility_id, reaction_id, patient_id, severity, urgency, state,
        reported_at, due_at, overdue_at, authority_told_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (facility_id, reaction_id) DO UPDATE
        SET severity = excluded.severity, urgency = excluded.urgency, state = excluded.state,
            due_at = excluded.due_at, overdue_at = excluded.overdue_at,
            authority_told_at = excluded.authority_told_at
    """
)
# Severe ones first, then the newest.
OF_FACILITY = Statement(
    FacilityRow,
    f"""
    SELECT {_LISTED} FROM facility_vaccination_reaction
    WHERE facility_id = $1 AND (NOT $2 OR state IN ('reported', 'acknowledged'))
        AND (urgency, reaction_id) < ($3::int, $4::uuid)
    ORDER BY urgency DESC, reaction_id DESC LIMIT $5
    """,  # noqa: S608 - a constant of ours
)
PATIENT_OF = Scalar(
    UUID,
    "SELECT patient_id FROM facility_vaccination_reaction WHERE facility_id = $1 AND reaction_id = $2",
)
INSERT_STEP = Command(
    "INSERT INTO vaccination_reaction_step (patient_id, reaction_id, step_id, kind, actor_id, body, added_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
STEPS = Statement(
    StepRow,
    f"SELECT {_STEP} FROM vaccination_reaction_step WHERE patient_id = $1 AND reaction_id = $2"  # noqa: S608
    " ORDER BY step_id LIMIT 60",
)
LATE = Statement(
    LateReaction,
    """
    SELECT m.reaction_id, m.facility_id, f.name AS facility_name, m.state, m.reported_at, m.due_at,
        m.overdue_at
    FROM facility_vaccination_reaction m JOIN facility f ON f.facility_id = m.facility_id
    WHERE m.overdue_at IS NOT NULL AND m.authority_told_at IS NULL
        AND m.state IN ('reported', 'acknowledged') AND (m.overdue_at, m.reaction_id) > ($1, $2)
    ORDER BY m.overdue_at, m.reaction_id LIMIT $3
    """,
    fan_out="the health department's list of late reports spans all facilities",
)
