"""Taking a number, calling the next one, and leaving the line.

A number is one statement under the lock of the counter's day, which is held until the transaction commits:
a caller takes it last. Numbers of a day have no holes: a repeat gets its own number again and counts nothing
up.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from kernel.clock import local_day, start_of_day
from store.database import Tx
from visits.counters.models import Counter
from visits.tickets import queries
from visits.tickets.models import Given, InLine, QueueTicket, TicketState

# consent.md §3.4; never beyond the day that the number belongs to.
TICKET_TTL: Final = timedelta(minutes=30)
_TRIES: Final = 3


async def take(
    tx: Tx, counter: Counter, subjects: Sequence[bytes], now: datetime, arrival_id: UUID | None = None
) -> QueueTicket:
    """The subject's number at this open counter: the one taken within 30 minutes, else the next of the day.

    subjects: of visits/tickets/subjects.py, the one to keep first.
    """
    day = local_day(now)
    valid_until = min(now + TICKET_TTL, start_of_day(day + timedelta(days=1)))
    line = counter.facility_id, counter.counter_id, day
    for _ in range(_TRIES):
        kept = await queries.TAKE.one(tx, *line, list(subjects), now, arrival_id, valid_until)
        if kept is not None:
            return QueueTicket(
                counter.counter_id, counter.code, day, kept.number, kept.valid_until, kept.is_called
            )
        await queries.GIVE_BACK.run(tx, *line)
    raise RuntimeError("a number was taken and left again three times while it was asked for")


def line_day(now: datetime) -> date:
    """The day whose numbers a counter gives and calls now; the night changes it at midnight in Vietnam."""
    return local_day(now)


async def call_next(tx: Tx, counter: Counter, now: datetime) -> int | None:
    """Call whoever waits longest today; None: nobody waits. Two who call at once call two."""
    return await queries.CALL_NEXT.one(tx, counter.facility_id, counter.counter_id, local_day(now), now)


async def waiting(tx: Tx, counter: Counter, after: int, limit: int, now: datetime) -> list[InLine]:
    """Today's numbers that wait, behind that one."""
    line = counter.facility_id, counter.counter_id, local_day(now)
    return await queries.WAITING.all(tx, *line, after, limit)


async def count_waiting(tx: Tx, counter: Counter, now: datetime) -> int:
    line = counter.facility_id, counter.counter_id, local_day(now)
    return await queries.COUNT_WAITING.one(tx, *line) or 0


async def last_called(tx: Tx, counter: Counter, now: datetime) -> int | None:
    """The number on the screen; None: none was called today."""
    line = counter.facility_id, counter.counter_id, local_day(now)
    return await queries.LAST_CALLED.one(tx, *line)


async def state_of(tx: Tx, facility_id: UUID, counter_id: UUID, day: date, number: int) -> TicketState | None:
    """How far that number is; None once it was removed."""
    return await queries.STATE.one(tx, facility_id, counter_id, day, number)


async def ticket_of_arrival(tx: Tx, facility_id: UUID, arrival_id: UUID) -> QueueTicket | None:
    """The number that was given for an arrival, as it was given."""
    return await queries.OF_ARRIVAL.one(tx, facility_id, arrival_id)


async def leave(tx: Tx, facility_id: UUID, counter_id: UUID, day: date, number: int, now: datetime) -> None:
    """Out of the line; a later scan gives a new number."""
    await queries.LEAVE.run(tx, facility_id, counter_id, day, number, now)


async def given_for(tx: Tx, facility_id: UUID, arrival_id: UUID) -> list[Given]:
    """The numbers that were first given for this arrival and stand, latest first."""
    return await queries.GIVEN_FOR.all(tx, facility_id, arrival_id)


async def still(tx: Tx, counter: Counter, day: date, number: int, now: datetime) -> QueueTicket | None:
    """That number of this counter while a rescan gives it again."""
    state = await queries.STATE.one(tx, counter.facility_id, counter.counter_id, day, number)
    if state is None or state.left_at is not None or state.valid_until <= now:
        return None
    is_called = state.called_at is not None
    return QueueTicket(counter.counter_id, counter.code, day, number, state.valid_until, is_called)


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove numbers and counts of days before that one, at most `limit` of each. Returns the larger
    number: who removes a full batch comes again."""
    day = local_day(before)
    removed = await queries.DELETE_TICKETS.one(tx, day, limit) or 0
    # Days behind their tickets: whoever still holds a row of a day finds its count.
    return max(removed, await queries.DELETE_DAYS.one(tx, day, limit) or 0)
