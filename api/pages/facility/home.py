"""The first page of the staff: the parts of the house that the role of this session has."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.pages.facility.desk_visit import FACILITY, open_desk
from api.request import Call


@get("/facility", operation_id="page_facility", **FACILITY)
async def home(call: NamedDependency[Call]) -> Response[bytes]:
    """One tile for each part."""
    visit = await open_desk(call)
    return visit.show("facility/home.html", ("Việc tại cơ sở", "At the facility"), nav="home")


handlers: list[Any] = [home]
