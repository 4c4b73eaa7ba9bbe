"""What identity asks of floors above it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

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
