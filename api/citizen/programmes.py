"""What the person is followed for, and a pregnancy by week."""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import OWN_PROBLEMS, Cursor, Limit, read_pregnancy, read_section
from api.request import Call
from ehr.pregnancy.reading import Pregnancies
from ehr.reads.models import Page

TAGS: Final = ["programmes"]


@get(
    "/v1/me/programmes",
    actors=("citizen",),
    operation_id="read_own_programmes",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def programmes(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Page]:
    """What one is followed for, where, and the day of the next visit; also what has ended."""
    return await read_section(call, None, "programmes", cursor, limit)


@get(
    "/v1/me/pregnancy",
    actors=("citizen",),
    operation_id="read_own_pregnancy",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def pregnancy(call: NamedDependency[Call]) -> Response[Pregnancies]:
    """The pregnancy that is being followed, by week, with visits and tetanus doses done and due."""
    return await read_pregnancy(call, None)


handlers: list[Any] = [programmes, pregnancy]
