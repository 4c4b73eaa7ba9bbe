"""The one address that a browser opens to see pictures at the facility that made them."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.problems import UNAVAILABLE
from api.reading import open_viewer
from api.request import PUBLIC, Call
from ehr.imaging.problems import TICKET_ENDED


@get(
    "/v1/viewer/{ticket:str}",
    actors=(PUBLIC,),
    operation_id="open_viewer",
    tags=["viewer"],
    status_code=303,
    problems=(TICKET_ENDED, UNAVAILABLE),
)
async def follow(ticket: FromPath[str], call: NamedDependency[Call]) -> Response[None]:
    """Go on to the facility's viewer; once, within a minute, while whoever asked may still look."""
    return await open_viewer(call, ticket)


handlers: list[Any] = [follow]
