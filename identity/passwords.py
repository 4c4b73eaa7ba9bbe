"""Argon2id for PINs and passwords, in threads of its own (security.md S33).

19 MiB, two passes, one lane: OWASP's minimum and the figure of consent.md §8. The library's default
(64 MiB, four lanes) would take 256 MiB for four sign-ins at once. What protects a six-digit PIN is
the pepper, which is outside the database, and the counted tries; not a slower hash.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import argon2
import structlog
from argon2.exceptions import InvalidHashError, VerificationError

from identity.problems import TRY_LATER
from kernel.problems import ProblemError, Refused
from store.keys import FIRST_ID, KeyRing, KeyRingError

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_QUEUE_PER_SLOT = 2
_NICE = 10
SALT_BYTES = 16
T = TypeVar("T")

log = structlog.get_logger("identity")


def _step_back() -> None:
    """Whoever reads goes first: a hash waits for a core that nobody else wants. On Linux a priority is a
    thread's own. Not SCHED_IDLE: between two hashes a thread holds the interpreter's lock for a moment, and
    one that gets no core in that moment keeps its whole process waiting (readers' p99 was a third longer)."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)


class HashingPool:
    """As many slots as cores and a queue twice as long; whoever comes then is told to come back."""

    def __init__(self, slots: int | None = None) -> None:
        self._slots = slots or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._slots, "argon2", initializer=_step_back)
        self._inside = 0
        self._hashed: list[Future[Any]] = []

    async def hash(self, secret: str) -> str:
        """Raises the problem `sign-in-busy` when slots and queue are full."""
        return await self._run(_hash, "", secret)

    async def verify(self, stored: str | None, secret: str) -> bool:
        """Compare; without a stored hash the work is done all the same and the answer is no."""
        holds = await self._run(_holds, stored or _decoy(), secret)
        return holds and stored is not None

    async def stretch(self, secret: str, salt: bytes) -> bytes:
        """The same bytes for the same secret and salt (16 bytes), for a comparison inside one statement.

        Raises the problem `sign-in-busy` when slots and queue are full.
        """
        return (await self._run(_stretch, salt.hex(), secret)).encode()

    def refusal(self) -> Refused | None:
        """`sign-in-busy` where one more would not be hashed."""
        # Whoever left keeps the place until the work is done: a thread cannot be stopped.
        self._hashed = [work for work in self._hashed if not work.done()]
        is_full = self._inside + len(self._hashed) >= self._slots * (1 + _QUEUE_PER_SLOT)
        return Refused(problem=TRY_LATER, retry_after_seconds=2) if is_full else None

    def require_room(self) -> None:
        """Raises `sign-in-busy` before a try is charged for work that would not be done."""
        if (refused := self.refusal()) is not None:
            raise ProblemError(refused)

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Keep a place in the queue for who has yet to be looked up. Raises `sign-in-busy` before any row is
        read and any try charged."""
        self.require_room()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def _run(self, work: Callable[[str, str], T], stored: str, secret: str) -> T:
        self.require_room()
        hashed = self._threads.submit(work, stored, secret)
        self._hashed.append(hashed)
        return await asyncio.wrap_future(hashed)


POOL = HashingPool()


async def hash_secret(keys: KeyRing, actor_id: UUID, secret: str) -> str:
    """How a PIN or password rests: `<id of the pepper>$argon2id$…`, without an id under the first pepper.

    Bound to one person and useless without the pepper. Raises the problem `sign-in-busy`.
    """
    pepper_id, _ = keys.secret("pepper")
    named = "" if pepper_id == FIRST_ID else pepper_id
    return named + await POOL.hash(_peppered(keys, actor_id, secret, pepper_id))


async def secret_holds(keys: KeyRing, actor_id: UUID, stored: str | None, secret: str) -> bool:
    """Compare under the pepper that the hash was made with; the same work where nothing is stored, or
    that pepper is gone: then nothing holds."""
    named, sign, rest = (stored or "").partition("$")
    text = _peppered(keys, actor_id, secret, (named or FIRST_ID) if stored else None)
    return await POOL.verify(sign + rest if stored else None, text)


def new_salt(keys: KeyRing) -> bytes:
    """What `stretched` makes a passcode with: 16 random bytes, then its pepper's id but for the first."""
    pepper_id, _ = keys.secret("pepper")
    return secrets.token_bytes(SALT_BYTES) + (b"" if pepper_id == FIRST_ID else pepper_id.encode())


async def stretched(keys: KeyRing, actor_id: UUID, secret: str, salt: bytes) -> bytes:
    """The same bytes for the same secret and `new_salt`, others once its pepper is gone. Raises the problem
    `sign-in-busy`."""
    pepper_id = salt[SALT_BYTES:].decode() or FIRST_ID
    return await POOL.stretch(_peppered(keys, actor_id, secret, pepper_id), salt[:SALT_BYTES])


def _peppered(keys: KeyRing, actor_id: UUID, secret: str, pepper_id: str | None) -> str:
    return hmac.digest(_pepper(keys, pepper_id), actor_id.bytes + secret.encode(), hashlib.sha256).hex()


def _pepper(keys: KeyRing, pepper_id: str | None) -> bytes:
    """The one that a row names; where that was destroyed and a backup brought the row back, the current one.
    Under it nothing of theirs holds, and it takes as long as any wrong secret: no answer tells such rows."""
    try:
        return keys.secret("pepper", pepper_id)[1]
    except KeyRingError:
        log.error("pepper_gone", alert=True)
        return keys.secret("pepper")[1]


def _hash(_stored: str, secret: str) -> str:
    return _HASHER.hash(secret)


def _stretch(salt: str, secret: str) -> str:
    return _HASHER.hash(secret, salt=bytes.fromhex(salt))


def _holds(stored: str, secret: str) -> bool:
    try:
        return _HASHER.verify(stored, secret)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody")
