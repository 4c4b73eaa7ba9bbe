"""The vaccination schedule, as the one way a record is read builds it."""

from typing import Final

from api.reading import Build
from api.request import Call
from ehr.reads.models import Built
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.database import Tx
from vaccination.schedule import service

# What the log calls it.
PART: Final = "vaccination-schedule"


def schedule_for(call: Call) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        built = await service.read(tx, call.keys, access, call.now)
        if isinstance(built, Refused):
            raise ProblemError(built)
        return built

    return build
