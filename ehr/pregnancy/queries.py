"""All SQL of pregnancies."""

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Statement


class PlanRow(Struct, frozen=True):
    """The plan of one pregnancy, as its facility sent it."""

    rtype: str
    id: str
    doc: str
    facility_name: str | None


class DoseRow(Struct, frozen=True):
    rtype: str
    id: str
    doc: str


DOSES = Statement(
    DoseRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.doc FROM ehr_resource r
        WHERE {visible} AND r.section = 'immunizations' AND r.active_until >= $6
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 200
        """
    ),
)
PLANS = Statement(
    PlanRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.doc, f.name AS facility_name
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.section = 'programmes' AND r.code = 'pregnancy' AND r.active_until >= $6
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 5
        """
    ),
)
