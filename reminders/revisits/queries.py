"""SQL of the appointments of a record."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# Far more than anybody has ahead.
APPOINTMENTS_MAX: Final = 100


class AppointmentRow(Struct, frozen=True):
    """An appointment as its facility sent it. came_at: when the person came to that facility for it, by
    another visit than the one that gave it."""

    id: str
    eff: datetime
    eff_precision: str
    item: str
    encounter_id: str | None
    came_at: datetime | None


# $10: appointments from then on; $11: how long before its day a visit or a dose counts as the one that was
# meant; only from the day on where nobody knows which visit gave it.
APPOINTMENTS = Statement(
    AppointmentRow,
    filtered(
        """
        SELECT r.id, r.eff, r.eff_precision, r.item, r.encounter_id, (
            SELECT min(v.eff) FROM ehr_resource v
            WHERE {visible v} AND v.rtype IN ('Encounter', 'Immunization') AND v.facility_id = r.facility_id
                AND v.id IS DISTINCT FROM r.encounter_id
                AND v.encounter_id IS DISTINCT FROM coalesce(r.encounter_id, '')
                AND v.eff >= r.eff - CASE WHEN r.encounter_id IS NULL THEN interval '0' ELSE $11::interval END
        ) AS came_at
        FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'Appointment' AND r.status IN ('booked', 'pending', 'proposed')
            AND r.eff IS NOT NULL AND r.eff >= $10
            AND r.eff_precision IS NOT NULL AND r.eff_precision IN ('day', 'instant')
        ORDER BY r.eff, r.id LIMIT $12
        """
    ),
)

STANDING = Scalar(
    str,
    "SELECT source FROM reminder WHERE patient_id = $1 AND kind = 'revisit' AND state <> 'ended'"
    " AND starts_with(source, 'appointment:') ORDER BY source",
)
STANDING_LETTERS = Scalar(
    str,
    "SELECT source FROM reminder WHERE patient_id = $1 AND kind = 'revisit' AND state <> 'ended'"
    " AND starts_with(source, 'referral:') ORDER BY source",
)
