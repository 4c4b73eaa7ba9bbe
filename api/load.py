"""How much one server process works on at once, and how long it waits for a body (security.md S33).

Who comes when a process is full is told so at once, before a row is read: an endless queue answers nobody.
Strangers, who show neither a token nor a cookie, get a part of the places alone: whoever sends sign-ins by
the hundred keeps other strangers out and nobody who is signed in. A place is held while the service works,
not while a body is still coming or an answer is on its way: slow lines hold none. Whoever has sent a body
asks for a place once more: bodies that end together would all find one otherwise.

A body has to come at the pace that Apache's RequestReadTimeout asks for (body=20,MinRate=500, its default);
whoever is slower is dealt with as somebody who hung up.
"""

import asyncio
from typing import Any, Final

from litestar.types import Message, Receive, Scope, Send

from api.problems import UNAVAILABLE
from kernel.problems import ProblemError, Refused

# Ten connections to the database, and what can wait for them for about a second.
INSIDE_MAX: Final = 192
STRANGERS_MAX: Final = 64
RETRY_AFTER_SECONDS: Final = 2
BODY_SECONDS: Final = 20.0
BODY_BYTES_A_SECOND: Final = 500
# Whoever balances asks these, and shall hear that the process lives.
_NEVER_REFUSED: Final = ("/health/",)
_KNOWN: Final = (b"authorization", b"cookie")
FULL: Final = Refused(problem=UNAVAILABLE, retry_after_seconds=RETRY_AFTER_SECONDS)


class Load:
    """The places of one process. body_seconds: how long a body may take before its pace counts."""

    __slots__ = ("_most", "body_seconds", "inside", "strangers")

    def __init__(
        self,
        most: int = INSIDE_MAX,
        most_strangers: int = STRANGERS_MAX,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._most = (most, most_strangers)
        self.body_seconds = body_seconds
        self.inside = 0
        self.strangers = 0

    def has_room(self, scope: Scope) -> bool:
        """Whether this request finds a place."""
        if scope["path"].startswith(_NEVER_REFUSED):
            return True
        most, most_strangers = self._most
        if self.inside >= most:
            return False
        return self.strangers < most_strangers or not is_stranger(scope)


def is_stranger(scope: Scope) -> bool:
    """Whether a request shows neither a token nor a cookie; what is shown may be worth nothing."""
    return not any(name in _KNOWN for name, _ in scope["headers"])


class Turn:
    """One request's place: its `receive` and `send` give it back while others move the bytes."""

    __slots__ = (
        "_bytes",
        "_holds",
        "_is_complete",
        "_load",
        "_receive",
        "_scope",
        "_send",
        "_started",
        "_stranger",
    )

    def __init__(self, load: Load, scope: Scope, receive: Receive, send: Send) -> None:
        self._load = load
        self._scope = scope
        self._receive = receive
        self._send = send
        self._stranger = is_stranger(scope)
        self._holds = False
        self._is_complete = False
        self._started = 0.0
        self._bytes = 0
        self._take()

    def _take(self) -> None:
        if not self._holds:
            self._holds = True
            self._load.inside += 1
            self._load.strangers += self._stranger

    def leave(self) -> None:
        """Give the place back, once."""
        if self._holds:
            self._holds = False
            self._load.inside -= 1
            self._load.strangers -= self._stranger

    async def receive(self) -> Any:
        """The next part of the body; the caller's end where it comes too slowly. Raises ProblemError where
        the body is whole and no place is left."""
        if self._is_complete:  # what may still come is the end of the connection
            return await self._receive()
        held = self._holds
        self.leave()
        loop = asyncio.get_running_loop()
        self._started = self._started or loop.time()
        due = self._started + self._load.body_seconds + self._bytes / BODY_BYTES_A_SECOND
        try:
            async with asyncio.timeout_at(due):
                message: Any = await self._receive()
        except TimeoutError:
            message = {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if held:
            if self._is_complete and not self._load.has_room(self._scope):
                raise ProblemError(FULL)
            self._take()
        return message

    async def send(self, message: Message) -> None:
        """Pass it on; from the first one on the answer is made."""
        self.leave()
        await self._send(message)
