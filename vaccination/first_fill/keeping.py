"""How long it is kept what became of the rows of a file; the doses themselves are the record's."""

from datetime import datetime

from store.database import Tx
from vaccination.first_fill import queries


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Forget files that began before that time: first what was said of their rows, a batch a step."""
    done = await queries.FORGET_LINES.one(tx, before, limit) or 0
    await queries.FORGET_FILES.run(tx, before)
    return done
