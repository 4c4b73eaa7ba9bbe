"""What identity asks of floors above it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from identity.verification.models import Method, Started, Verified
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing


class Arrivals(Protocol):
    async def __call__(self, tx: Tx, patient_id: UUID, facility_id: UUID, now: datetime) -> bool:
        """True when the person has an arrival at this facility today (visits/arrivals.py)."""
        ...


class TypedArrivals(Protocol):
    async def __call__(self, tx: Tx, keys: KeyRing, number: str, facility_id: UUID, now: datetime) -> bool:
        """True when the desk of this facility typed the number today, whoever has it."""
        ...


class IdentityVerifier(Protocol):
    """A way to prove who one is at somebody outside. Never called inside a transaction."""

    @property
    def method(self) -> Method:
        """How it proves."""
        ...

    @property
    def provider(self) -> str:
        """Who proves: the issuer's address."""
        ...

    async def start(self, state: str, now: datetime) -> Started | Refused:
        """Make ready. state: comes back with the answer."""
        ...

    async def finish(self, answer: Mapping[str, str], kept: str, now: datetime) -> Verified | Refused:
        """Read the answer that the browser brought back, with what `start` kept."""
        ...
