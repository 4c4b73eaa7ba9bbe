"""An exported log as `GET /v1/me/access-log/export` gives it: NDJSON, the oldest row first, then the head and
the proof. Read and verified offline, with the published roots where somebody has them.

What a line shows of a row is compared with what the chain covers. The sentence (`line`) and the
facility's name are put together for people and are not covered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import rfc8785
from msgspec import Struct

from audit.log import LogHead, LogItem
from audit.models import Entry, Head
from audit.roots.models import AuditRoots, LogProof, Pin
from audit.roots.verify import (
    NotCheckableError,
    believed_keys,
    check_pin,
    check_proof,
    check_roots,
    check_witness,
)
from audit.verify import RECOVERED, Broken, ExportRow, verify_rows

# A head that changed is in a root within minutes; a longer delay is a row that is kept out.
ROOTED_WITHIN: Final = timedelta(hours=1)


class ExportError(Exception):
    """What was given is no whole export. reason: a word of audit/texts/verdicts.json; no value of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ExportLine(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line holds one of these. next: where the next page begins (`after=`)."""

    item: LogItem | None = None
    next: int | None = None
    head: LogHead | None = None
    proof: LogProof | None = None


class Export(Struct, frozen=True, kw_only=True):
    """Rows oldest first. head: what the last page said that the log's end is; None: an empty log."""

    rows: list[ExportRow]
    items: list[LogItem]
    head: Head | None
    proof: LogProof | None


class Gap(Struct, frozen=True, kw_only=True):
    """A restored backup lost the rows from number `first` on; last: of a kept head that is among them, None
    where nobody kept one. What was lost happened between since and until."""

    first: int
    last: int | None
    since: datetime | None
    until: datetime


class Verdict(Struct, frozen=True, kw_only=True):
    """broken: the first thing that does not hold. pin: to keep for the next time, where all holds. masked:
    rows that show an alias; nobody outside can tell which name they are bound to."""

    broken: Broken | None = None
    masked: int = 0
    gaps: list[Gap] = []
    pin: Pin | None = None


def read_export(texts: Sequence[bytes]) -> Export:
    """The pages of one person's log in their order. Raises ExportError."""
    lines = [_line(text) for text in b"\n".join(texts).splitlines() if text.strip()]
    items = [line.item for line in lines if line.item is not None]
    heads = [line.head for line in lines if line.head is not None]
    if items and not heads:
        raise ExportError("export-stops")
    try:
        return Export(
            rows=[_row(item) for item in items],
            items=items,
            head=Head(seq=heads[-1].seq, h=bytes.fromhex(heads[-1].h)) if heads else None,
            proof=next((line.proof for line in reversed(lines) if line.proof), None),
        )
    except (ValueError, RecursionError) as error:
        raise ExportError("export-malformed") from error


def verify_export(
    export: Export,
    pin: Pin | None = None,
    roots: Sequence[AuditRoots] = (),
    witness: str | None = None,
) -> Verdict:
    """Every row whole, in its place and shown as it is, up to the head that the last page names, past the
    pin, and into a published root. Raises NotCheckableError where something is missing that roots need."""
    gaps = gaps_of(export, pin)
    broken = _check_chain(export, pin, gaps)
    if broken is None and roots:
        broken = _check_roots(export, pin, roots, witness, gaps)
    masked = sum(item.actor_alias is not None for item in export.items)
    if broken is not None:
        return Verdict(broken=broken, gaps=gaps, masked=masked)
    return Verdict(gaps=gaps, masked=masked, pin=_next_pin(export, pin, roots))


def gaps_of(export: Export, pin: Pin | None) -> list[Gap]:
    """What restored backups lost, as their rows say. The pin gives the end of the loss that it fell into."""
    gaps = []
    for before, item in zip([None, *export.items], export.items, strict=False):
        if item.action == RECOVERED:
            since = before.at if before else None
            gaps.append(Gap(first=item.seq, last=None, since=since, until=item.at))
    lost = None if pin is None or _passes(export.rows, pin) else _lost_by(gaps, pin)
    return [msgspec.structs.replace(gap, last=pin.seq) if pin and gap is lost else gap for gap in gaps]


def _lost_by(gaps: Sequence[Gap], pin: Pin) -> Gap | None:
    """The restore that took the pinned row: the first one after the pin, as far as the pin says when."""
    kept_at = msgspec.convert(pin.root.at, datetime) if pin.root else None
    after = [gap for gap in gaps if gap.first <= pin.seq and (kept_at is None or gap.until > kept_at)]
    return after[0] if after else None


def _passes(rows: Sequence[ExportRow], pin: Pin) -> bool:
    return any((row.seq, row.h) == (pin.seq, pin.h) for row in rows)


def _check_chain(export: Export, pin: Pin | None, gaps: Sequence[Gap]) -> Broken | None:
    broken = verify_rows(export.rows)
    if broken is not None:
        return broken
    for row, item in zip(export.rows, export.items, strict=True):
        if not _shows(item, row.row):
            return Broken(row.seq, "shown-differs-from-row")
    broken = verify_rows(export.rows, pin=export.head)
    if broken is not None:
        return Broken(broken.at, "head-missing")
    if pin is None or any(gap.last == pin.seq for gap in gaps):
        return None
    return verify_rows(export.rows, pin=pin.head)


def _check_roots(
    export: Export, pin: Pin | None, roots: Sequence[AuditRoots], witness: str | None, gaps: Sequence[Gap]
) -> Broken | None:
    broken = check_roots(roots, pin)
    if broken is not None:
        return broken
    proof = export.proof
    if proof is None:
        raise NotCheckableError("no-proof-yet")
    broken = check_proof(proof, roots) or _check_leaf(export, proof, roots)
    if broken is None and pin is not None:
        broken = check_pin(proof, pin, [gap.until for gap in gaps])
    if broken is None and witness is not None:
        broken = check_witness(proof, roots, witness)
    return broken


def _check_leaf(export: Export, proof: LogProof, roots: Sequence[AuditRoots]) -> Broken | None:
    """The root's head of this log is a row of it, and no older one than it should be."""
    leaf = proof.leaf
    if leaf.seq > len(export.rows):
        return Broken(len(export.rows) + 1, "rooted-row-missing")
    if export.rows[leaf.seq - 1].h != leaf.h:
        return Broken(leaf.seq, "rooted-row-differs")
    due = _rooted_until(export, proof, roots)
    for item in export.items[leaf.seq :]:
        if item.at + ROOTED_WITHIN < due:
            return Broken(item.seq, "row-kept-out-of-root")
    return None


def _rooted_until(export: Export, proof: LogProof, roots: Sequence[AuditRoots]) -> datetime:
    """Rows an hour older than this had their root when the export was made, whichever root the proof names:
    the export is as young as its last row, and a newer root of the log covers what an older one left out."""
    signed = proof.root.root
    published = [one.root.at for document in roots for one in document.roots if one.root.log == signed.log]
    newest = max(msgspec.convert(at, datetime) for at in [signed.at, *published])
    last = export.items[-1].at
    return max(msgspec.convert(signed.at, datetime), min(newest, last))


def _next_pin(export: Export, pin: Pin | None, roots: Sequence[AuditRoots]) -> Pin | None:
    """What was kept, moved on by what was proved: a check without roots takes none of them away."""
    if export.head is None:
        return pin
    kept = msgspec.structs.replace(pin or Pin(seq=0, h=""), seq=export.head.seq, h=export.head.h.hex())
    if not roots or export.proof is None:
        return kept
    return msgspec.structs.replace(
        kept,
        pseudonym=export.proof.leaf.pseudonym,
        root=export.proof.root.root,
        keys=believed_keys(roots, pin),
    )


def _line(text: bytes) -> ExportLine:
    try:
        line = msgspec.json.decode(text, type=ExportLine)
    except (ValueError, RecursionError) as error:
        raise ExportError("no-export-line") from error
    if (line.item, line.next, line.head, line.proof) == (None, None, None, None):
        raise ExportError("no-export-line")
    return line


def _row(item: LogItem) -> ExportRow:
    # A protected practitioner's row comes whole; only what binds it to a name is missing (security.md S27).
    if item.row is None or bool(item.actor_salt) == (item.actor_alias is not None):
        raise ExportError("export-without-proofs")
    bytes.fromhex(item.prev + item.h + item.salt + (item.actor_salt or ""))
    msgspec.json.decode(item.row, type=Entry)
    row: dict[str, Any] = msgspec.json.decode(item.row)
    if rfc8785.dumps(row) != item.row.encode():
        raise ValueError("the text holds more than what is hashed, or holds it twice")
    return ExportRow(
        seq=item.seq,
        row=row,
        prev=item.prev,
        h=item.h,
        salt=item.salt,
        actor_salt=item.actor_salt or "",
        actor_name=item.actor_name,
        actor_licence=item.actor_licence,
    )


def _shows(item: LogItem, row: dict[str, Any]) -> bool:
    entry = msgspec.convert(row, Entry)
    return (
        (item.first_seq, item.times) == (item.seq, 1)
        and item.at == msgspec.convert(entry.at, type(item.at))
        and (item.action, item.outcome, item.reason) == (entry.action, entry.outcome, entry.reason)
        and (item.actor_kind, item.actor_role) == (entry.actor.kind, entry.actor.role)
        and item.is_own == (entry.actor.kind == "citizen" and entry.actor.id == entry.patient_id)
        and (item.on_behalf_of, item.purpose) == (entry.on_behalf_of, entry.purpose)
        and item.grant_id == (entry.grant.id if entry.grant else None)
        and (item.types, item.count) == (list(entry.resources), entry.count)
        and item.request_id == entry.request_id
        and (item.facility_id, item.basis) == (entry.facility_id, entry.basis)
    )
