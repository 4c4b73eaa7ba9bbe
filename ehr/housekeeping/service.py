"""Removing ended rows of the intake. How long each kind is kept is decided in healthbook/housekeeping.py."""

from datetime import datetime

from ehr.housekeeping import queries
from store.database import Tx


async def forget_receipts(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what was received before that time, at most `limit` rows. Returns how many."""
    return await queries.DELETE_RECEIPTS.one(tx, before, limit) or 0
