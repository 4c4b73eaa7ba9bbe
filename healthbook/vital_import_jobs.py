"""The worker's job for files of measurements: it reads those that were sent, and takes back those that were
withdrawn. It works a few minutes at a time, so that no other worker takes it for dead meanwhile."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from kernel.clock import Clock
from store.blobs import BlobDamagedError, BlobError, BlobUnavailableError
from store.database import Store
from store.models import Due
from vitals.files.models import ImportRow
from vitals.files.returning import take_back
from vitals.files.running import Limits, OvertakenError, Run
from vitals.files.service import JOB, row_of

# A third of the time after which a job is taken for dead (healthbook/worker.py).
TURN_SECONDS: Final = 300.0
LOOK_AGAIN: Final = timedelta(minutes=15)
# How long a file that opens wrongly is tried again: the line may garble what lies there whole.
GARBLED_FOR: Final = timedelta(days=1)


def vital_import_jobs(
    store: Store, clock: Clock, series_days: int, turn_seconds: float = TURN_SECONDS
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The job by its kind."""

    async def go_on(due: Due) -> datetime | None:
        async with store.transaction() as tx:
            row = await row_of(tx, due.ref)
        if row is not None and row.state == "withdrawn":
            await take_back(store, clock, row)
        if row is None or row.state != "waiting":
            return None
        until = monotonic() + turn_seconds
        try:
            ended = await _read(store, clock, row, Limits(series_days, lambda: monotonic() >= until))
        except OvertakenError:
            # Withdrawn: at once; read by another worker: that one may die.
            async with store.transaction() as tx:
                fresh = await row_of(tx, due.ref)
            is_read = fresh is not None and fresh.state == "waiting"
            return clock.now() + LOOK_AGAIN if is_read else clock.now()
        return None if ended else clock.now()

    return {JOB: go_on}


async def _read(store: Store, clock: Clock, row: ImportRow, limits: Limits) -> bool:
    """Whether it is at its end. Raises OvertakenError; BlobUnavailableError and BlobDamagedError, where the
    file may be there, or whole, later."""
    run = Run(store, clock, row, limits)
    if row.blob_id is None:
        return True
    try:
        async with aclosing(store.blobs.get_stream(row.patient_id, row.blob_id)) as parts:
            return await run.read(parts) == "ended"
    except BlobUnavailableError:
        raise
    except BlobError as error:
        if isinstance(error, BlobDamagedError) and clock.now() < row.added_at + GARBLED_FOR:
            raise
        await run.give_up()
        return True
