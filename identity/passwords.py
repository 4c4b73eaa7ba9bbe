"""Argon2id for PINs and passwords, in threads of its own (security.md S33).

19 MiB, two passes, one lane: OWASP's minimum and the figure of consent.md §8. The library's default
(64 MiB, four lanes) would take 256 MiB for four sign-ins at once. What protects a six-digit PIN is
the pepper, which is outside the database, and the counted tries; not a slower hash.
"""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar
from uuid import UUID

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from identity.problems import TRY_LATER
from kernel.problems import ProblemError, Refused
from store.keys import KeyRing

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_QUEUE_PER_SLOT = 2
T = TypeVar("T")


class HashingPool:
    """As many slots as cores and a queue twice as long; whoever comes then is told to come back."""

    def __init__(self, slots: int | None = None) -> None:
        self._slots = slots or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._slots, thread_name_prefix="argon2")
        self._inside = 0

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

    def require_room(self) -> None:
        """Raises `sign-in-busy` before a try is charged for work that would not be done."""
        if self._inside >= self._slots * (1 + _QUEUE_PER_SLOT):
            raise ProblemError(Refused(problem=TRY_LATER, retry_after_seconds=2))

    async def _run(self, work: Callable[[str, str], T], stored: str, secret: str) -> T:
        self.require_room()
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, stored, secret)
        finally:
            self._inside -= 1


POOL = HashingPool()


def peppered(keys: KeyRing, actor_id: UUID, secret: str) -> str:
    """What is hashed: bound to one person and useless without the pepper."""
    _, pepper = keys.secret("pepper")
    return hmac.digest(pepper, actor_id.bytes + secret.encode(), hashlib.sha256).hex()


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
