"""Where the rows of a case stand: in the person's own book or, after a merge, in the survivor's (S10).

A case stays with the person it was opened for; whoever sees that person's rows sees it.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.cases import queries
from ehr.cases.models import CaseRow
from ehr.cases.queries import BookRow, CaseKey
from ehr.merges.service import mark_of
from ehr.store import touch_head
from store.database import Tx

# Merges of merged persons; a chain ends somewhere.
_HOPS_MAX: Final = 10


class Book(Struct, frozen=True):
    """mark: what an id may have got behind it when its row came to this book."""

    patient_id: UUID
    mark: str = ""


async def lock_book(tx: Tx, patient_id: UUID, now: datetime) -> Book:
    """Lock the heads on the way, the person's first, and move their numbers: what is shown changes."""
    await touch_head(tx, patient_id, now)
    book = await book_of(tx, patient_id)
    if book.patient_id != patient_id:
        await touch_head(tx, book.patient_id, now)
    return book


async def book_of(tx: Tx, patient_id: UUID) -> Book:
    """The same without a lock."""
    found = patient_id
    for _ in range(_HOPS_MAX):
        following = await queries.MOVED_TO.one(tx, found)
        if following is None:
            break
        found = following
    return Book(patient_id) if found == patient_id else Book(found, mark_of(patient_id))


async def rows_of_case(tx: Tx, case: CaseRow, book: Book) -> list[BookRow]:
    """What a case is about, as it stands in the book."""
    return await _in_book(tx, book, await queries.KEYS_OF_CASE.all(tx, case.patient_id, case.case_id))


async def free_rows(tx: Tx, case: CaseRow, book: Book) -> list[BookRow]:
    """Of those the disputed ones that nothing but this case holds back."""
    keys = await queries.FREE_KEYS.all(tx, case.patient_id, case.case_id)
    return [row for row in await _in_book(tx, book, keys) if row.is_disputed]


async def _in_book(tx: Tx, book: Book, keys: list[CaseKey]) -> list[BookRow]:
    names = [key.rtype for key in keys], [key.id for key in keys]
    return await queries.BOOK_ROWS.all(tx, book.patient_id, *names, book.mark)
