"""Visits whose data have not come, for the top of the timeline."""

from datetime import date

from ehr.cases import queries
from ehr.cases.models import Awaited, AwaitedRow
from kernel.access import Access, Label
from store.database import Tx


async def awaited(tx: Tx, access: Access) -> list[Awaited]:
    """What the reader may know of them.

    For anybody but the person only under a grant that covers visits of that day and withholds no label: what
    has not come has no label yet, and a line that goes without anything in its place would tell of one (S23).
    """
    if access.withheld_labels != Label.NONE or (access.types is not None and "Encounter" not in access.types):
        return []
    people = (access.patient_id, *sorted(access.origins))
    rows = [row for patient_id in people for row in await queries.AWAITED.all(tx, patient_id)]
    return [_awaited(row) for row in rows if _in_window(access, row.visit_on)]


def _in_window(access: Access, day: date) -> bool:
    return (access.since is None or access.since <= day) and (access.until is None or day <= access.until)


def _awaited(row: AwaitedRow) -> Awaited:
    return Awaited(
        case_id=row.case_id,
        facility_name=row.facility_name,
        since=row.visit_on,
        text_vi=f"Đang chờ dữ liệu của lần khám ngày {row.visit_on:%d/%m/%Y} từ {row.facility_name}.",
    )
