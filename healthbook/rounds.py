"""What the worker's loops have in common: how they sleep, what they say of a failure, how many go abreast."""

import asyncio
import ctypes
import gc
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

IDLE_MIN_SECONDS: Final = 0.05
IDLE_MAX_SECONDS: Final = 1.0
# Buckets under way at once: of a round, and of each channel that leaves.
ABREAST: Final = 4
# So many new objects pass before the collector looks at them: a batch's rows die with the batch.
COLLECTS_AFTER: Final = 5000
# What is not frozen is some thousands of objects, looked at within milliseconds.
COLLECTS_EVERY_SECONDS: Final = 60.0

# Buckets that are done in one transaction while they hold little: a statement costs as much for ten rows as
# for fifty, and a smaller place's morning lies thin over all buckets.
TOGETHER: Final = 8

T = TypeVar("T")


def spare_collector() -> None:
    """What is loaded stays: looking at it again and again took an eighth of a busy worker's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTS_AFTER, *gc.get_threshold()[1:])


async def keep_collected(stop: asyncio.Event, every: float = COLLECTS_EVERY_SECONDS) -> None:
    """Until `stop`: look at all that is not frozen, each `every` seconds. A connection that was closed, and a
    statement that grew old, lie in cycles; a spared collector would look at those that lived long after half
    a million more, in a quiet worker for days. What lies free then is given back to the system."""
    give_back = _trim()
    while not await wait(stop, every):
        gc.collect()
        give_back(0)


def _trim() -> Callable[[int], object]:
    """glibc's malloc_trim(3); with another C library nothing."""
    found: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
    return found


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Sleep, but wake at once when it is set. Returns whether it was."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def class_of(error: Exception) -> dict[str, str]:
    """Class and SQLSTATE: the text of a database error can hold a row (security.md S22)."""
    return {"error": type(error).__name__, "sqlstate": str(getattr(error, "sqlstate", ""))}


def together(buckets: list[int]) -> list[list[int]]:
    """Buckets in no order, some at a time; few are taken each by itself, so that all places are used."""
    size = max(1, min(TOGETHER, len(buckets) // ABREAST))
    mixed = random.sample(buckets, len(buckets))
    return [mixed[start : start + size] for start in range(0, len(mixed), size)]


async def each_abreast(stop: asyncio.Event, places: list[T], work: Callable[[T], Awaitable[int]]) -> int:
    """Run `work` over buckets, a few at a time. A failure ends the round after its neighbours. In no order,
    so that two workers seldom meet at one."""
    moved = 0
    random.shuffle(places)
    for start in range(0, len(places), ABREAST):
        if stop.is_set():
            break
        some = (work(place) for place in places[start : start + ABREAST])
        for result in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
            moved += result
    return moved
