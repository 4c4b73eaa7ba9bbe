"""Counts for statistics: what a sender sent on a day and what became of it. No person, no content."""

from collections import Counter
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

import prometheus_client

from ehr.intake import queries
from ehr.intake.models import UnitReport
from kernel.clock import VIETNAM
from kernel.ids import BUCKETS
from store.database import Tx

# imported, quarantined, rejected: units (the first reason); withheld, retracted: resources the gate stopped
# at once or later; document: reason is its type; resolved, returned: quarantined units worked off; review,
# released, refused: ambiguous lines; expired: both, by kind. channel: units that were taken in, the reason
# is the way they came. axis-…: health checks that were told to the ministry's axis within 24 hours or
# later, that an operator has to look at (and why), and that may not leave.
Status = Literal[
    "imported",
    "quarantined",
    "rejected",
    "withheld",
    "document",
    "resolved",
    "returned",
    "review",
    "released",
    "refused",
    "expired",
    "retracted",
    "channel",
    "axis-in-time",
    "axis-late",
    "axis-stopped",
    "axis-kept-back",
]
# How a unit came: from the facility's own software; in a file of rows that it uploads; typed into a form by
# its staff; brought in by an operator of this service.
Channel = Literal["api", "file", "form", "operator"]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
Counts = Counter[tuple[Status, str]]

# For operators who watch it happen; statistics are made from the rows.
UNITS: Final = prometheus_client.Counter(
    "healthbook_intake_units",
    "Units that came in: a visit, a document, a prescription; how they came and what became of them",
    ("channel", "status", "reason"),
)

# Stands for the operator's own imports.
NO_FACILITY = UUID(int=0)


async def count(
    tx: Tx, facility_id: UUID | None, batch: UUID, counts: Counts, now: datetime, lane: int = 0
) -> None:
    """Add to the day's counts (Vietnamese days). The batch and what runs at once within it choose the rows:
    nobody waits for another's transaction to end."""
    counted = sorted((key, number) for key, number in counts.items() if number)
    if not counted:
        return
    await queries.ADD_COUNTS.run(
        tx,
        (batch.bytes[-1] + lane) % BUCKETS,
        facility_id or NO_FACILITY,
        now.astimezone(VIETNAM).date(),
        [status for (status, _), _ in counted],
        [reason for (_, reason), _ in counted],
        [number for _, number in counted],
    )


def counts_of(report: UnitReport, documents: tuple[str, ...] = (), channel: Channel = "api") -> Counts:
    """What one unit adds. Documents count once they are in the book, ways what was not refused."""
    reason = "" if report.status == "imported" or not report.reasons else report.reasons[0].code
    counts: Counts = Counter({(report.status, reason): 1})
    if report.withheld:
        counts["withheld", ""] = report.withheld
    if report.status != "rejected":
        counts["channel", channel] = 1
    if report.status == "imported":
        for kind in documents:
            counts["document", kind] += 1
    return counts
