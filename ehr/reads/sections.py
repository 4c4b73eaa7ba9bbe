"""One section at a time, newest first."""

from datetime import datetime

from ehr.models import Section
from ehr.reads import queries
from ehr.reads.models import Built, Page, Visit, VisitPage
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.queries import ItemRow, VisitItemRow
from ehr.reads.raw import as_item, encode, with_main_diagnosis, with_text
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
    page = Page(items=[as_item(row.item) for row in rows], next=following, notice=notice_for(access))
    return Built(encode(page), [(row.rtype, row.id) for row in rows])


async def _documents(
    tx: Tx, access: Access, section: Section, cursor: str | None, limit: int | None, now: datetime
) -> Built:
    size = page_size(limit, DOCUMENTS_DEFAULT)
    found = await queries.DOCUMENT_PAGE.all(tx, *scope_of(access, now), section, *position(cursor), size + 1)
    rows, following = cut(found, size)
    items = [with_text(row.item, row.body) for row in rows]
    page = Page(items=items, next=following, notice=notice_for(access))
    return Built(encode(page), [(row.rtype, row.id) for row in rows])


async def _visits(tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime) -> Built:
    size, scope = page_size(limit), scope_of(access, now)
    found = await queries.SECTION_PAGE.all(tx, *scope, "encounters", *position(cursor), size + 1)
    rows, following = cut(found, size)
    inside = await queries.VISIT_ITEMS.all(tx, *scope, [row.id for row in rows], VISIT_PARTS, VISIT_PARTS_MAX)
    visits = [_visit(row, [i for i in inside if i.encounter_id == row.id]) for row in rows]
    page = VisitPage(items=visits, next=following, notice=notice_for(access))
    shown = [(row.rtype, row.id) for row in rows] + [(row.rtype, row.id) for row in inside]
    return Built(encode(page), shown)


def _visit(row: ItemRow, inside: list[VisitItemRow]) -> Visit:
    return Visit(
        encounter=with_main_diagnosis(row),
        diagnoses=[as_item(i.item) for i in inside if i.section == "problems"],
        plans=[as_item(i.item) for i in inside if i.section == "care-plans"],
    )
