"""Strangers one after the other, so that those who are known go in between (security.md S33).

Hundreds of requests that come in one moment are hundreds of steps of the loop, one right after the other;
whoever is signed in would wait behind all of them. Here one stranger goes in each round of the loop, and
whatever became ready meanwhile goes before the next one.
"""

import asyncio
from collections import deque
from collections.abc import Hashable


class Line:
    """Who waits for a round of the loop, in the order in which they came. Each kind waits by itself, and the
    kinds take turns: many of one keep none of another waiting. most: of one kind."""

    __slots__ = ("_is_moving", "_most", "_waiting")

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._is_moving = False

    async def turn(self, kind: Hashable) -> bool:
        """Wait for one's round. At once False where too many wait already."""
        if len(self._waiting.get(kind, ())) >= self._most:
            return False
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting.setdefault(kind, deque()).append(mine)
        if not self._is_moving:
            self._is_moving = True
            loop.call_soon(self._move, loop)
        await mine
        return True

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            kind, waiting = next(iter(self._waiting.items()))
            first = waiting.popleft()
            # Whose turn it was is last now.
            del self._waiting[kind]
            if waiting:
                self._waiting[kind] = waiting
            # Who hung up meanwhile takes nobody's round.
            if not first.done():
                first.set_result(None)
                loop.call_soon(self._move, loop)
                return
        self._is_moving = False
