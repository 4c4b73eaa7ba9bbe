"""SQL of the appointments of a record."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.letters.queries import came
from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# Far more than anybody has ahead.
APPOINTMENTS_MAX: Final = 100


class AppointmentRow(Struct, frozen=True):
    """An appointment as its facility sent it. facility_id: of one of the register. came_at: when the person
    came to that facility for it, by another visit than the one that gave it."""

    id: str
    eff: datetime
    eff_precision: str
    item: str
    encounter_id: str | None
    facility_id: UUID | None
    came_at: datetime | None


# $10: appointments from then on; $11: how long before its day a visit or a dose counts as the one that was
# meant.
APPOINTMENTS = Statement(
    AppointmentRow,
    filtered(
        f"""
        SELECT r.id, r.eff, r.eff_precision, r.item, r.encounter_id, r.facility_id,
            {came("r", "$11")} AS came_at
        FROM ehr_resource r
        WHERE {{visible}} AND r.rtype = 'Appointment' AND r.status IN ('booked', 'pending', 'proposed')
            AND r.eff IS NOT NULL AND r.eff >= $10
            AND r.eff_precision IS NOT NULL AND r.eff_precision IN ('day', 'instant')
        ORDER BY r.eff, r.id LIMIT $12
        """  # noqa: S608 - a constant of ours
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
