"""SQL of growth: the measurements of a body that an Access lets through."""

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Statement

# Far more than a childhood of monthly visits, from several senders.
MEASURED_MAX = 2000


class MeasuredRow(Struct, frozen=True):
    """One measurement as its reading view; value and unit stand in it."""

    rtype: str
    id: str
    item: str


MEASURED = Statement(
    MeasuredRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.item FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'Observation' AND r.code = ANY ($10::text[]) AND {folded}
            AND {standing}
            AND r.status NOT IN ('cancelled', 'unknown')
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $11
        """
    ),
)
