"""What measured, through which app of which phone: one row each, known again with every batch."""

from collections.abc import Sequence
from typing import Final

from kernel.problems import Refused
from vitals.intake import queries
from vitals.intake.work import Work
from vitals.models import PRIORITY, PRIORITY_OTHER
from vitals.problems import VITAL_SOURCES_FULL
from vitals.wire import Source

# Of one person, ever. What is shown numbers them by thousands (vitals/sight.py).
MOST: Final = 500


async def learn(work: Work, sources: Sequence[Source], clock_offset_ms: int) -> Refused | None:
    """The rows of a batch's sources; `work.places` says which stands at each place of its list. Refused:
    vital-sources-full."""
    named = {_name(one): one for one in sources}
    if not named:
        return None
    rows = await queries.SOURCES.all(
        work.tx,
        work.patient_id,
        work.device_id,
        *zip(*named, strict=True),
        [priority_of(one) for one in named.values()],
        *(clock_offset_ms, work.now, MOST),
    )
    if len(rows) < len(named):
        return Refused(problem=VITAL_SOURCES_FULL)
    work.sources = {row.source_id: row for row in rows}
    places = {(row.app, row.model, row.kind, row.method): row.source_id for row in rows}
    work.places = [places[_name(one)] for one in sources]
    return None


def _name(source: Source) -> tuple[str, str, str, str]:
    return source.app, source.model or "", source.kind, source.method


def priority_of(source: Source) -> int:
    """Which source of steps or energy counts for an hour: the lowest; what was typed comes last."""
    if source.method == "manual":
        return PRIORITY["manual"]
    return PRIORITY.get(source.kind, PRIORITY_OTHER)
