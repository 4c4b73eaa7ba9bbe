"""The book by visits, recent first; what belongs to no visit stands under its day."""

from datetime import date, datetime
from itertools import groupby
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ehr.cases.waiting import awaited
from ehr.dates import UNDATED
from ehr.models import EffPrecision
from ehr.reads import queries
from ehr.reads.faces import Copies, copies_of, faced, merged
from ehr.reads.models import Built, Timeline, TimelineEntry
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.pending import pending_of
from ehr.reads.queries import ItemRow, VisitItemRow
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import end_of_day, local_day, start_of_day
from store.database import Tx

TIMELINE_DEFAULT = 20
VISIT_ITEMS_MAX = 30
# Vital signs, surveys and habits have pages of their own and would bury the rest.
SECTIONS = [
    *("problems", "allergies", "medications", "immunizations", "results", "procedures", "imaging"),
    *("documents", "care-plans", "programmes", "devices", "alerts", "pregnancy", "health-checks"),
]
DATE_UNKNOWN_VI = "Không rõ ngày"
Kind: TypeAlias = Literal[
    "encounters",
    "problems",
    "allergies",
    "medications",
    "immunizations",
    "results",
    "procedures",
    "imaging",
    "documents",
]


class Wanted(Struct, frozen=True, kw_only=True):
    """Which part of the timeline. kind: visits alone (encounters), or what belongs to one section and the
    visits that it came from; since, until: days in Vietnam, both included; what has no date is before all."""

    kind: Kind | None = None
    since: date | None = None
    until: date | None = None


ALL = Wanted()


class Dated(Struct, frozen=True):
    """The part of a stored item that titles its entry."""

    title: str
    date: str | None = None
    date_precision: EffPrecision | None = None


dated = msgspec.json.Decoder(Dated).decode


async def read(
    tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime, wanted: Wanted = ALL
) -> Built:
    """A page of visits and of days. Raises `bad-cursor`."""
    size, scope = page_size(limit, TIMELINE_DEFAULT), scope_of(access, now)
    kinds = SECTIONS if wanted.kind is None else [wanted.kind]
    start = position(cursor)
    if wanted.until is not None:
        start = min(start, (end_of_day(wanted.until), ""))
    since = start_of_day(wanted.since) if wanted.since else None
    is_of_kind = wanted.kind not in (None, "encounters")
    found = await queries.TIMELINE_HEADS.all(tx, *scope, *start, kinds, size + 1, since, is_of_kind)
    rows, following = cut(found, size)
    visits = [row.id for row in rows if row.section == "encounters"]
    inside: dict[str, list[VisitItemRow]] = {visit: [] for visit in visits}
    for item in await queries.VISIT_ITEMS.all(tx, *scope, visits, kinds, VISIT_ITEMS_MAX + 1):
        inside[item.encounter_id].append(item)
    in_visits = [item for found in inside.values() for item in found[:VISIT_ITEMS_MAX]]
    copies = await copies_of(tx, access, [*rows, *in_visits], now)
    is_whole = cursor is None and wanted == ALL
    timeline = Timeline(
        items=_entries(rows, inside, copies),
        next=following,
        notice=notice_for(access),
        pending=await pending_of(tx, access, now) if is_whole else [],
        waiting=await awaited(tx, access) if is_whole else [],
    )
    shown = [(row.rtype, row.id) for row in rows] + [(item.rtype, item.id) for item in in_visits]
    return Built(encode(timeline), merged(shown, copies))


def _entries(
    rows: list[ItemRow], by_visit: dict[str, list[VisitItemRow]], copies: Copies
) -> list[TimelineEntry]:
    """Rows in order: each visit by itself, neighbours of one day together."""
    entries: list[TimelineEntry] = []
    for (visit, _), group in groupby(rows, key=_group_key):
        found = list(group)
        entries.append(_visit(found[0], by_visit[visit], copies) if visit else _loose(found, copies))
    return entries


def _group_key(row: ItemRow) -> tuple[str | None, str]:
    if row.section == "encounters":
        return row.id, ""
    return None, _day(row)


def _day(row: ItemRow) -> str:
    """The day in Vietnam, or the partial date as it is: a year is never made into 1 January."""
    if row.sort_at == UNDATED:
        return ""
    said = dated(row.item)
    if said.date is None or said.date_precision != "instant":
        return said.date or ""
    return local_day(row.sort_at).isoformat()


def _visit(row: ItemRow, inside: list[VisitItemRow], copies: Copies) -> TimelineEntry:
    said = dated(row.item)
    return TimelineEntry(
        kind="encounter",
        title=row.main_title or said.title,
        date=said.date,
        encounter=faced(row, copies, main_diagnosis=row.main_title),
        items=[faced(item, copies) for item in inside[:VISIT_ITEMS_MAX]],
        more=len(inside) > VISIT_ITEMS_MAX,
    )


def _loose(rows: list[ItemRow], copies: Copies) -> TimelineEntry:
    day = _day(rows[0])
    return TimelineEntry(
        kind="day" if day else "undated",
        title=day or DATE_UNKNOWN_VI,
        date=day or None,
        encounter=None,
        items=[faced(row, copies) for row in rows],
        more=False,
    )
