"""Whose sessions this process found lately: who keeps a place when it is full (security.md S31, S33).

Anybody can show a token; that a session stood behind it is what an attacker cannot write. Kept are hashes
under a key that this process made for itself, in memory and for a quarter of an hour. They decide about
places alone: each request of whoever is in here is authenticated as everybody's is.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final

# As long as a page lives that nobody touches.
LATELY_SECONDS: Final = 900.0
CALLERS_MAX: Final = 65_536
_DIGEST_BYTES: Final = 16


class Callers:
    """Hashes of tokens and when each last opened something. now: seconds of a clock that never jumps."""

    __slots__ = ("_found", "_key", "_most", "_now")

    def __init__(self, most: int = CALLERS_MAX, now: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._most = most
        self._now = now
        self._found: dict[bytes, float] = {}

    def digest(self, token: str) -> bytes:
        """What stands here for a token."""
        return hashlib.blake2b(token.encode(), key=self._key, digest_size=_DIGEST_BYTES).digest()

    def found(self, token: str) -> None:
        """A session stood behind it now. The one that was found longest ago makes room."""
        digest = self.digest(token)
        self._found.pop(digest, None)
        self._found[digest] = self._now()
        if len(self._found) > self._most:
            del self._found[next(iter(self._found))]

    def gone(self, token: str) -> None:
        """No session stands behind it any more."""
        self._found.pop(self.digest(token), None)

    def note(self, token: str, is_found: bool) -> None:
        """What a look for its session showed."""
        self.found(token) if is_found else self.gone(token)

    def is_known(self, digest: bytes) -> bool:
        """Whether its session was found lately."""
        at = self._found.get(digest)
        return at is not None and self._now() - at < LATELY_SECONDS
