"""How much one server process works on at once, and how long it waits for a body (security.md S33).

Who comes when a process is full is told so at once, before a row is read: an endless queue answers nobody.
A place is held while the service works, not while a body is still coming or an answer is on its way: slow
lines hold none. Whoever has sent a body asks for a place once more: bodies that end together would all find
one otherwise. Places are of four kinds:

    known      whose session this process found lately (api/callers.py); anybody can show a token. From half
               full on each has a share: one session's hundred connections keep no other session out
    unproven   shows a token or a page's cookie that this process knows nothing of: an attacker's invention,
               or the first request of a real session after a restart
    nameless   shows neither. Both kinds of strangers share a part of the places, and neither may take all of
               it: a flood of sign-ins leaves some for tokens, a flood of tokens some for sign-ins
    ending     whoever shows a token ends somebody's access or leaves (api/endings.py) where the places before
               are taken: a few more, so that a flood is no way to keep a revocation out (S31)

A body has to come at the pace that Apache's RequestReadTimeout asks for (body=20,MinRate=500, its default);
whoever is slower is dealt with as somebody who hung up.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import structlog
from litestar.types import Message, Receive, Scope, Send

from api.callers import Callers
from api.headers import joined_header, presented_token
from api.line import Line
from api.metrics import SHED
from api.problems import UNAVAILABLE
from identity.passwords import POOL
from kernel.problems import ProblemError, Refused

# Ten connections to the database, and what can wait for them for about a second.
INSIDE_MAX: Final = 192
STRANGERS_MAX: Final = 64
# Beside them. Two at a time for one token: whoever invents tokens has to invent many.
ENDINGS_MAX: Final = 16
ENDINGS_UNPROVEN_MAX: Final = 8
ENDINGS_OF_ONE: Final = 2
# Strangers of one kind who wait to be looked at: of 500 that come at once nobody waits for long.
LINE_MAX: Final = 512
RETRY_AFTER_SECONDS: Final = 2
SAID_EVERY_SECONDS: Final = 10.0
BODY_SECONDS: Final = 20.0
BODY_BYTES_A_SECOND: Final = 500
# Whoever balances asks these, and shall hear that the process lives.
_NEVER_REFUSED: Final = ("/health/",)
# The token stands in the body. Nothing dear is done for it, and who is signed in needs it every few minutes.
_RENEWAL: Final = "/v1/auth/refresh"
# Refused before they are read where no hash would be made for them.
HASHING: Final = frozenset({"/v1/auth/practitioner/sign-in", "/v1/auth/operator/sign-in"})
# Of pages (api/pages/browser.py), with TLS and on this machine.
_COOKIES: Final = frozenset(
    prefix + name for prefix in ("__Host-", "") for name in ("citizen", "staff", "kiosk")
)
FULL: Final = Refused(problem=UNAVAILABLE, retry_after_seconds=RETRY_AFTER_SECONDS)

Kind: TypeAlias = Literal["known", "unproven", "nameless", "ending", "ending-unproven", "health", "hashing"]

log = structlog.get_logger("api")


class Place(NamedTuple):
    """What a request holds. of: the hash of the token that it showed."""

    kind: Kind
    of: bytes | None = None


class Load:
    """The places of one process. is_ending: asked of a request where the others are taken. body_seconds: how
    long a body may take before its pace counts."""

    def __init__(
        self,
        callers: Callers,
        is_ending: Callable[[Scope], bool] = lambda _: False,
        *,
        most: int = INSIDE_MAX,
        most_strangers: int = STRANGERS_MAX,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._callers = callers
        self._is_ending = is_ending
        self._line = Line(LINE_MAX)
        self._most = most
        self._most_strangers = most_strangers
        self.body_seconds = body_seconds
        self._held: Counter[Kind] = Counter()
        self._of_one: Counter[Place] = Counter()
        self._shed = 0
        self._said_at = -SAID_EVERY_SECONDS

    @property
    def inside(self) -> int:
        """How many work, without endings beyond the others and without health."""
        return self._held["known"] + self.strangers

    @property
    def strangers(self) -> int:
        """How many of them are strangers."""
        return self._held["unproven"] + self._held["nameless"]

    async def admit(self, scope: Scope) -> Place | Refused:
        """`place_for`, for a stranger when it is its turn. Whoever ends an access and finds the line full has
        the places for endings."""
        if not scope["path"].startswith(_NEVER_REFUSED):
            kind = self._caller(scope).kind
            if kind != "known" and not await self._line.turn(kind) and not self._is_ending(scope):
                return self._turn_away(kind, FULL)
        return self.place_for(scope)

    def place_for(self, scope: Scope) -> Place | Refused:
        """The place that this request may take now; refused and counted: there is none."""
        if scope["path"].startswith(_NEVER_REFUSED):
            return Place("health")
        place = self._caller(scope)
        if scope["path"] in HASHING and (refused := POOL.refusal()) is not None:
            return self._turn_away("hashing", refused)
        if self._has_room(place):
            return place
        if place.of is not None and self._is_ending(scope):
            ending = Place("ending" if place.kind == "known" else "ending-unproven", place.of)
            most = ENDINGS_MAX if place.kind == "known" else ENDINGS_UNPROVEN_MAX
            if self._held[ending.kind] < most and self._of_one[ending] < ENDINGS_OF_ONE:
                return ending
        return self._turn_away(place.kind, FULL)

    def _caller(self, scope: Scope) -> Place:
        shown = [self._callers.digest(token) for token in tokens_of(scope)]
        for one in shown:
            if self._callers.is_known(one):
                return Place("known", one)
        if shown or scope["path"] == _RENEWAL:
            return Place("unproven", shown[0] if shown else None)
        return Place("nameless")

    def _has_room(self, place: Place) -> bool:
        if self.inside >= self._most:
            return False
        if place.kind == "known":
            # An eighth each, once half of the places are taken.
            return self.inside < self._most // 2 or self._of_one[place] < max(1, self._most // 8)
        for_the_others = self._most_strangers // 4
        most_of_kind = self._most_strangers - for_the_others
        return self.strangers < self._most_strangers and self._held[place.kind] < most_of_kind

    def take(self, place: Place) -> None:
        """Hold it."""
        self._held[place.kind] += 1
        self._of_one[place] += 1

    def give_back(self, place: Place) -> None:
        """Hold it no longer."""
        self._held[place.kind] -= 1
        self._of_one[place] -= 1
        if not self._of_one[place]:
            del self._of_one[place]

    def _turn_away(self, kind: Kind, refused: Refused) -> Refused:
        """Count it; a line for all of some seconds: a flood of lines would hide what else goes wrong."""
        SHED.labels(kind).inc()
        self._shed += 1
        if monotonic() - self._said_at >= SAID_EVERY_SECONDS:
            log.warning("requests turned away", count=self._shed)
            self._shed, self._said_at = 0, monotonic()
        return refused


def tokens_of(scope: Scope) -> list[str]:
    """What a request shows of sessions, one of each kind at most: the header's, or those of its cookies."""
    if (presented := presented_token(scope)) is not None:
        return [presented[1]]
    shown: dict[str, str] = {}
    for one in (joined_header(scope, b"cookie") or "").split(";"):
        name, _, value = one.strip().partition("=")
        if name in _COOKIES and value:
            shown.setdefault(name, value)
    return list(shown.values())


class Turn:
    """One request's place: its `receive` and `send` give it back while others move the bytes."""

    __slots__ = (
        "_bytes",
        "_holds",
        "_is_complete",
        "_load",
        "_place",
        "_receive",
        "_scope",
        "_send",
        "_started",
    )

    def __init__(self, load: Load, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        self._load = load
        self._place = place
        self._scope = scope
        self._receive = receive
        self._send = send
        self._holds = False
        self._is_complete = False
        self._started = 0.0
        self._bytes = 0
        self._take(place)

    def _take(self, place: Place) -> None:
        if not self._holds:
            self._holds = True
            self._place = place
            self._load.take(place)

    def leave(self) -> None:
        """Give the place back, once."""
        if self._holds:
            self._holds = False
            self._load.give_back(self._place)

    async def receive(self) -> Any:
        """The next part of the body; the caller's end where it comes too slowly. Raises ProblemError
        where the body is whole and no place is left."""
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
            place = self._load.place_for(self._scope) if self._is_complete else self._place
            if isinstance(place, Refused):
                raise ProblemError(place)
            self._take(place)
        return message

    async def send(self, message: Message) -> None:
        """Pass it on; from the first one on the answer is made."""
        self.leave()
        await self._send(message)
