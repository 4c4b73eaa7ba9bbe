"""Strangers one after the other, so that those who are known go in between (security.md S33).

Hundreds of requests that come in one moment are hundreds of steps of the loop, one right after the other;
whoever is signed in would wait behind all of them. Here one stranger goes in each round of the loop, and
whatever became ready meanwhile goes before the next one.
"""

import asyncio
from collections import deque


class Line:
    """Who waits for a round of the loop, in the order in which they came."""

    __slots__ = ("_is_moving", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_moving = False

    async def turn(self) -> None:
        """Wait for one's round."""
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting.append(mine)
        if not self._is_moving:
            self._is_moving = True
            loop.call_soon(self._move, loop)
        await mine

    def _move(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            first = self._waiting.popleft()
            # Who hung up meanwhile takes nobody's round.
            if not first.done():
                first.set_result(None)
                loop.call_soon(self._move, loop)
                return
        self._is_moving = False
