"""Measurements of the person or of somebody in the person's care, as they are looked at."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api import vitals
from api.reading import MEASURED_PROBLEMS, Cursor, Limit
from api.request import Call
from api.vitals import (
    AgpDays,
    AgpGroup,
    BpDays,
    Buckets,
    DayKind,
    DaySince,
    DayUntil,
    KindName,
    Since,
    Until,
)
from documents.charts import MEDIA_TYPE as SVG
from kernel.paging import BAD_CURSOR
from vitals.reads.charts import BUCKETS_DEFAULT
from vitals.reads.models import Agp, ChartData, Days, HomeBloodPressure, Latest, Readings, Weekly
from vitals.reads.problems import KIND_NOT_KNOWN
from vitals.reads.reports import AGP_DAYS, BP_DAYS

BASE = "/v1/me/vitals"
TAGS = ["vitals"]


@get(
    BASE + "/latest",
    actors=("citizen",),
    operation_id="read_own_vitals",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
)
async def latest(call: NamedDependency[Call]) -> Response[Latest]:
    """The newest value of each kind, in the unit it was sent in."""
    return await vitals.read_latest(call, None)


@get(
    BASE + "/days",
    actors=("citizen",),
    operation_id="read_own_vital_days",
    tags=TAGS,
    problems=(*MEASURED_PROBLEMS, KIND_NOT_KNOWN),
    conditional=True,
)
async def days(
    call: NamedDependency[Call], kind: DayKind, since: DaySince = None, until: DayUntil = None
) -> Response[Days]:
    """One line per day, a year at most. A day is that of the zone the person was in."""
    return await vitals.read_days(call, None, kind, since, until)


@get(
    BASE + "/week",
    actors=("citizen",),
    operation_id="read_own_vital_week",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
)
async def week(call: NamedDependency[Call], until: DayUntil = None) -> Response[Weekly]:
    """Every kind in the seven days up to a day, beside the seven before."""
    return await vitals.read_week(call, None, until)


@get(
    BASE + "/agp",
    actors=("citizen",),
    operation_id="read_own_agp",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
)
async def agp(
    call: NamedDependency[Call], days: AgpDays = AGP_DAYS, group: AgpGroup = "standard"
) -> Response[Agp]:
    """The glucose profile of a sensor. Judged only from 14 days and 70 % of the readings on."""
    return await vitals.read_agp(call, None, days, group)


@get(
    BASE + "/agp.svg",
    actors=("citizen",),
    operation_id="draw_own_agp",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
    produces=SVG,
)
async def agp_picture(
    call: NamedDependency[Call], days: AgpDays = AGP_DAYS, group: AgpGroup = "standard"
) -> Response[bytes]:
    """The glucose profile as a picture: percentiles by time of day, and the range."""
    return await vitals.draw_agp(call, None, days, group)


@get(
    BASE + "/bp-home-average",
    actors=("citizen",),
    operation_id="read_own_home_blood_pressure",
    tags=TAGS,
    problems=MEASURED_PROBLEMS,
    conditional=True,
)
async def home_average(call: NamedDependency[Call], days: BpDays = BP_DAYS) -> Response[HomeBloodPressure]:
    """The average of blood pressure at home, without the first day."""
    return await vitals.read_home_average(call, None, days)


@get(
    BASE + "/{kind:str}",
    actors=("citizen",),
    operation_id="read_own_vital",
    tags=TAGS,
    problems=(*MEASURED_PROBLEMS, KIND_NOT_KNOWN),
    conditional=True,
)
async def chart(
    call: NamedDependency[Call],
    kind: KindName,
    since: Since = None,
    until: Until = None,
    buckets: Buckets = BUCKETS_DEFAULT,
) -> Response[ChartData]:
    """One kind over time, in buckets with least, greatest and mean.

    Nothing that was measured is smoothed away. Over two days the buckets are whole hours.
    """
    return await vitals.read_chart(call, None, kind, since, until, buckets)


@get(
    BASE + "/{kind:str}/readings",
    actors=("citizen",),
    operation_id="read_own_vital_readings",
    tags=TAGS,
    problems=(*MEASURED_PROBLEMS, KIND_NOT_KNOWN, BAD_CURSOR),
    conditional=True,
)
async def readings(
    call: NamedDependency[Call],
    kind: KindName,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[Readings]:
    """The records as they were sent, newest first, each with its id and source."""
    return await vitals.read_readings(call, None, kind, since, until, cursor, limit)


@get(
    BASE + "/{kind:str}/chart.svg",
    actors=("citizen",),
    operation_id="draw_own_vital",
    tags=TAGS,
    problems=(*MEASURED_PROBLEMS, KIND_NOT_KNOWN),
    conditional=True,
    produces=SVG,
)
async def chart_picture(
    call: NamedDependency[Call], kind: KindName, since: Since = None, until: Until = None
) -> Response[bytes]:
    """One kind over time as a picture: where nothing was measured, nothing is drawn."""
    return await vitals.draw_chart(call, None, kind, since, until)


handlers: list[Any] = [latest, days, week, agp, agp_picture, home_average, chart, readings, chart_picture]
