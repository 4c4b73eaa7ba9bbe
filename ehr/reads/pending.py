"""Results that wait for their release: the person is told that they are there and when they come (§5.3)."""

from datetime import datetime
from typing import Literal

from ehr.dates import OPEN_END
from ehr.reads import queries
from ehr.reads.models import PendingResults
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import VIETNAM
from store.database import Tx

Category = Literal["results", "imaging", "documents"]

_NAMES: dict[Category, str] = {
    "results": "Kết quả xét nghiệm",
    "imaging": "Kết quả chẩn đoán hình ảnh",
    "documents": "Giấy tờ y tế",
}


async def pending_of(tx: Tx, access: Access, now: datetime) -> list[PendingResults]:
    """What waits, told to the person and the family only; whoever reads under a grant sees the results."""
    person, withheld, types, since, until, at, own, reader, origins = scope_of(access, now)
    if not own:
        return []
    # The view of a reader who need not wait: the same filter, without the release.
    arguments = person, withheld, types, since, until, at, False, reader, origins
    rows = await queries.PENDING.all(tx, *arguments)
    found = {(_category(row.section), row.facility_name, row.release_at) for row in rows}
    return sorted((_told(*one) for one in found), key=lambda p: (p.release_at or OPEN_END, p.category))


def _category(section: str | None) -> Category:
    return "imaging" if section == "imaging" else "documents" if section == "documents" else "results"


def _told(category: Category, facility: str | None, release_at: datetime | None) -> PendingResults:
    is_reviewed = release_at is None or release_at >= OPEN_END
    when = "sau khi bác sĩ xem xét" if is_reviewed or release_at is None else _moment(release_at)
    return PendingResults(
        category=category,
        facility_name=facility,
        release_at=None if is_reviewed else release_at,
        text_vi=f"{_NAMES[category]} đã có, sẽ hiện trong sổ {when}.",
    )


def _moment(at: datetime) -> str:
    return f"lúc {at.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}"
