"""Liveness and readiness for whoever watches the process."""

import asyncio
from typing import Any, Final, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.problems import NO_PROVIDER, UNAVAILABLE
from api.request import Call, answer
from kernel.problems import Refused
from store.blobs import BlobError, BlobStore
from store.installation import is_demo

TAGS = ["health"]
# Below the patience of whoever asks (docker/: 3 s), who ends a process that does not answer in time.
BLOBS_SECONDS_MAX: Final = 1.5


class Health(Struct, kw_only=True):
    """status: ok. core: whether another record system is asked now (closed = yes, open = not for a while,
    half-open = one try at a time); null where none is set. It never makes the service unready.
    blobs: whether files can be read and kept; null in /health/live.
    """

    status: str
    core: str | None = None
    blobs: Literal["ok", "unavailable"] | None = None


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
    if call.is_leaving:  # red before anybody is refused: balancers need a moment to look elsewhere
        return answer(Refused(problem=UNAVAILABLE, where="stopping"))
    async with call.begin_public() as tx:
        await is_demo(tx)
    if call.missing_providers:
        return answer(Refused(problem=NO_PROVIDER, where=", ".join(call.missing_providers)))
    core = call.core.state(call.now) if call.core else None
    return answer(Health(status="ok", core=core, blobs=await _state_of_blobs(call.store.blobs)))


async def _state_of_blobs(blobs: BlobStore) -> Literal["ok", "unavailable"]:
    """Shown and not red: records are read without files, and all processes share one object store."""
    try:
        async with asyncio.timeout(BLOBS_SECONDS_MAX):
            await blobs.check()
    except (BlobError, TimeoutError):
        return "unavailable"
    return "ok"


handlers: list[Any] = [live, ready]
