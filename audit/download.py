"""A person's whole log as NDJSON, page by page, with what proves it: audit/export.py reads and checks it."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from audit import queries
from audit.export import ExportLine
from audit.log import LogHead, whole_items
from audit.roots.problems import NO_SUCH_ROOT
from audit.roots.proofs import prove
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

ROWS_PER_PAGE: Final = 1000


class Downloaded(Struct, frozen=True):
    """A page; first and last: numbers of its rows, 0 where it has none."""

    body: bytes
    first: int
    last: int


async def page_of_export(
    tx: Tx, keys: KeyRing, access: Access, *, after: int, pinned: int | None, now: datetime
) -> Downloaded | Refused:
    """Rows after number `after`, oldest first. The last page ends with the head and the proof, every other
    one with where the next begins. pinned: number of a root that the newest one must continue."""
    # The head first: rows that are appended meanwhile follow it.
    head = await queries.head_of(tx, access.patient_id)
    rows = await queries.export(tx, access.patient_id, after_seq=after, limit=ROWS_PER_PAGE + 1)
    items = await whole_items(tx, keys, access, rows[:ROWS_PER_PAGE], now)
    lines = [ExportLine(item=item) for item in items]
    if len(rows) > ROWS_PER_PAGE:
        lines.append(ExportLine(next=items[-1].seq))
    elif head is not None:
        lines.append(ExportLine(head=LogHead(seq=head.seq, h=head.h.hex())))
        proof = await prove(tx, keys, access, seq=None, pinned=pinned)
        if not isinstance(proof, Refused):
            lines.append(ExportLine(proof=proof))
        elif proof.problem is NO_SUCH_ROOT:
            return proof
    return Downloaded(
        body=b"".join(msgspec.json.encode(line) + b"\n" for line in lines),
        first=items[0].seq if items else 0,
        last=items[-1].seq if items else 0,
    )
