"""SQL of the orders of a record."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# Far more than anybody takes at once.
ORDERS_MAX: Final = 100


class OrderRow(Struct, frozen=True):
    """An order that stands. setting: the class of its visit, None where the visit is not in the book.
    title: of the medicine. handed_out: medicines of e-prescriptions that its facility wrote on the same day
    and of which something was handed out."""

    id: str
    eff: datetime
    eff_precision: str
    item: str
    doc: str
    encounter_id: str | None
    setting: str | None
    title: str
    handed_out: list[str]


# $10: ordered from then on.
ORDERS = Statement(
    OrderRow,
    filtered(
        """
        SELECT r.id, r.eff, r.eff_precision, r.item, r.doc, r.encounter_id, (
            SELECT v.category FROM ehr_resource v
            WHERE v.patient_id = $1 AND v.rtype = 'Encounter' AND v.id = r.encounter_id
        ) AS setting, r.title, ARRAY(
            SELECT p.title FROM ehr_resource p
            WHERE p.patient_id = $1 AND p.rtype = 'MedicationRequest'
                AND p.category = 'prescription' AND NOT p.deleted AND p.status = 'active'
                AND p.state = 'verified' AND p.dispensed IS NOT NULL AND p.facility_id = r.facility_id
                AND (p.eff AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
                    = (r.eff AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
        ) AS handed_out
        FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'MedicationRequest' AND r.section = 'medications'
            AND r.status = 'active'
            AND r.state = 'verified' AND r.category IS DISTINCT FROM 'prescription' AND NOT r.negative
            AND r.eff IS NOT NULL AND r.eff >= $10
            AND r.eff_precision IS NOT NULL AND r.eff_precision IN ('day', 'instant')
        ORDER BY r.eff, r.id LIMIT $11
        """
    ),
)
STANDING = Scalar(
    str,
    "SELECT source FROM reminder WHERE patient_id = $1 AND kind = 'medication' AND state <> 'ended'"
    " AND starts_with(source, 'order:') ORDER BY source",
)
