"""How the worker's loops share out what is due, and what they leave of memory."""

import asyncio
import gc
import weakref

from healthbook.rounds import ABREAST, TOGETHER, keep_collected, together


class Ring:
    """Holds itself, as a closed connection does."""

    def __init__(self) -> None:
        self.itself = self


def test_many_buckets_are_taken_some_at_a_time_and_few_one_by_one() -> None:
    for count in (0, 1, ABREAST, 2 * ABREAST, 5 * ABREAST + 3, 256):
        shared = together(list(range(count)))
        assert sorted(bucket for some in shared for bucket in some) == list(range(count))
        assert all(len(some) <= TOGETHER for some in shared)
        assert len(shared) >= min(count, ABREAST)
    assert max(len(some) for some in together(list(range(256)))) == TOGETHER


async def test_what_lived_long_and_holds_itself_is_collected_though_nothing_else_is_made() -> None:
    ring, stop, gone = Ring(), asyncio.Event(), asyncio.Event()
    gc.collect()  # it has lived long now
    weakref.finalize(ring, gone.set)
    del ring
    collecting = asyncio.create_task(keep_collected(stop, every=0.001))
    async with asyncio.timeout(60):
        await gone.wait()
        stop.set()
        await collecting
