"""Stored numbers as people read them."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from ehr.reads.notices import notice_for
from kernel.access import Access
from kernel.clock import VIETNAM
from kernel.problems import refuse
from store.database import Tx
from vitals.kinds import KINDS, UNIT_BY_NUMBER, Kind, shown
from vitals.reads import queries
from vitals.reads.models import Beside, SourceShown
from vitals.reads.problems import KIND_NOT_KNOWN
from vitals.reads.queries import BucketRow, DayRow, HeadRow, LatestRow, SampleRow, SourceRow
from vitals.reads.texts import NO_DIAGNOSIS_VI, SELF_MEASURED_VI, TITLES_VI
from vitals.sight import Sight, shown_source

Numbered = TypeVar("Numbered", SourceRow, SampleRow, HeadRow, LatestRow)

# Kinds of which one source counts: for the hour, and for the night.
HOURLY: Final = [kind.number for kind in KINDS.values() if kind.is_cumulative]
DAILY: Final = [kind.number for kind in KINDS.values() if kind.is_interval and not kind.is_cumulative]


def kind_named(name: str) -> Kind:
    """Raises the problem vital-kind-unknown."""
    kind = KINDS.get(name)
    if kind is None:
        refuse(KIND_NOT_KNOWN)
    return kind


def is_added_up(kind: Kind) -> bool:
    return kind.is_interval


def title_of(kind: Kind) -> str:
    return TITLES_VI[kind.name]


def beside(access: Access) -> Beside:
    return Beside(
        self_measured_vi=SELF_MEASURED_VI, no_diagnosis_vi=NO_DIAGNOSIS_VI, notice=notice_for(access)
    )


def at_zone(at: datetime, z: int | None) -> datetime:
    """The same instant on the clock that the sample was taken by; Vietnam's where that is not known."""
    return at.astimezone(VIETNAM if z is None else timezone(timedelta(minutes=z)))


def unit_name(kind: Kind, unit: int | None) -> str:
    """The unit as it was sent; of a series that was let go after its time, the canonical one."""
    return kind.unit if unit is None else UNIT_BY_NUMBER[unit]


def as_sent(kind: Kind, number: int, unit: int | None) -> float:
    return shown(kind, number, unit_name(kind, unit))


def in_unit(kind: Kind, number: float) -> float:
    """A value or an average in the canonical unit, to one digit more than is kept."""
    return round(shown(kind, number), len(str(kind.scale)))


def figures(kind: Kind, row: BucketRow | DayRow) -> dict[str, Any]:
    """n, min, max and avg, sum of what is added up, and those of the second value."""
    found: dict[str, Any] = {
        "n": row.n,
        "min": in_unit(kind, row.v_min),
        "max": in_unit(kind, row.v_max),
        "avg": in_unit(kind, row.v_sum / row.n),
    }
    if is_added_up(kind):
        found["sum"] = in_unit(kind, row.v_sum)
    if row.v2_min is not None and row.v2_max is not None and row.v2_sum is not None:
        found |= {
            "min2": in_unit(kind, row.v2_min),
            "max2": in_unit(kind, row.v2_max),
            "avg2": in_unit(kind, row.v2_sum / row.n),
        }
    return found


def source_shown(row: SourceRow) -> SourceShown:
    return SourceShown(
        source_id=row.source_id, app=row.app, model=row.model or None, kind=row.kind, method=row.method
    )


async def sources_of(tx: Tx, sight: Sight) -> dict[int, SourceRow]:
    """The sources of the person and of those who were merged into it, by the numbers that are shown."""
    found: list[SourceRow] = []
    for place, person in enumerate(sight.people):
        found += numbered(place, await queries.SOURCES.all(tx, person))
    return {row.source_id: row for row in found}


def numbered(place: int, rows: Sequence[Numbered]) -> Sequence[Numbered]:
    """Rows of the person at this place of `people`, with the numbers by which their sources are shown."""
    if not place:
        return rows
    return [replace(row, source_id=shown_source(place, row.source_id)) for row in rows]
