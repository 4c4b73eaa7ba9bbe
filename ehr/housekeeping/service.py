"""Removing ended rows of the intake. How long each kind is kept is decided in healthbook/housekeeping.py."""

from datetime import datetime
from typing import Literal

from ehr.housekeeping import queries
from store.database import Tx

Ended = Literal["receipts", "quarantine"]


async def housekeeping(tx: Tx, ended: Ended, before: datetime, limit: int) -> int:
    """Remove what was received before that time, at most `limit` rows. Returns how many."""
    if ended == "receipts":
        return await queries.DELETE_RECEIPTS.one(tx, before, limit) or 0
    return await queries.DELETE_QUARANTINE.one(tx, before, limit) or 0
