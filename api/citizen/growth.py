"""Growth of the person or of a child in the person's care, on WHO's standards."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.reading import OWN_PROBLEMS, read_growth
from api.request import Call
from documents.charts import MEDIA_TYPE as SVG
from ehr.growth.models import Growth
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR, UNKNOWN_CHART

TAGS = ["growth"]
PROBLEMS = (
    *(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor"),
    CHILDREN_ONLY,
    PERSON_UNCLEAR,
)


@get(
    "/v1/me/growth",
    actors=("citizen",),
    operation_id="read_own_growth",
    tags=TAGS,
    problems=PROBLEMS,
    conditional=True,
)
async def own_growth(call: NamedDependency[Call]) -> Response[Growth]:
    """Weight, length or height, BMI and head circumference, each with its place among WHO's children."""
    return await read_growth(call, None)


@get(
    "/v1/me/growth/{chart:str}",
    actors=("citizen",),
    operation_id="read_own_growth_chart",
    tags=TAGS,
    problems=(*PROBLEMS, UNKNOWN_CHART),
    conditional=True,
    produces=SVG,
)
async def own_chart(chart: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One measure as a picture, with its bands: `weight-for-age.svg` and so on, see a series' `chart`."""
    return await read_growth(call, None, chart)


handlers: list[Any] = [own_growth, own_chart]
