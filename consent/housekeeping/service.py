"""Removing ended rows of consent. How long each kind is kept is decided in healthbook/housekeeping.py."""

from datetime import datetime
from typing import Literal

from consent.housekeeping import queries
from kernel.clock import local_day
from store.database import Tx

Ended = Literal["sms-codes", "practitioner-requests", "request-quotas"]


async def housekeeping(tx: Tx, ended: Ended, before: datetime, limit: int) -> int:
    """Remove what ended before that time, of at most `limit` keys. Returns how many rows it touched."""
    if ended == "sms-codes":
        return await queries.ERASE_CODES.one(tx, before, limit) or 0
    if ended == "practitioner-requests":
        return await queries.DELETE_PRACTITIONER_REQUESTS.one(tx, before, limit) or 0
    return await queries.DELETE_QUOTAS.one(tx, local_day(before), limit) or 0
