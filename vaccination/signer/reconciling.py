"""Signatures that were given against rows that asked for one, and the signer's log against itself (S28).

The log is the signer's own; its head goes into the operators' log every night, whose head stands in the
published roots. So neither a signature without a row nor a log that was written anew stays unseen.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.models import AdminEntry, AdminRow, Head
from audit.service import record_admin_event
from audit.verify import verify_admin_rows
from store.database import Tx
from vaccination.signer import queries
from vaccination.signer.models import Signed, SigningEntry, SigningRow

HEAD_TAG: Final = "signing:head"
PROGRAM: Final = "program:worker"
# A week of nights.
HEADS_MAX: Final = 7
# Row and entry are written together, but two statements see two moments: the youngest wait.
SETTLED: Final = timedelta(minutes=1)

# no-row: a signature that nobody asked for. other-row: the row names another key or other bytes. no-entry: a
# row is marked as signed and the log knows nothing of it. broken-log: an entry does not follow from the one
# before, or differs from a head that was kept.
Fault = Literal["no-row", "other-row", "no-entry", "broken-log"]


class Stray(Struct, frozen=True):
    """One thing that does not fit: the issuance, or the log's row."""

    fault: Fault
    issuance_id: UUID | None
    seq: int | None


class Reconciled(Struct, frozen=True, kw_only=True):
    """head: the end of the log, as far as it holds."""

    signatures: int
    rows: int
    strays: list[Stray]
    head: Head | None


async def reconcile(tx: Tx, since: datetime, now: datetime) -> Reconciled:
    """The signatures from then to now, each against its row, and the log's links among them."""
    until = now - SETTLED
    # Without a gap, so a row of another moment may stand among them.
    logged = await queries.LOGGED_BETWEEN.all(tx, since, until)
    within = [row for row in logged if since <= row.at < until]
    signed = {row.issuance_id: row for row in await queries.SIGNED_BETWEEN.all(tx, since, until)}
    strays = [stray for row in within if (stray := _compare(row, signed.get(row.issuance_id)))]
    known = {row.issuance_id for row in within}
    strays += [Stray("no-entry", one, None) for one in signed if one not in known]
    end = await queries.SIGNING_HEAD.one(tx)
    broken = _first_broken(logged, await sealed_heads(tx), end)
    if broken is not None:
        strays.append(Stray("broken-log", None, broken))
    head = Head(seq=logged[-1].seq, h=logged[-1].h) if logged and broken is None else None
    return Reconciled(signatures=len(within), rows=len(signed), strays=strays, head=head)


async def seal_head(tx: Tx, head: Head, now: datetime) -> None:
    """Write the log's end into the operators' log, and so under the next published root."""
    await record_admin_event(tx, PROGRAM, HEAD_TAG, head.h.hex(), head.seq, now)


async def sealed_heads(tx: Tx) -> list[Head]:
    """The newest ends that were written down, oldest first."""
    rows = await queries.SEALED.all(tx, HEAD_TAG, HEADS_MAX)
    said = [msgspec.json.decode(row.entry, type=AdminEntry) for row in reversed(rows)]
    return [Head(seq=one.count, h=bytes.fromhex(one.reason)) for one in said if one.what == HEAD_TAG]


def _compare(row: SigningRow, signed: Signed | None) -> Stray | None:
    entry = msgspec.json.decode(row.entry, type=SigningEntry)
    if signed is None or entry.issuance != row.issuance_id:
        return Stray("no-row", row.issuance_id, row.seq)
    if (entry.key, entry.sha256) != (signed.key_id, signed.to_sign_sha256.hex()):
        return Stray("other-row", row.issuance_id, row.seq)
    return None


def _first_broken(rows: Sequence[SigningRow], sealed: Sequence[Head], end: Head | None) -> int | None:
    """The first row whose link does not hold, that a kept head says was another one, or that was cut off.
    The row before the first of these and the log's end are compared with the kept heads too."""
    last = end.seq if end else 0
    cut = [last + 1] if any(one.seq > last for one in sealed) else []
    links = {row.seq: row.h for row in rows} | ({end.seq: end.h} if end else {})
    broken = None
    if rows:
        chain = [AdminRow(row.seq, row.at, row.entry, row.prev, row.h) for row in rows]
        before = Head(seq=rows[0].seq - 1, h=rows[0].prev)
        broken = verify_admin_rows(chain, after=before)
        links[before.seq] = before.h
    faults = [one.seq for one in sealed if links.get(one.seq, one.h) != one.h]
    return min([*cut, *faults, *([broken.at] if broken else [])], default=None)
