"""What a patient's own devices measured, within a grant that names it; each answer says who measured."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api import vitals
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import Cursor, Limit
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
from api.vitals_fhir import FHIR, AnyKind, read_fhir
from consent.problems import NO_ACCESS
from documents.charts import MEDIA_TYPE as SVG
from identity.problems import TOO_MANY
from kernel.paging import BAD_CURSOR
from vitals.reads.charts import BUCKETS_DEFAULT
from vitals.reads.models import Agp, ChartData, Days, HomeBloodPressure, Latest, Readings, Weekly
from vitals.reads.problems import KIND_NOT_KNOWN
from vitals.reads.reports import AGP_DAYS, BP_DAYS

BASE = "/v1/doctor/patients/{patient_id:uuid}/vitals"
ACTORS = ("doctor",)
TAGS = ["vitals"]
PROBLEMS = (INVALID_FIELD, NO_ACCESS, TOO_MANY, UNAVAILABLE)


@get(
    BASE + "/latest",
    actors=ACTORS,
    operation_id="read_patient_vitals",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def latest(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Latest]:
    """The newest value of each kind, within the grant."""
    return await vitals.read_latest(call, patient_id)


@get(
    BASE + "/days",
    actors=ACTORS,
    operation_id="read_patient_vital_days",
    tags=TAGS,
    problems=(*PROBLEMS, KIND_NOT_KNOWN),
    conditional=True,
)
async def days(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    kind: DayKind,
    since: DaySince = None,
    until: DayUntil = None,
) -> Response[Days]:
    """One line per day, within the grant."""
    return await vitals.read_days(call, patient_id, kind, since, until)


@get(
    BASE + "/week",
    actors=ACTORS,
    operation_id="read_patient_vital_week",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def week(
    patient_id: FromPath[UUID], call: NamedDependency[Call], until: DayUntil = None
) -> Response[Weekly]:
    """Every kind in the seven days up to a day, beside the seven before, within the grant."""
    return await vitals.read_week(call, patient_id, until)


@get(
    BASE + "/agp",
    actors=ACTORS,
    operation_id="read_patient_agp",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def agp(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    days: AgpDays = AGP_DAYS,
    group: AgpGroup = "standard",
) -> Response[Agp]:
    """The glucose profile of a sensor, within the grant."""
    return await vitals.read_agp(call, patient_id, days, group)


@get(
    BASE + "/agp.svg",
    actors=ACTORS,
    operation_id="draw_patient_agp",
    tags=TAGS,
    problems=PROBLEMS,
    produces=SVG,
    conditional=True,
)
async def agp_picture(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    days: AgpDays = AGP_DAYS,
    group: AgpGroup = "standard",
) -> Response[bytes]:
    """The glucose profile as a picture, within the grant."""
    return await vitals.draw_agp(call, patient_id, days, group)


@get(
    BASE + "/bp-home-average",
    actors=ACTORS,
    operation_id="read_patient_home_blood_pressure",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def home_average(
    patient_id: FromPath[UUID], call: NamedDependency[Call], days: BpDays = BP_DAYS
) -> Response[HomeBloodPressure]:
    """The average of blood pressure at home, without the first day, within the grant."""
    return await vitals.read_home_average(call, patient_id, days)


@get(
    BASE + "/fhir",
    actors=ACTORS,
    operation_id="read_patient_vitals_as_fhir",
    tags=TAGS,
    problems=(*PROBLEMS, KIND_NOT_KNOWN, BAD_CURSOR),
    produces=FHIR,
    conditional=True,
)
async def fhir(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    kind: AnyKind = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[bytes]:
    """A page of FHIR R4 Observations in a Bundle, within the grant."""
    return await read_fhir(call, patient_id, kind, since, until, cursor, limit)


@get(
    BASE + "/{kind:str}",
    actors=ACTORS,
    operation_id="read_patient_vital",
    tags=TAGS,
    problems=(*PROBLEMS, KIND_NOT_KNOWN),
    conditional=True,
)
async def chart(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    kind: KindName,
    since: Since = None,
    until: Until = None,
    buckets: Buckets = BUCKETS_DEFAULT,
) -> Response[ChartData]:
    """One kind over time, in buckets with least, greatest and mean, within the grant."""
    return await vitals.read_chart(call, patient_id, kind, since, until, buckets)


@get(
    BASE + "/{kind:str}/readings",
    actors=ACTORS,
    operation_id="read_patient_vital_readings",
    tags=TAGS,
    problems=(*PROBLEMS, KIND_NOT_KNOWN, BAD_CURSOR),
    conditional=True,
)
async def readings(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    kind: KindName,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[Readings]:
    """The records as they were sent, newest first, each with its id and source, within the grant."""
    return await vitals.read_readings(call, patient_id, kind, since, until, cursor, limit)


@get(
    BASE + "/{kind:str}/chart.svg",
    actors=ACTORS,
    operation_id="draw_patient_vital",
    tags=TAGS,
    problems=(*PROBLEMS, KIND_NOT_KNOWN),
    produces=SVG,
    conditional=True,
)
async def chart_picture(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    kind: KindName,
    since: Since = None,
    until: Until = None,
) -> Response[bytes]:
    """One kind over time as a picture, within the grant: where nothing was measured, nothing is drawn."""
    return await vitals.draw_chart(call, patient_id, kind, since, until)


handlers: list[Any] = [
    *(latest, days, week, agp, agp_picture, home_average, fhir),
    *(chart, readings, chart_picture),
]
