"""One section at a time, newest first."""

from datetime import datetime

from ehr.models import Section
from ehr.reads import queries
from ehr.reads.faces import NO_COPIES, Copies, copies_of, faced, merged
from ehr.reads.models import Built, Page, Visit, VisitPage
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.queries import ItemRow, VisitItemRow
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from store.database import Tx

VISIT_PARTS = ["problems", "care-plans"]
VISIT_PARTS_MAX = 40
_DOCUMENT_SECTIONS = frozenset({"imaging", "documents"})
# Texts make a page of documents heavy.
DOCUMENTS_DEFAULT = 20


async def read(
    tx: Tx, access: Access, section: Section, cursor: str | None, limit: int | None, now: datetime
) -> Built:
    """A page of one section. Raises `bad-cursor`."""
    if section == "encounters":
        return await _visits(tx, access, cursor, limit, now)
    if section in _DOCUMENT_SECTIONS:
        return await _documents(tx, access, section, cursor, limit, now)
    size = page_size(limit)
    found = await queries.SECTION_PAGE.all(tx, *scope_of(access, now), section, *position(cursor), size + 1)
    rows, following = cut(found, size)
    copies = await copies_of(tx, access, rows, now)
    items = [faced(row, copies) for row in rows]
    page = Page(items=items, next=following, notice=notice_for(access))
    return Built(encode(page), merged([(row.rtype, row.id) for row in rows], copies))


async def _documents(
    tx: Tx, access: Access, section: Section, cursor: str | None, limit: int | None, now: datetime
) -> Built:
    size = page_size(limit, DOCUMENTS_DEFAULT)
    found = await queries.DOCUMENT_PAGE.all(tx, *scope_of(access, now), section, *position(cursor), size + 1)
    rows, following = cut(found, size)
    items = [faced(row, NO_COPIES, text=row.body) for row in rows]
    page = Page(items=items, next=following, notice=notice_for(access))
    return Built(encode(page), [(row.rtype, row.id) for row in rows])


async def _visits(tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime) -> Built:
    size, scope = page_size(limit), scope_of(access, now)
    found = await queries.SECTION_PAGE.all(tx, *scope, "encounters", *position(cursor), size + 1)
    rows, following = cut(found, size)
    inside = await queries.VISIT_ITEMS.all(tx, *scope, [row.id for row in rows], VISIT_PARTS, VISIT_PARTS_MAX)
    copies = await copies_of(tx, access, inside, now)
    visits = [_visit(row, [i for i in inside if i.encounter_id == row.id], copies) for row in rows]
    page = VisitPage(items=visits, next=following, notice=notice_for(access))
    shown = [(row.rtype, row.id) for row in rows] + [(row.rtype, row.id) for row in inside]
    return Built(encode(page), merged(shown, copies))


def _visit(row: ItemRow, inside: list[VisitItemRow], copies: Copies) -> Visit:
    return Visit(
        encounter=faced(row, copies, main_diagnosis=row.main_title),
        diagnoses=[faced(i, copies) for i in inside if i.section == "problems"],
        plans=[faced(i, copies) for i in inside if i.section == "care-plans"],
    )
