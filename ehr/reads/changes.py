"""What changed since a cursor: items as the sections show them, and what is gone.

Numbers come from the head's lock, so a reader never passes one that appears later. The cursor is sealed: no
number of the record leaves, and it opens for this person and this reader's sight alone. When the sight itself
changed (another consent, a merge, views made anew), the cursor ends and the app loads anew.
"""

import base64
import binascii
import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from ehr.displays import DISPLAY_VERSION
from ehr.models import Section
from ehr.reads import queries
from ehr.reads.faces import NO_COPIES, copies_of, faced, merged
from ehr.reads.models import Built, Change, ChangePage, Removed
from ehr.reads.problems import CURSOR_EXPIRED
from ehr.reads.queries import ChangeRow, Head, NegativeRow, head_of
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.paging import BAD_CURSOR
from kernel.problems import refuse
from store.database import Tx
from store.fields import FieldSealError, seal, unseal
from store.keys import KeyRing

PAGE_DEFAULT = 200
PAGE_MAX = 500
CURSOR_LIFE = timedelta(days=90)


class _Cursor(Struct, array_like=True):
    """position: read up to here; whole: the position when everything was last read; sight: of which reader;
    negatives: which 'none known' were shown; made_at: seconds."""

    position: int
    whole: int
    sight: str
    negatives: str
    made_at: int


_decode = msgspec.json.Decoder(_Cursor).decode


async def read(
    tx: Tx, keys: KeyRing, access: Access, since: str | None, limit: int | None, now: datetime
) -> Built:
    """A page of changes; since None loads everything. Raises `cursor-expired` and `bad-cursor`."""
    size, scope = min(limit or PAGE_DEFAULT, PAGE_MAX), scope_of(access, now)
    # Read before the rows: everything up to this number is there for the next statement.
    head = await head_of(tx, access.patient_id)
    cursor = _start(access, head, now) if since is None else _open(keys, access, since, head, now)
    found = await queries.CHANGES.all(tx, *scope, cursor.position, cursor.whole, size + 1)
    rows, has_more = found[:size], len(found) > size
    negatives = [] if has_more else await queries.NEGATIVES.all(tx, *scope)
    told = [row for row in negatives if _shown(negatives) != cursor.negatives or since is None]
    copies = await copies_of(tx, access, rows, now)
    items = [_change(row, faced(row, copies, main_diagnosis=row.main_title, text=row.body)) for row in rows]
    items += [_change(row, faced(row, NO_COPIES)) for row in told]
    both: list[ChangeRow | NegativeRow] = [*rows, *told]
    page = ChangePage(
        items=[item for item, row in zip(items, both, strict=True) if row.is_shown],
        removed=[Removed(kind=row.rtype, id=row.id) for row in both if not row.is_shown and since],
        cursor=_seal(keys, access, _next(cursor, rows, negatives, head, now, has_more=has_more)),
        has_more=has_more,
    )
    return Built(encode(page), merged([(row.rtype, row.id) for row in both if row.is_shown], copies))


def _change(row: ChangeRow | NegativeRow, item: msgspec.Struct) -> Change:
    section: Section = row.section or "other"  # type: ignore[assignment]
    return Change(section=section, encounter_id=row.encounter_id, item=item)  # type: ignore[arg-type]


def _next(
    cursor: _Cursor,
    rows: list[ChangeRow],
    negatives: list[NegativeRow],
    head: Head,
    now: datetime,
    *,
    has_more: bool,
) -> _Cursor:
    last = rows[-1].seq if rows else cursor.position
    made_at = int(now.timestamp())
    if has_more:
        return _Cursor(last, cursor.whole, cursor.sight, cursor.negatives, made_at)
    position = max(last, head.head_seq, cursor.position)
    return _Cursor(position, position, cursor.sight, _shown(negatives), made_at)


def _start(access: Access, head: Head, now: datetime) -> _Cursor:
    return _Cursor(0, head.head_seq, _sight(access, head), "", int(now.timestamp()))


def _shown(negatives: list[NegativeRow]) -> str:
    names = sorted(f"{row.rtype}/{row.id}" for row in negatives if row.is_shown)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16] if names else ""


def _sight(access: Access, head: Head) -> str:
    """What the reader may see, and from which views: 128 bits of it."""
    parts = [
        access.basis,
        str(access.basis_id),
        str(None if access.types is None else sorted(access.types)),
        f"{access.since}-{access.until}-{int(access.withheld_labels)}",
        str(sorted(access.origins)),
        # A head that never moved has no views behind it.
        f"{DISPLAY_VERSION}.{head.item_version if head.head_seq else DISPLAY_VERSION}",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _seal(keys: KeyRing, access: Access, cursor: _Cursor) -> str:
    text = msgspec.json.encode(cursor).decode()
    sealed = seal(keys, access.patient_id, "ehr_resource", "changes", text)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _open(keys: KeyRing, access: Access, since: str, head: Head, now: datetime) -> _Cursor:
    try:
        sealed = base64.urlsafe_b64decode(since.encode() + b"=" * (-len(since) % 4))
        cursor = _decode(unseal(keys, access.patient_id, "ehr_resource", "changes", sealed))
    except (FieldSealError, ValueError, binascii.Error, msgspec.MsgspecError):
        refuse(BAD_CURSOR, "since")
    is_old = now.timestamp() - cursor.made_at > CURSOR_LIFE.total_seconds()
    # A position behind the head's is of a database that was put back since.
    if is_old or cursor.sight != _sight(access, head) or cursor.position > head.head_seq:
        refuse(CURSOR_EXPIRED, "since")
    return cursor
