"""One entry of a list of the service by its id, which is all that an address holds; the list is read."""

from collections.abc import Callable
from typing import Any, Final

from api.pages.showing import Visit
from api.problems import NOT_FOUND
from kernel.problems import ProblemError, Refused

PAGE: Final = 100
# So many pages back an entry is looked for, the newest first.
PAGES_MAX: Final = 10


async def found_in(visit: Visit, path: str, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first item of the list that is it. Raises not-found."""
    cursor = None
    for _ in range(PAGES_MAX):
        page = await visit.read(path, limit=PAGE, cursor=cursor)
        for one in page["items"]:
            if is_it(one):
                found: dict[str, Any] = one
                return found
        cursor = page["next"]
        if cursor is None:
            break
    raise ProblemError(Refused(problem=NOT_FOUND))
