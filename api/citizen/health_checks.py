"""The citizen's health checks: the list with what is due, one check, and one beside an earlier one."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.health_checks import Against, compare_checks, read_check, read_checks
from api.reading import OWN_PROBLEMS, Cursor, Limit
from api.request import Call
from ehr.health_checks.models import CheckComparison, HealthCheckDetail, HealthCheckPage
from ehr.health_checks.problems import CHECK_NOT_FOUND

TAGS = ["health-checks"]


@get(
    "/v1/me/health-checks",
    actors=("citizen",),
    operation_id="read_own_health_checks",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def checks(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[HealthCheckPage]:
    """Health checks, newest first, and when the next of each kind is due."""
    return await read_checks(call, None, cursor, limit)


@get(
    "/v1/me/health-checks/{check_id:str}",
    actors=("citizen",),
    operation_id="read_own_health_check",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, CHECK_NOT_FOUND),
    conditional=True,
)
async def check(check_id: FromPath[str], call: NamedDependency[Call]) -> Response[HealthCheckDetail]:
    """One check with all its fields."""
    return await read_check(call, None, check_id)


@get(
    "/v1/me/health-checks/{check_id:str}/comparison",
    actors=("citizen",),
    operation_id="compare_own_health_check",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, CHECK_NOT_FOUND),
    conditional=True,
)
async def comparison(
    check_id: FromPath[str], call: NamedDependency[Call], against: Against = None
) -> Response[CheckComparison]:
    """A check beside another, or beside the last of its kind before it: field by field, nothing judged."""
    return await compare_checks(call, None, check_id, against)


handlers: list[Any] = [checks, check, comparison]
