"""Search by words without tone marks: 'tieu duong' finds 'Đái tháo đường' by its other name."""

from datetime import datetime

from ehr.reads import queries
from ehr.reads.faces import copies_of, faced, merged
from ehr.reads.models import Built, Page
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.text import fold
from store.database import Tx

WORDS_MAX = 8
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


async def read(
    tx: Tx, access: Access, text: str, cursor: str | None, limit: int | None, now: datetime
) -> Built:
    """Items whose names hold every word, newest first. Raises `bad-cursor`."""
    size, words = page_size(limit), patterns(text)
    arguments = (*scope_of(access, now), words, *position(cursor), size + 1)
    found = await queries.SEARCH_PAGE.all(tx, *arguments) if words else []
    rows, following = cut(found, size)
    copies = await copies_of(tx, access, rows, now)
    items = [faced(row, copies, main_diagnosis=row.main_title) for row in rows]
    page = Page(items=items, next=following, notice=notice_for(access))
    return Built(encode(page), merged([(row.rtype, row.id) for row in rows], copies))


def patterns(text: str) -> list[str]:
    """LIKE patterns, one per word; wildcards of the searcher are letters."""
    return [f"%{word.translate(_ESCAPED)}%" for word in fold(text).split()[:WORDS_MAX]]
