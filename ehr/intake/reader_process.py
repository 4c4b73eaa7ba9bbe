"""The import's side of its reader processes: kept warm, one input after the other, replaced when one ends.

A reader that crashes, hangs or grows too big takes one unit with it: the rest of that input is refused as
unreadable, and the next input gets another reader.
"""

import asyncio
import atexit
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from msgspec import MsgspecError, Struct

from ehr.intake.frames import (
    Answer,
    Done,
    Job,
    Made,
    Order,
    Question,
    Refused,
    Told,
    decode_told,
    read_frame,
    write_frame,
)
from ehr.intake.models import Reason

if sys.platform == "linux":
    import fcntl

# Its own processor time is limited; this ends one that waits for something that never comes.
WAIT_SECONDS: Final = 600
# A reader begins with the next input while the last unit of this one is written.
_JOBS_AHEAD: Final = 2
_IDLE_MAX: Final = 2
_ROOT: Final = Path(__file__).resolve().parents[2]
# Without it no Python starts on Windows.
_SYSTEM: Final = {key: os.environ[key] for key in ("SYSTEMROOT",) if key in os.environ}
_PIPE_BYTES: Final = 1024 * 1024


class ReaderProcess:
    """One process and the thread that talks to it; no event loop owns it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ehr.intake.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(_ROOT), **_SYSTEM},
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._orders, self._told = self.process.stdin, self.process.stdout
        _widen(self._told.fileno())

    async def exchange(self, orders: list[Order]) -> bytes | None:
        """Give orders and wait for the next frame; None when the process ended or takes too long."""
        waiting = asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, orders)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting
        except TimeoutError:
            return None

    def _exchange(self, orders: list[Order]) -> bytes | None:
        try:
            for order in orders:
                write_frame(self._orders, order)
            return read_frame(self._told)
        except (OSError, ValueError):
            return None

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Stop it at once; it holds nothing that would have to be kept."""
        self.process.kill()
        self.process.wait()
        self._thread.shutdown(wait=False)
        for stream in (self._orders, self._told):
            with contextlib.suppress(OSError):
                stream.close()


def _widen(pipe: int) -> None:
    """Room for whole units, so that the reader goes on while one is written (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


_idle: list[ReaderProcess] = []


def idle_readers() -> tuple[ReaderProcess, ...]:
    """Those that are kept warm."""
    return tuple(_idle)


def _take() -> ReaderProcess:
    while _idle:
        reader = _idle.pop()
        if reader.is_alive:
            return reader
        reader.end()
    return ReaderProcess()


def _give_back(reader: ReaderProcess) -> None:
    if len(_idle) < _IDLE_MAX:
        _idle.append(reader)
    else:
        reader.end()


@atexit.register
def close_readers() -> None:
    """End the readers that are kept warm; a later import starts others."""
    while _idle:
        _idle.pop().end()


class Read(Struct, frozen=True):
    """What comes next, and of which input."""

    number: int
    told: Made | Refused


class Reading:
    """What a reader makes of several inputs, in their order."""

    def __init__(self, jobs: list[Job], answer: Callable[[str], Awaitable[Answer]]) -> None:
        self._jobs, self._answer = jobs, answer
        self._at = self._sent = 0
        self.reader: ReaderProcess | None = None

    async def next(self) -> Read | None:
        """The next unit; None after the last. Asks for the owner of a code where the reader does."""
        orders: list[Order] = []
        while self._at < len(self._jobs):
            told = await self._exchange(orders)
            orders = []
            if told is None:
                return self._broken()
            if isinstance(told, Done):
                self._at += 1
            elif isinstance(told, Question):
                orders.append(await self._answer(told.code))
            else:
                return Read(self._at, told)
        return None

    async def _exchange(self, orders: list[Order]) -> Told | None:
        if self.reader is None:
            self.reader, self._sent = await asyncio.to_thread(_take), self._at
        while self._may_send():
            orders.append(self._jobs[self._sent])
            self._sent += 1
        frame = await self.reader.exchange(orders)
        try:
            return None if frame is None else decode_told(frame)
        except MsgspecError:
            return None

    def _may_send(self) -> bool:
        """An input that stands in its order goes when the one before is done: a reader that is still telling
        takes nothing that fills a pipe, and both sides would wait for ever."""
        if self._sent >= min(self._at + _JOBS_AHEAD, len(self._jobs)):
            return False
        return self._sent == self._at or self._jobs[self._sent].path is not None

    def _broken(self) -> Read:
        number, name = self._at, self._jobs[self._at].name
        self._end()
        self._at += 1
        return Read(number, Refused(name, [Reason("unreadable-file", name)]))

    def _end(self) -> None:
        if self.reader is not None:
            self.reader.end()
            self.reader = None

    def close(self) -> None:
        """A reader in the middle of something is not kept."""
        if self.reader is not None and self._at == len(self._jobs):
            _give_back(self.reader)
            self.reader = None
        self._end()
