"""SQL of birth links, one row per end."""

from uuid import UUID

from identity.queries import held
from store.statement import Command, Scalar

INSERT_LINK = Scalar(
    UUID,
    "INSERT INTO birth_link (patient_id, mother_id, facility_id, linked_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (patient_id, mother_id) DO NOTHING RETURNING mother_id",
)
INSERT_LINK_OF_MOTHER = Command(
    "INSERT INTO birth_link_by_mother (patient_id, newborn_id, linked_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (patient_id, newborn_id) DO NOTHING"
)
_STANDS = " AND c.state IN ('active', 'death-reported') AND NOT " + held(
    "l.patient_id", "l.linked_at", "l.linked_at"
)
# Each end is asked for itself: a link is in force when both say so.
NEWBORN_END = Scalar(
    UUID,
    "SELECT l.mother_id FROM birth_link l JOIN citizen c ON c.patient_id = l.patient_id"  # noqa: S608
    f" WHERE l.patient_id = $1 AND l.mother_id = $2{_STANDS}",
)
MOTHER_END = Scalar(
    UUID,
    "SELECT l.newborn_id FROM birth_link_by_mother l JOIN citizen c ON c.patient_id = l.patient_id"  # noqa: S608
    f" WHERE l.patient_id = $1 AND l.newborn_id = $2{_STANDS}",
)
NEWBORNS_OF = Scalar(UUID, "SELECT newborn_id FROM birth_link_by_mother WHERE patient_id = $1 LIMIT 50")
