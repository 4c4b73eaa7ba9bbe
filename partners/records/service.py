"""A partner's record: the groups that were asked for, made of one Access."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from kernel.access import Access
from partners.records import history, person, visits
from partners.records.asked import Asked
from partners.records.models import Record
from store.database import Tx
from store.keys import KeyRing

_encode = msgspec.json.Encoder().encode


class Made(Struct, frozen=True):
    """A record before it is signed: its JSON, and the rows that it shows, for the access log."""

    data: bytes
    shown: list[tuple[str, str]]


async def build(
    tx: Tx, keys: KeyRing, access: Access, asked: Asked, now: datetime, stale_sources: Sequence[str] = ()
) -> Made:
    """Read and make the groups. The caller has seen that the consent holds each of them.

    stale_sources: names of other record systems that were not reached lately. Raises `bad-cursor`.
    """
    assert access.basis == "partner"
    groups, shown = set(asked.groups), list[tuple[str, str]]()
    known = await person.read(tx, keys, access, now) if "administrative" in groups else None
    past = await history.read(tx, access, now) if "history" in groups else None
    page = await visits.read(tx, access, asked, now) if asked.of_visits else None
    for part in (known, past, page):
        shown += part.shown if part is not None else []
    record = Record(
        schema="1",
        administrative=known.administrative if known else None,
        history=past.history if past else None,
        encounters=page.visits if page else None,
        summaries=page.summaries if page else None,
        next=page.next if page else None,
        stale_sources=list(stale_sources),
    )
    return Made(_encode(record), list(dict.fromkeys(shown)))
