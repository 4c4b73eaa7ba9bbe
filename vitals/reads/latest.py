"""The newest value of each kind."""

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from store.database import Tx
from vitals.kinds import BY_NUMBER, CTX_BY_NUMBER, loinc_of
from vitals.reads import queries
from vitals.reads.models import Latest, LatestValue
from vitals.reads.queries import LatestRow, SourceRow
from vitals.reads.shown import as_sent, at_zone, beside, numbered, source_shown, title_of, unit_name
from vitals.sight import sight_of


async def read(tx: Tx, access: Access) -> Built:
    """Of merged persons the newer value of a kind counts."""
    sight = sight_of(access)
    newest: dict[int, tuple[LatestRow, SourceRow]] = {}
    for place, person in enumerate(sight.people if sight else ()):
        assert sight is not None
        rows = numbered(place, await queries.LATEST.all(tx, person, sight.since, sight.until))
        known = numbered(place, await queries.SOURCES.all(tx, person)) if rows else ()
        sources = {row.source_id: row for row in known}
        for row in rows:
            held = newest.get(row.kind)
            if held is None or held[0].t < row.t:
                newest[row.kind] = row, sources[row.source_id]
    items = [_value(*newest[number]) for number in sorted(newest)]
    body = Latest(items=items, beside=beside(access))
    return Built(encode(body), [("Observation", str(one.id)) for one in items])


def _value(row: LatestRow, source: SourceRow) -> LatestValue:
    kind = BY_NUMBER[row.kind]
    return LatestValue(
        kind=kind.name,
        title_vi=title_of(kind),
        at=at_zone(row.t, row.z),
        value=as_sent(kind, row.v, row.unit),
        value2=None if row.v2 is None else as_sent(kind, row.v2, row.unit),
        unit=unit_name(kind, row.unit),
        ctx=None if row.ctx is None else CTX_BY_NUMBER[row.ctx],
        loinc=loinc_of(kind, source.kind),
        id=row.id,
        source=source_shown(source),
    )
