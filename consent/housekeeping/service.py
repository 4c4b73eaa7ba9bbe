"""Removing ended rows of consent. How long each kind is kept is decided in healthbook/housekeeping.py."""

from datetime import datetime
from typing import Final, Literal

from consent.housekeeping import queries
from kernel.clock import local_day
from store.database import Tx
from store.statement import Scalar

Ended = Literal[
    "sms-codes",
    "practitioner-requests",
    "request-quotas",
    "share-codes",
    "share-code-hashes",
    "share-link-tickets",
    "share-link-addresses",
    "contact-invitations",
    "proxy-invitations",
    "guardianship-proposals",
    "proxy-proposals",
    "practitioner-emergencies",
]
_BY_END: Final[dict[Ended, Scalar[int]]] = {
    "sms-codes": queries.ERASE_CODES,
    "practitioner-requests": queries.DELETE_PRACTITIONER_REQUESTS,
    "share-codes": queries.DELETE_SHARE_CODES,
    "share-code-hashes": queries.DELETE_SHARE_CODE_HASHES,
    "share-link-tickets": queries.DELETE_LINK_TICKETS,
    "share-link-addresses": queries.DELETE_LINK_ADDRESSES,
    "contact-invitations": queries.EMPTY_INVITED_CONTACTS,
    "proxy-invitations": queries.DELETE_PROXY_INVITATIONS,
    "guardianship-proposals": queries.DELETE_GUARDIANSHIP_PROPOSALS,
    "proxy-proposals": queries.DELETE_PROXY_PROPOSALS,
    "practitioner-emergencies": queries.DELETE_EMERGENCY_MIRRORS,
}


async def housekeeping(tx: Tx, ended: Ended, before: datetime, limit: int) -> int:
    """Remove what ended before that time, of at most `limit` keys. Returns how many rows it touched."""
    if ended == "request-quotas":
        return await queries.DELETE_QUOTAS.one(tx, local_day(before), limit) or 0
    return await _BY_END[ended].one(tx, before, limit) or 0
