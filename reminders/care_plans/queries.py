"""SQL of the care plans of a record that are in force."""

from typing import Final

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# Far more than anybody follows at a time.
PLANS_MAX: Final = 50


class PlanRow(Struct, frozen=True):
    """A care plan as its facility sent it."""

    id: str
    item: str
    doc: str


IN_FORCE = Statement(
    PlanRow,
    filtered(
        """
        SELECT r.id, r.item, r.doc FROM ehr_resource r
        WHERE {visible} AND r.section = 'care-plans' AND r.rtype = 'CarePlan' AND r.status = 'active'
            AND r.active_until >= $6
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $10
        """
    ),
)
STANDING = Scalar(
    str,
    "SELECT source FROM reminder WHERE patient_id = $1 AND kind = 'measurement' AND state <> 'ended'"
    " AND starts_with(source, 'care-plan:') ORDER BY source",
)
