"""All SQL of insurance cards. A card is as visible as itself and the visit that it was reported with: a card
of a visit that somebody does not see would tell of it."""

from datetime import datetime

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Statement


class CoverageRow(Struct, frozen=True):
    """One reported card; visit_at, benefits: when its visit began, and at what levels that was charged."""

    id: str
    doc: str
    item: str
    updated: datetime
    visit_at: datetime | None
    benefits: list[int] | None


_OF_UNIT = """SELECT {0} FROM ehr_resource v
        WHERE v.patient_id = $1 AND v.rtype = 'Encounter' AND v.source_id = r.source_id AND v.unit = r.unit"""
COVERAGES = Statement(
    CoverageRow,
    filtered(
        f"""
        SELECT r.id, r.doc, r.item, r.updated, (
                {_OF_UNIT.format("min(v.eff)")} AND {{visible v}}
            ) AS visit_at, (
                SELECT c.benefits FROM ehr_cost c
                WHERE c.patient_id = $1 AND c.taken_back_at IS NULL AND c.encounter_id IN (
                    {_OF_UNIT.format("v.id")} AND {{visible v}}
                ) ORDER BY c.number DESC LIMIT 1
            ) AS benefits
        FROM ehr_resource r
        WHERE {{visible}} AND r.rtype = 'Coverage'
            AND (NOT EXISTS ({_OF_UNIT.format("1")}) OR EXISTS ({_OF_UNIT.format("1")} AND {{visible v}}))
        ORDER BY r.updated DESC, r.id LIMIT $10
        """  # noqa: S608
    ),
)
