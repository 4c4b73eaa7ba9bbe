"""How measurements are read over HTTP: the person's own book, a dependent's, or a patient's under a grant."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from litestar.params import FromPath, PathParameter, QueryParameter

from api.problems import INVALID_FIELD
from api.reading import Build, read_measured
from api.request import Answer, Call
from documents.charts import MEDIA_TYPE as SVG
from ehr.reads.models import Built
from kernel.access import Access
from kernel.clock import local_day
from kernel.paging import PAGE_MAX
from kernel.problems import refuse
from store.database import Tx
from vitals.figures.agp import Group
from vitals.reads import charts, days, latest, pictures, readings, reports

PART: Final = "vitals"
SPAN_MAX: Final = timedelta(days=3660)

KindName: TypeAlias = FromPath[
    Annotated[str, PathParameter(min_length=1, max_length=40, description="As the latest values name it.")]
]
Since: TypeAlias = Annotated[
    datetime | None,
    QueryParameter(description="From this instant on, with a zone; a day before `until` unless given."),
]
Until: TypeAlias = Annotated[
    datetime | None,
    QueryParameter(description="Before this instant, with a zone; the end of this minute unless given."),
]
Buckets: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=charts.BUCKETS_MAX, description="Buckets at most; none is under a second.")
]
DaySince: TypeAlias = Annotated[
    date | None, QueryParameter(name="since", description="First day; 30 days up to `until` unless given.")
]
DayUntil: TypeAlias = Annotated[
    date | None, QueryParameter(name="until", description="Last day; today unless given.")
]
DayKind: TypeAlias = Annotated[str, QueryParameter(name="kind", min_length=1, max_length=40)]
AgpDays: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=reports.AGP_DAYS_MAX, description="Whole days before today.")
]
AgpGroup: TypeAlias = Annotated[
    Group, QueryParameter(name="group", description="Whose range and goals: `older` also for high risk.")
]
BpDays: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=reports.BP_DAYS_MAX, description="Days, today included.")
]

DAYS_SHOWN: Final = timedelta(days=29)
_MINUTE: Final = timedelta(minutes=1)
# Of which years anything can be asked.
_YEARS: Final = range(1900, 2200)


async def _read(
    call: Call, patient_id: UUID | None, build: Build, media_type: str = "application/json"
) -> Answer:
    """patient_id: the doctor's path, None for a /v1/me route."""
    return await read_measured(call, patient_id, "read-trend", build, PART, media_type)


async def read_latest(call: Call, patient_id: UUID | None) -> Answer:
    return await _read(call, patient_id, latest.read)


async def read_chart(
    call: Call,
    patient_id: UUID | None,
    kind: str,
    since: datetime | None,
    until: datetime | None,
    buckets: int,
) -> Answer:
    window = charts.Window(*span_of(call, since, until), buckets)

    async def build(tx: Tx, access: Access) -> Built:
        return await charts.read(tx, access, kind, window)

    return await _read(call, patient_id, build)


async def draw_chart(
    call: Call, patient_id: UUID | None, kind: str, since: datetime | None, until: datetime | None
) -> Answer:
    window = charts.Window(*span_of(call, since, until), pictures.BUCKETS)

    async def build(tx: Tx, access: Access) -> Built:
        return await pictures.draw_kind(tx, access, kind, window)

    return await _read(call, patient_id, build, SVG)


async def read_readings(
    call: Call,
    patient_id: UUID | None,
    kind: str,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int | None,
) -> Answer:
    page = readings.Page(*span_of(call, since, until), cursor, limit or PAGE_MAX)

    async def build(tx: Tx, access: Access) -> Built:
        return await readings.read(tx, access, kind, page)

    return await _read(call, patient_id, build)


async def read_days(
    call: Call, patient_id: UUID | None, kind: str, since: date | None, until: date | None
) -> Answer:
    last = _day(until or local_day(call.now), "until")
    first = _day(since or last - DAYS_SHOWN, "since")
    if not 0 <= (last - first).days < days.DAYS_MAX:
        refuse(INVALID_FIELD, "since")

    async def build(tx: Tx, access: Access) -> Built:
        return await days.read(tx, access, kind, first, last)

    return await _read(call, patient_id, build)


async def read_week(call: Call, patient_id: UUID | None, until: date | None) -> Answer:
    last = _day(until or local_day(call.now), "until")

    async def build(tx: Tx, access: Access) -> Built:
        return await days.read_week(tx, access, last)

    return await _read(call, patient_id, build)


async def read_agp(call: Call, patient_id: UUID | None, number: int, group: Group) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await reports.read_profile(tx, access, number, group, _minute(call.now))

    return await _read(call, patient_id, build)


async def draw_agp(call: Call, patient_id: UUID | None, number: int, group: Group) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await pictures.draw_profile(tx, access, number, group, _minute(call.now))

    return await _read(call, patient_id, build, SVG)


async def read_home_average(call: Call, patient_id: UUID | None, number: int) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await reports.read_home_average(tx, access, number, call.now)

    return await _read(call, patient_id, build)


def span_of(call: Call, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """[since, until) in UTC. Raises invalid-field: no zone, nothing between, or more than ten years."""
    last = aware(until, "until") if until is not None else _minute(call.now) + _MINUTE
    first = aware(since, "since") if since is not None else last - charts.SPAN_DEFAULT
    if not timedelta(0) < last - first <= SPAN_MAX:
        refuse(INVALID_FIELD, "since")
    return first, last


def _minute(now: datetime) -> datetime:
    """The minute that it is, so that what nothing was added to has the same ETag all through it."""
    return now.replace(second=0, microsecond=0)


def aware(at: datetime, field: str) -> datetime:
    if at.tzinfo is None or at.year not in _YEARS:
        refuse(INVALID_FIELD, field)
    return at.astimezone(UTC)


def _day(day: date, field: str) -> date:
    if day.year not in _YEARS:
        refuse(INVALID_FIELD, field)
    return day
