"""SQL of the schedule: what vaccinators wrote beside the doses. Doses come from vaccination/book."""

from typing import Final

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Statement

# Far more than a childhood holds.
ROWS_MAX: Final = 200
# How QĐ 831's NGAYHENTIEM is kept (ehr/intake/phr831_history.py): the vaccine's name stands behind it.
APPOINTMENT_LEAD: Final = "Hẹn tiêm chủng: "


class BesideRow(Struct, frozen=True):
    """An appointment or a dose that was not given, as its facility sent it."""

    rtype: str
    id: str
    title: str
    doc: str


BESIDE = Statement(
    BesideRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.title, r.doc FROM ehr_resource r
        WHERE {visible} AND (r.rtype = 'Immunization' AND r.status = 'not-done'
            OR r.rtype = 'Appointment' AND r.status IN ('booked', 'pending', 'proposed')
                AND starts_with(r.title, $10))
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $11
        """
    ),
)
