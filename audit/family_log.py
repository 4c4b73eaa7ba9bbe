"""A child's log as the guardian sees it: who was let in and who read, and nothing of what the child may need
to keep from the guardian (security.md S23).

No arrivals, no safety flags, no acts of the child but the ways into the book, no counts, and no places in
the chain: neither a line nor a gap tells of a row that is left out.
"""

import base64
import binascii
from datetime import datetime
from typing import Final

from msgspec import structs

from audit import queries
from audit.log import NEWEST, AccessLog, Filter, LogItem, about_holder, capacity, span, whole_items
from kernel.access import Access
from kernel.paging import BAD_CURSOR
from kernel.problems import refuse
from store.database import Tx
from store.fields import FieldSealError, seal, unseal
from store.keys import KeyRing

# Reads, and who was asked and let in. What another package logs is not shown until it is named here.
_SHOWN: Final = (
    *("record:", "consent:grant:", "consent:request:", "consent:code:", "family:guardian:create"),
    # The ways into the book by a device of the child itself.
    *("identity:device:enrol", "identity:account:open", "identity:session:open"),
)
# Of what was declared the entries that the guardian sees say who added and who judged them.
_HIDDEN: Final = (
    "record:safety:",
    "record:hiding:",
    "record:result:",
    "record:statement:",
    # Whoever opens a code opens one prescription, which the guardian may not see.
    "record:prescription:",
)
_NOWHERE: Final = ""
_CURSOR: Final = "family-cursor"


async def read_family_log(
    tx: Tx, keys: KeyRing, access: Access, wanted: Filter, *, cursor: str | None, limit: int, now: datetime
) -> AccessLog:
    """One page, newest first, and a cursor where another line that is shown follows. Raises `bad-cursor`."""
    since, until = span(wanted)
    rows = await queries.family_page(
        tx,
        access.patient_id,
        before_seq=_opened(keys, access, cursor) if cursor else NEWEST,
        actor_kind=wanted.actor,
        kind=wanted.kind,
        facility_id=wanted.facility_id,
        since=since,
        until=until,
        limit=limit + 1,
        shown=_SHOWN,
        hidden=_HIDDEN,
    )
    page = rows[:limit]
    items = [_bare(one) for one in await whole_items(tx, keys, access, page, now)]
    more = _sealed(keys, access, page[-1].seq) if len(rows) > limit else None
    return AccessLog(items=items, next=more, head=None)


def _sealed(keys: KeyRing, access: Access, seq: int) -> str:
    """The place of the last line, of one length and readable by nobody else: the numbers between tell of
    lines that are left out."""
    place = seal(keys, access.patient_id, "access_log", _CURSOR, f"{seq:020d}")
    return base64.urlsafe_b64encode(place).rstrip(b"=").decode()


def _opened(keys: KeyRing, access: Access, cursor: str) -> int:
    try:
        sealed = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        return int(unseal(keys, access.patient_id, "access_log", _CURSOR, sealed))
    except (ValueError, binascii.Error, FieldSealError):
        refuse(BAD_CURSOR, "cursor")


def _bare(item: LogItem) -> LogItem:
    """The line without what was read: that would tell of entries which the guardian does not see."""
    said = about_holder(item.line) if item.is_own else item.line
    line, acted_as = said.partition(":")[0].partition(" (")[0], capacity(item.basis)
    return structs.replace(
        item,
        seq=0,
        first_seq=0,
        line=line if line.endswith(acted_as) else f"{line} – {acted_as}",
        types=[],
        count=0,
        prev=_NOWHERE,
        h=_NOWHERE,
        salt=_NOWHERE,
        row=None,
        actor_salt=None,
    )
