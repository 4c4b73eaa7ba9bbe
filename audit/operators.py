"""The operators' chain, read from the database and checked link by link (security.md S26)."""

from collections.abc import Sequence

from msgspec import Struct

from audit import queries
from audit.models import AdminRow, Head
from audit.verify import Broken, verify_admin_rows
from store.database import Tx

ROWS_AT_ONCE = 1000


class Checked(Struct, frozen=True, kw_only=True):
    """head: the last row that holds; compare it with one that was written down elsewhere."""

    head: Head | None
    broken: Broken | None


async def verify_operators(tx: Tx, kept: Sequence[Head] = ()) -> Checked:
    """Check every row, then that the chain reaches its head and passes through each one that was kept.

    Whoever can write the head as well can cut the end or write all anew unseen: only heads kept elsewhere, as
    in the published roots, show that.
    """
    # The head first: rows that are appended meanwhile follow it.
    head = await queries.admin_head(tx)
    last: Head | None = None
    is_reached = head is None
    while rows := await queries.admin_export(tx, after_seq=last.seq if last else 0, limit=ROWS_AT_ONCE):
        broken = verify_admin_rows(rows, after=last)
        if broken is not None:
            return Checked(head=last, broken=broken)
        missed = _missed(rows, kept)
        if missed is not None:
            return Checked(head=last, broken=missed)
        is_reached = is_reached or any((row.seq, row.h) == (head.seq, head.h) for row in rows if head)
        last = Head(seq=rows[-1].seq, h=rows[-1].h)
    reached = last.seq if last else 0
    cut = [one.seq for one in kept if one.seq > reached]
    if is_reached and cut:
        return Checked(head=last, broken=Broken(min(cut), "operators-rewritten"))
    return Checked(head=last, broken=None if is_reached else Broken(reached + 1, "head-missing"))


def _missed(rows: Sequence[AdminRow], kept: Sequence[Head]) -> Broken | None:
    """The first of these rows that is not what a kept head says it was."""
    links = {row.seq: row.h for row in rows}
    seqs = [one.seq for one in kept if links.get(one.seq, one.h) != one.h]
    return Broken(min(seqs), "operators-rewritten") if seqs else None
