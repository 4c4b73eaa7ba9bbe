"""Where requests are shown to whoever follows them over machines: nowhere, unless the program is told where
(healthbook/tracing.py). What is shown is what the log's line holds: method, template, status, id (S34)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import TypeAlias

# Says at the end what the request was: method, template (None: no route took it), status.
Finish: TypeAlias = Callable[[str, str | None, int], None]
# One request, by its id.
Trace: TypeAlias = Callable[[str], AbstractContextManager[Finish]]
OpenTrace: TypeAlias = Callable[[], AbstractAsyncContextManager[Trace]]


@contextmanager
def untraced(_request_id: str) -> Iterator[Finish]:
    """Shows nothing to anybody."""
    yield _nothing


def _nothing(_method: str, _route: str | None, _status: int) -> None:
    return None
