"""SQL of registry officers' acts."""

from uuid import UUID

from identity.registry.models import ActRow, WaitingRow
from store.statement import Command, Scalar, Statement

INSERT_ACT = Command(
    "INSERT INTO registry_act (act_id, kind, evidence, body, reason, state, proposed_by, proposed_facility,"
    " proposed_at) VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8)"
)
LOCK_ACT = Statement(
    ActRow,
    "SELECT act_id, kind, evidence, body, reason, state, proposed_by, proposed_facility, proposed_at"
    " FROM registry_act WHERE act_id = $1 FOR UPDATE",
)
ACT_OF_ACTOR = Scalar(
    UUID, "SELECT act_id FROM registry_act WHERE act_id = $1 AND (proposed_by = $2 OR decided_by = $2)"
)
DECIDE_ACT = Command(
    "UPDATE registry_act SET state = $2, decided_by = $3, decided_facility = $4, decided_at = $5"
    " WHERE act_id = $1"
)
WAITING = Statement(
    WaitingRow,
    "SELECT act_id, kind, evidence, reason, proposed_facility, proposed_at FROM registry_act"
    " WHERE state = 'proposed' AND proposed_at > $1 ORDER BY proposed_at LIMIT $2",
    fan_out="the few acts of a week that wait for an officer of any other facility",
)
