"""How long it is kept what became of the rows of a file; the doses themselves are the record's."""

from datetime import datetime
from typing import Final
from uuid import UUID

from store.database import Tx
from vaccination.first_fill import queries

_STEP: Final = 10_000


async def forget_some(tx: Tx, file_id: UUID) -> bool:
    """Forget what became of some of a file's rows, so that all are taken again: what they wrote may be taken
    back. Whether more are to be forgotten."""
    done = await queries.DROP_LINES.one(tx, file_id, _STEP) or 0
    await queries.DROP_FILE.run(tx, file_id)
    return done == _STEP


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Forget files that began before that time: first what was said of their rows, a batch a step."""
    done = await queries.FORGET_LINES.one(tx, before, limit) or 0
    await queries.FORGET_FILES.run(tx, before)
    return done
