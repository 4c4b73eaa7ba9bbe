"""Single records as they were sent, to be looked through, and deleted by their ids."""

from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.paging import decode_cursor, encode_cursor
from store.database import Tx
from vitals.kinds import BY_NUMBER, CTX_BY_NUMBER
from vitals.reads import queries
from vitals.reads.models import Reading, Readings
from vitals.reads.queries import HeadRow, SampleRow
from vitals.reads.shown import (
    as_sent,
    at_zone,
    beside,
    kind_named,
    numbered,
    source_shown,
    sources_of,
    title_of,
    unit_name,
)
from vitals.sight import sight_of

_NOBODY: Final = UUID(int=(1 << 128) - 1)


class Page(NamedTuple):
    """[since, until), and after which record: `next` of the page before."""

    since: datetime
    until: datetime
    cursor: str | None
    limit: int


async def read(tx: Tx, access: Access, name: str, page: Page) -> Built:
    """The records of one kind, newest first. Raises vital-kind-unknown and bad-cursor."""
    kind = kind_named(name)
    sight = sight_of(access)
    seen = sight and sight.within(page.since, page.until)
    after = decode_cursor(page.cursor, tuple[datetime, UUID]) if page.cursor else (page.until, _NOBODY)
    rows: list[SampleRow | HeadRow] = []
    for place, person in enumerate(seen.people if seen else ()):
        assert seen is not None
        asked = (person, kind.number, seen.since, seen.until, page.limit + 1, *after)
        rows += numbered(place, await queries.SAMPLES.all(tx, *asked))
        if kind.is_series:
            rows += numbered(place, await queries.SERIES_HEADS.all(tx, *asked))
    rows.sort(key=lambda row: (row.t, row.id), reverse=True)
    items = [_reading(row) for row in islice(rows, page.limit)]
    more = len(rows) > page.limit
    body = Readings(
        kind=kind.name,
        title_vi=title_of(kind),
        items=items,
        next=_next(rows[page.limit - 1]) if more else None,
        sources=[source_shown(row) for row in (await sources_of(tx, seen)).values()]
        if seen and items
        else [],
        beside=beside(access),
    )
    return Built(encode(body), [("Observation", str(one.id)) for one in items])


def _next(row: SampleRow | HeadRow) -> str:
    return encode_cursor(row.t.isoformat(), str(row.id))


def _reading(row: SampleRow | HeadRow) -> Reading:
    kind, z = BY_NUMBER[row.kind], row.z
    unit = unit_name(kind, row.unit)
    ctx = None if row.ctx is None else CTX_BY_NUMBER[row.ctx]
    if isinstance(row, HeadRow):
        return Reading(
            id=row.id,
            at=at_zone(row.t, z),
            end=at_zone(row.t1, z),
            unit=unit,
            source_id=row.source_id,
            ctx=ctx,
            n=row.n,
            min=as_sent(kind, row.v_min, row.unit),
            max=as_sent(kind, row.v_max, row.unit),
        )
    return Reading(
        id=row.id,
        at=at_zone(row.t, z),
        end=None if row.end_t is None else at_zone(row.end_t, z),
        unit=unit,
        source_id=row.source_id,
        ctx=ctx,
        value=as_sent(kind, row.v, row.unit),
        value2=None if row.v2 is None else as_sent(kind, row.v2, row.unit),
        duplicate=row.is_duplicate,
    )
