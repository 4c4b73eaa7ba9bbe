"""A child's log as the guardian sees it: who was let in and who read, and nothing of what the child may need
to keep from the guardian (security.md S23).

No arrivals, no safety flags, no acts of the child, no counts, and no places in the chain: neither a line nor
a gap tells of a row that is left out.
"""

from datetime import datetime
from typing import Final

from msgspec import structs

from audit.log import AccessLog, Filter, LogItem, read_log
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing

# Reads, and who was asked and let in. What another package logs is not shown until it is named here.
_SHOWN: Final = ("record:", "consent:grant:", "consent:request:", "consent:code:", "family:guardian:create")
_HIDDEN: Final = ("record:safety:", "record:hiding:", "record:result:")
_NOWHERE: Final = ""


async def read_family_log(
    tx: Tx, keys: KeyRing, access: Access, wanted: Filter, *, cursor: str | None, limit: int, now: datetime
) -> AccessLog:
    """One page, newest first; a page can hold fewer lines than asked for. Raises `bad-cursor`."""
    plain = structs.replace(wanted, proofs=False)
    page = await read_log(tx, keys, access, plain, cursor=cursor, limit=limit, now=now)
    shown = [_bare(one) for one in page.items if _is_shown(one)]
    return AccessLog(items=shown, next=page.next, head=None)


def _is_shown(item: LogItem) -> bool:
    named = item.action.startswith(_SHOWN) and not item.action.startswith(_HIDDEN)
    # Broken glass can be under a safety flag; a guardian who may hear of it was told (consent/emergency).
    return named and not item.is_own and item.purpose != "BTG"


def _bare(item: LogItem) -> LogItem:
    """The line without what was read: that would tell of entries which the guardian does not see."""
    return structs.replace(
        item,
        seq=0,
        first_seq=0,
        line=item.line.partition(":")[0].partition(" (")[0],
        types=[],
        count=0,
        prev=_NOWHERE,
        h=_NOWHERE,
        salt=_NOWHERE,
    )
