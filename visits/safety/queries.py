"""SQL of visits that are kept from the family."""

from datetime import datetime
from uuid import UUID

from store.database import Tx
from store.statement import Command, Scalar, Statement
from visits.safety.models import Held, ItemKind, Kept, Reason, Sibling

# Whoever flagged first stands; the department's own flag gives way to a word that a person said.
INSERT = Command(
    "INSERT INTO visit_safety (patient_id, item_id, kind, reason, set_at) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (patient_id, item_id) DO UPDATE SET reason = excluded.reason"
    " WHERE visit_safety.reason = 'sensitive-department'"
)
FLAGGED = Scalar(UUID, "SELECT item_id FROM visit_safety WHERE patient_id = $1 AND item_id = ANY($2::uuid[])")
# All check-ins of the visits that these are of, those that were taken back as well.
OF_VISITS = Statement(
    Sibling,
    "SELECT c.check_in_id AS item_id, o.check_in_id, o.unit_id FROM check_in c"
    " JOIN check_in o ON o.patient_id = c.patient_id AND o.visit_id = c.visit_id"
    " WHERE c.patient_id = $1 AND c.check_in_id = ANY($2::uuid[])",
)
# Again after a restored backup, where its person is there.
PUT = Command(
    "INSERT INTO visit_safety (patient_id, item_id, kind, reason, set_at)"
    " SELECT c.patient_id, $2, $3, 'own-wish', $4 FROM citizen c WHERE c.patient_id = $1"
    " ON CONFLICT DO NOTHING"
)
# What its person can show again; a department's own flags are not among them.
KEPT = Statement(
    Kept,
    "SELECT item_id, kind, set_at FROM visit_safety"
    " WHERE patient_id = $1 AND reason <> 'sensitive-department' ORDER BY set_at DESC, item_id LIMIT $2",
)
ITEM = Statement(
    Held,
    "SELECT check_in_id AS item_id, 'check-in' AS kind FROM check_in"
    " WHERE patient_id = $1 AND check_in_id = $2"
    " UNION ALL SELECT appointment_id, 'booking' FROM appointment"
    " WHERE patient_id = $1 AND appointment_id = $2",
)
# What there is of a person at a facility in some hours.
HERE = Statement(
    Held,
    "SELECT check_in_id AS item_id, 'check-in' AS kind FROM check_in WHERE patient_id = $1"
    " AND facility_id = $2 AND recorded_at >= $3 AND recorded_at < $4 AND withdrawn_at IS NULL"
    " UNION ALL SELECT appointment_id, 'booking' FROM appointment WHERE patient_id = $1"
    " AND facility_id = $2 AND starts_at >= $3 AND starts_at < $4"
    " AND state IN ('held', 'booked', 'waiting', 'attended')",
)
DELETE = Scalar(
    UUID,
    "DELETE FROM visit_safety WHERE patient_id = $1 AND item_id = $2 AND reason <> 'sensitive-department'"
    " RETURNING item_id",
)
FORGET = Command("DELETE FROM visit_safety WHERE patient_id = $1 AND item_id = ANY($2::uuid[])")
DELETE_OLD = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT patient_id, item_id FROM visit_safety WHERE set_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM visit_safety v USING old"
    " WHERE v.patient_id = old.patient_id AND v.item_id = old.item_id RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)


async def insert(
    tx: Tx, patient_id: UUID, item_id: UUID, kind: ItemKind, reason: Reason, now: datetime
) -> None:
    await INSERT.run(tx, patient_id, item_id, kind, reason, now)
