"""What is added to stored items when they are read: marks, and the senders of copies."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from ehr.models import DoneElsewhere, Item, ItemSource, Verdict
from ehr.reads import queries
from ehr.reads.raw import as_item, with_fields
from ehr.reads.scope import scope_of
from kernel.access import Access
from store.database import Tx

Sources = dict[bytes, list[ItemSource]]
_FIELDS = {"hidden": "hidden", "not-yet-released": "not_yet_released", "disputed": "disputed"}


class Faced(Protocol):
    """A row of a read: its item, its mark and the key of its copies."""

    @property
    def item(self) -> str: ...
    @property
    def mark(self) -> str | None: ...
    @property
    def fold(self) -> bytes | None: ...


class _Dated(msgspec.Struct, frozen=True):
    date: str | None = None


class _Seen(msgspec.Struct, frozen=True):
    """A verdict as it is stored: the item of a VerificationResult."""

    status: str
    date: str | None = None
    recorded_by: str | None = None
    facility_name: str | None = None
    text: str | None = None


_seen = msgspec.json.Decoder(_Seen).decode
_dated = msgspec.json.Decoder(_Dated).decode


class Copies(msgspec.Struct, frozen=True):
    """The senders by fold, and the rows that were looked at for it."""

    sources: Sources
    shown: list[tuple[str, str]]


NO_COPIES = Copies({}, [])


async def copies_of(tx: Tx, access: Access, rows: Sequence[Faced], now: datetime) -> Copies:
    """The senders of the items that have copies the reader may see too. No statement where none has."""
    folds = sorted({row.fold for row in rows if row.fold is not None})
    if not folds:
        return NO_COPIES
    sources: Sources = defaultdict(list)
    found = await queries.SOURCES.all(tx, *scope_of(access, now), folds)
    for row in found:
        assert row.fold is not None
        source = ItemSource(facility_name=row.facility_name, date=_dated(row.item).date)
        if source not in sources[row.fold]:
            sources[row.fold].append(source)
    shared = {fold: senders for fold, senders in sources.items() if len(senders) > 1}
    return Copies(shared, [(row.rtype, row.id) for row in found if row.fold in shared])


def marks_of(mark: str | None) -> frozenset[str]:
    """The words of a row's mark."""
    return frozenset((mark or "").partition("\n")[0].split())


def verdict_of(mark: str | None) -> Verdict | None:
    """What a doctor said of a declared entry; None of every other one."""
    told = (mark or "").partition("\n")[2]
    if not told:
        return None
    seen = _seen(told)
    return Verdict(
        outcome="refuted" if seen.status == "val-fail" else "confirmed",
        date=seen.date,
        doctor=seen.recorded_by,
        facility_name=seen.facility_name,
        note=seen.text,
    )


def faced(
    row: Faced,
    copies: Copies,
    main_diagnosis: str | None = None,
    text: str | None = None,
    done_elsewhere: DoneElsewhere | None = None,
) -> Item:
    """The stored item with its mark, its senders and whatever else a view adds; None adds nothing."""
    plain = row.mark is None and row.fold is None and done_elsewhere is None
    if plain and main_diagnosis is None and text is None:
        return as_item(row.item)
    senders = copies.sources.get(row.fold) if row.fold is not None else None
    extra: dict[str, object] = {
        "main_diagnosis": main_diagnosis,
        "text": text,
        "done_elsewhere": done_elsewhere,
        "sources": senders,
        "verdict": verdict_of(row.mark),
        **_fields(marks_of(row.mark)),
    }
    extra = {name: value for name, value in extra.items() if value is not None}
    return with_fields(row.item, extra) if extra else as_item(row.item)


def _fields(marks: Iterable[str]) -> dict[str, object]:
    """Marks as fields of the item: `hidden`, `partly:2026-11-22`."""
    fields: dict[str, object] = {}
    for mark in sorted(marks):
        name, _, day = mark.partition(":")
        fields |= {"dispensed": name, "last_dispensed": day} if day else {_FIELDS[name]: True}
    return fields


def merged(shown: list[tuple[str, str]], copies: Copies) -> list[tuple[str, str]]:
    """What an answer shows, each row once."""
    if not copies.shown:
        return shown
    return list(dict.fromkeys([*shown, *copies.shown]))
