"""The offline verifier of an exported log: needs no database and no key of ours.

It finds an edited, deleted, inserted, reordered or renumbered row, and a name that is not the one
the row was bound to. A cut tail shows only against a head that somebody kept outside (the app pins
its last seq and head). docs/threat-model.md says what a chain cannot prove.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import rfc8785
from msgspec import Struct

from audit.chain import GENESIS, digest, link, name_commitment
from audit.models import AdminRow, Head, LogRow

# The act of the row that a restored backup leaves in each chain: rows that were there before it are lost.
RECOVERED = "restore:log:recovered"


class ExportRow(Struct, frozen=True, kw_only=True):
    """One line of an export. Digests and salts are hexadecimal; `row` is what the chain covers."""

    seq: int
    row: dict[str, Any]
    prev: str
    h: str
    salt: str
    actor_salt: str
    actor_name: str | None
    actor_licence: str | None


class Broken(Struct, frozen=True):
    """The first place that does not hold. `at` is the seq that was expected there."""

    at: int
    reason: str


def export_rows(rows: Iterable[LogRow]) -> list[ExportRow]:
    """Rows of the database in the form that leaves."""
    return [
        ExportRow(
            seq=row.seq,
            row=msgspec.json.decode(row.entry),
            prev=row.prev.hex(),
            h=row.h.hex(),
            salt=row.salt.hex(),
            actor_salt=row.actor_salt.hex(),
            actor_name=row.actor_name,
            actor_licence=row.actor_licence,
        )
        for row in rows
    ]


def verify_rows(
    rows: Sequence[ExportRow], *, after: Head | None = None, pin: Head | None = None
) -> Broken | None:
    """None when every row follows the one before it.

    after: the head that the list continues (None: it starts the chain). pin: a head the list must
    pass through.
    """
    seq, prev = (after.seq, after.h) if after else (0, GENESIS)
    pinned = pin is None or (pin.seq, pin.h) == (seq, prev)
    for row in rows:
        seq += 1
        reason = _broken_row(row, seq, prev)
        prev = bytes.fromhex(row.h)
        if reason is None and pin is not None and pin.seq == seq:
            reason, pinned = (None, True) if prev == pin.h else ("pinned-head-differs", True)
        if reason is not None:
            return Broken(seq, reason)
    return None if pinned else Broken(seq + 1, "pinned-head-missing")


def verify_admin_rows(rows: Sequence[AdminRow], *, after: Head | None = None) -> Broken | None:
    """The same for the operators' chain; after: the head that the rows continue."""
    start, prev = (after.seq, after.h) if after else (0, GENESIS)
    for seq, row in enumerate(rows, start=start + 1):
        if row.seq != seq or row.prev != prev or row.h != link(prev, seq, digest(row.entry.encode())):
            return Broken(seq, "link-does-not-match")
        prev = row.h
    return None


def _broken_row(row: ExportRow, seq: int, prev: bytes) -> str | None:
    if row.seq != seq:
        return "row-missing-or-moved"
    if bytes.fromhex(row.prev) != prev:
        return "previous-does-not-match"
    if bytes.fromhex(row.h) != link(prev, seq, digest(rfc8785.dumps(row.row))):
        return "link-does-not-match"
    return None if _names_match(row) else "name-does-not-match"


def _names_match(row: ExportRow) -> bool:
    """A masked row and the person's own bind no name, and so may show none."""
    commitment = row.row["actor"]["commitment"]
    if commitment is None or not row.actor_salt:
        return (row.actor_name, row.actor_licence) == (None, None)
    salt = bytes.fromhex(row.actor_salt)
    return bool(commitment == name_commitment(salt, row.actor_name, row.actor_licence))
