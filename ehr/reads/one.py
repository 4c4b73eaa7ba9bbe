"""One visit or one result by its id. What the reader may not see is not there."""

from datetime import datetime

from ehr.models import Section
from ehr.reads import queries
from ehr.reads.faces import copies_of, faced, merged
from ehr.reads.models import Built, OneResult, OneVisit
from ehr.reads.notices import notice_for
from ehr.reads.problems import NO_SUCH_ENTRY
from ehr.reads.queries import ItemRow
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from ehr.reads.timeline import SECTIONS, dated
from kernel.access import Access
from kernel.problems import refuse
from store.database import Tx

# A long stay in hospital; the lists of each section hold the rest.
ITEMS_MAX = 200


async def visit(tx: Tx, access: Access, ident: str, now: datetime) -> Built:
    """One visit with what belongs to it. Raises `no-such-entry`."""
    row = await _entry(tx, access, "encounters", ident, now)
    scope = scope_of(access, now)
    found = await queries.VISIT_ITEMS.all(tx, *scope, [row.id], SECTIONS, ITEMS_MAX + 1)
    inside = found[:ITEMS_MAX]
    copies = await copies_of(tx, access, [row, *inside], now)
    said = dated(row.item)
    one = OneVisit(
        title=row.main_title or said.title,
        date=said.date,
        encounter=faced(row, copies, main_diagnosis=row.main_title),
        items=[faced(item, copies) for item in inside],
        more=len(found) > ITEMS_MAX,
        notice=notice_for(access),
    )
    shown = [(row.rtype, row.id)] + [(item.rtype, item.id) for item in inside]
    return Built(encode(one), merged(shown, copies))


async def result(tx: Tx, access: Access, ident: str, now: datetime) -> Built:
    """One result. Raises `no-such-entry`."""
    row = await _entry(tx, access, "results", ident, now)
    copies = await copies_of(tx, access, [row], now)
    one = OneResult(result=faced(row, copies), notice=notice_for(access))
    return Built(encode(one), merged([(row.rtype, row.id)], copies))


async def _entry(tx: Tx, access: Access, section: Section, ident: str, now: datetime) -> ItemRow:
    found = await queries.ONE_ENTRY.one(tx, *scope_of(access, now), section, ident)
    return found or refuse(NO_SUCH_ENTRY)
