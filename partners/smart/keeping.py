"""What is removed of clients' wishes when they have ended."""

from datetime import datetime

from partners.smart import queries
from store.database import Tx


async def forget_wishes(tx: Tx, before: datetime, limit: int) -> int:
    """Remove wishes that ended before. Returns how many went."""
    return await queries.FORGET.one(tx, before, limit) or 0


async def forget_codes(tx: Tx, before: datetime, limit: int) -> int:
    """Remove the signs of pages that ended before. Returns how many went."""
    return await queries.FORGET_CODES.one(tx, before, limit) or 0
