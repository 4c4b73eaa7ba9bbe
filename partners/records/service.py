"""A partner's record: the groups that were asked for, made of one Access."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from kernel.access import Access, PartnerGroup
from partners.records import history, person, queries, visits
from partners.records.asked import Asked
from partners.records.models import Record
from partners.records.queries import LifeRow
from partners.records.scope import scope_of_groups
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
    reported, past_rows = await _life(tx, access, groups, now)
    known = await person.read(tx, keys, access, reported, now) if "administrative" in groups else None
    past = history.history_of(past_rows) if "history" in groups else None
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


async def _life(
    tx: Tx, access: Access, asked: set[PartnerGroup], now: datetime
) -> tuple[list[LifeRow], list[LifeRow]]:
    """What facilities reported of the person, and what the history is made of; one statement."""
    groups = sorted(asked & {"administrative", "history"})
    if not groups:
        return [], []
    scope = scope_of_groups(access, groups, now)
    rows = await queries.LIFE.all(tx, *scope, "history" in groups, "administrative" in groups)
    return [row for row in rows if row.section is None], [row for row in rows if row.section is not None]
