"""An exported log as `GET /v1/me/access-log?proofs=true` gives it: pages in the order they were read,
each newest row first. Read and verified offline.

What a page shows of a row is compared with what the chain covers. The sentence (`line`) and the
facility's name are put together for people and are not covered.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import rfc8785
from msgspec import Struct

from audit.log import AccessLog, LogItem
from audit.models import Entry, Head
from audit.verify import Broken, ExportRow, verify_rows


class ExportError(Exception):
    """What was given is no export with proofs; the text says why, without any value of it."""


class Export(Struct, frozen=True, kw_only=True):
    """Rows oldest first. head: what the newest page said that the log's end is."""

    rows: list[ExportRow]
    items: list[LogItem]
    head: Head | None


def read_export(texts: Sequence[bytes]) -> Export:
    """The pages of one person's log; a text is a page or a list of pages. Raises ExportError."""
    pages = [page for text in texts for page in _pages(text)]
    items = [item for page in pages for item in page.items][::-1]
    head = pages[0].head if pages else None
    try:
        return Export(
            rows=[_row(item) for item in items],
            items=items,
            head=None if head is None else Head(seq=head.seq, h=bytes.fromhex(head.h)),
        )
    except (ValueError, RecursionError) as error:
        raise ExportError("a row or the head is not written as an export writes it") from error


def verify_export(export: Export, pin: Head | None = None) -> Broken | None:
    """None when every row is whole, in its place, and shown as it is; pin: a head kept earlier.

    The export must reach from the first row to the head that its newest page names.
    """
    for head in (export.head, pin):
        broken = verify_rows(export.rows, pin=head)
        if broken is not None:
            return broken
    for row, item in zip(export.rows, export.items, strict=True):
        if not _shows(item, row.row):
            return Broken(row.seq, "shown-differs-from-row")
    return None


def _pages(text: bytes) -> list[AccessLog]:
    try:
        read = msgspec.json.decode(text, type=AccessLog | list[AccessLog])
    except (ValueError, RecursionError) as error:
        raise ExportError("this is no page of an access log") from error
    return read if isinstance(read, list) else [read]


def _row(item: LogItem) -> ExportRow:
    # A protected practitioner's row comes whole; only what binds it to a name is missing (security.md S27).
    if item.row is None or (item.actor_salt is None) != (item.actor_alias is not None):
        raise ExportError("the log was exported without proofs")
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
    )
