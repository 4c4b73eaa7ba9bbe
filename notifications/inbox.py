"""The inbox: every notice a person got, also what push lost."""

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

import msgspec
from msgspec import Struct

from kernel.paging import decode_cursor, encode_cursor
from notifications import queries
from notifications.models import InboxRow, NotificationType
from store.database import Tx

_NEWEST = UUID(int=2**128 - 1)


class Text(Struct, frozen=True):
    title: str
    text: str


class InboxItem(Struct, frozen=True, kw_only=True):
    """One notice. id: also of its push. ref: ids that the app opens, e.g. request_id."""

    id: UUID
    type: NotificationType
    title: str
    text: str
    created_at: datetime
    ref: dict[str, str]


class InboxPage(Struct, frozen=True, kw_only=True):
    items: list[InboxItem]
    next: str | None


async def read_inbox(
    tx: Tx,
    patient_id: UUID,
    types: frozenset[NotificationType] | None = None,
    *,
    cursor: str | None,
    limit: int,
    hotline: str,
) -> InboxPage:
    """Newest first. types: None means every type. hotline: the number to call. Raises `bad-cursor`."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else _NEWEST
    rows = await queries.INBOX.all(
        tx, patient_id, before, limit + 1, None if types is None else sorted(types)
    )
    shown = rows[:limit]
    following = encode_cursor(str(shown[-1].notification_id)) if len(rows) > limit else None
    return InboxPage(items=[_item(row, hotline) for row in shown], next=following)


async def unread_about(tx: Tx, patient_id: UUID, now: datetime) -> dict[UUID, int]:
    """How many notices about others were not opened in somebody's own inbox, by whom they are about."""
    return {UUID(row.about): row.unread for row in await queries.UNREAD_ABOUT.all(tx, patient_id, now)}


def _item(row: InboxRow, hotline: str) -> InboxItem:
    said = text_of(row.type, hotline)
    return InboxItem(
        id=row.notification_id,
        type=row.type,
        title=said.title,
        text=said.text,
        created_at=row.created_at,
        ref=msgspec.json.decode(row.ref, type=dict[str, str]),
    )


def text_of(type_: NotificationType, hotline: str) -> Text:
    """The constant words of a type; they take no parameter but the installation's number to call."""
    said = _texts()[type_]
    return Text(title=said.title, text=said.text.replace("{hotline}", hotline))


@cache
def _texts() -> dict[str, Text]:
    raw = json.loads(files("notifications").joinpath("texts/vi.json").read_bytes())
    return msgspec.convert(raw, dict[str, Text])
