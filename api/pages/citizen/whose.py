"""In whose book a page is: the own, or a relative's."""

from typing import Any

from api.pages.showing import Visit
from kernel.problems import ProblemError, Refused


def in_own_book(visit: Visit) -> Visit:
    """The same visit over the own book: who one's relatives are is asked there."""
    own = Visit(visit.call, visit.kind, visit.token)
    own.book = ""
    return own


async def relative_of_book(visit: Visit) -> dict[str, Any] | None:
    """The link under which a relative's book is open (GET /v1/me/family); None in the own book, or where the
    link is gone: then the service refuses what is asked of that book."""
    found = await visit.relative()
    if isinstance(found, Refused):
        raise ProblemError(found)
    return found
