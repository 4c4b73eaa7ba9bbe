"""Liveness and readiness for whoever watches the process."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.problems import NO_PROVIDER, UNAVAILABLE
from api.request import Call, answer
from kernel.problems import Refused
from store.installation import is_demo

TAGS = ["health"]


class Health(Struct, kw_only=True):
    """status: ok. core: whether another record system is asked now (closed = yes, open = not for a while,
    half-open = one try at a time); null where none is set. It never makes the service unready.
    """

    status: str
    core: str | None = None


@get("/health/live", actors=("public",), operation_id="health_live", tags=TAGS, problems=())
async def live() -> Response[Health]:
    """The process answers."""
    return answer(Health(status="ok"))


@get(
    "/health/ready",
    actors=("public",),
    operation_id="health_ready",
    tags=TAGS,
    problems=(UNAVAILABLE, NO_PROVIDER),
)
async def ready(call: NamedDependency[Call]) -> Response[Health]:
    """The process can serve: its database answers and its providers are set."""
    async with call.begin_public() as tx:
        await is_demo(tx)
    if call.missing_providers:
        return answer(Refused(problem=NO_PROVIDER, where=call.missing_providers[0]))
    return answer(Health(status="ok", core=call.core.state(call.now) if call.core else None))


handlers: list[Any] = [live, ready]
