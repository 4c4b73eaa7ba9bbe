"""What a load reckons without the database: reading lines, hashing their numbers, sealing people who are new.

It runs in a process of its own. Beside the writing of the step before, in one process, each of the two waited
for the interpreter most of the time (bench/population.py: 0.29 of the floor against 0.4 and more).
"""

import itertools
import multiprocessing
import os
import signal
from asyncio import get_running_loop, wrap_future
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple, ParamSpec, TypeVar

from identity.population.deciding import Hashers, New, Ready
from identity.population.models import LINES_MAX, Line, Unread
from identity.population.reading import ListReader
from identity.population.writing import Load, Maker, Sealed
from store.keys import KeyRing
from store.postgres_user import die_with_parent

P = ParamSpec("P")
T = TypeVar("T")
LINES_A_STEP: Final = 4000


class Prepared(NamedTuple):
    """The next lines of a list, none at its end. part: how much of the file was read; other: headings so far
    that are none of ours."""

    lines: list[Ready | Unread]
    part: float
    other: list[str]


class Preparing:
    """The work of one load, in the process of its own."""

    def __init__(
        self, keys: KeyRing, path: Path, load: Load, today: date, lines_max: int = LINES_MAX
    ) -> None:
        self.path, self._reader = path, ListReader(load.of, today, lines_max)
        self._hashers, self._maker = Hashers(keys), Maker(keys, load)
        self._stream, self._size = path.open("rb"), max(path.stat().st_size, 1)
        self._lines: Iterator[Line | Unread] = self._reader.read(self._stream)

    def next_step(self) -> Prepared:
        """Raises BadFileError before any line."""
        lines = self._hashers.ready(itertools.islice(self._lines, LINES_A_STEP))
        return Prepared(lines, self._stream.tell() / self._size, self._reader.other)

    def sealed(self, new: list[New], now: datetime) -> Sealed:
        return self._maker.sealed(new, now)

    def close(self) -> None:
        self._stream.close()


class Apart:
    """The same, asked from the process that writes."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._next = self._ask(_next_step)

    async def next_step(self) -> Prepared:
        """The next lines; those behind them are read meanwhile."""
        step = await wrap_future(self._next)
        if step.lines:
            self._next = self._ask(_next_step)
        return step

    async def sealed(self, new: list[New], now: datetime) -> Sealed:
        return await wrap_future(self._ask(_sealed, new, now))

    def _ask(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        return self._pool.submit(work, *args, **kwargs)


@asynccontextmanager
async def apart(preparing: Preparing) -> AsyncIterator[Apart]:
    """One process for one load; it ends with the load, and with the program however that ends."""
    # A copy of this process has the keys already, and they go over no pipe.
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(os.getpid(), preparing))
    try:
        yield Apart(pool)
    finally:
        preparing.close()
        await get_running_loop().run_in_executor(None, lambda: pool.shutdown(cancel_futures=True))


_PREPARING: list[Preparing] = []


def _begin(parent: int, preparing: Preparing) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent(parent)
    _PREPARING[:] = [preparing]


def _next_step() -> Prepared:
    return _PREPARING[0].next_step()


def _sealed(new: list[New], now: datetime) -> Sealed:
    return _PREPARING[0].sealed(new, now)
