"""A search or a read of one type, of one Access: the filter first, then what was asked, then counting."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from ehr.exports.queries import KeptRow
from ehr.exports.references import COMPANIONS, referred_ids
from ehr.reads.models import Built
from ehr.reads.paging import position
from ehr.reads.scope import Scope, scope_of
from identity.people import person_card
from kernel.access import Access, RecordType
from kernel.paging import decode_cursor, encode_cursor
from kernel.problems import refuse
from partners.fhir import queries
from partners.fhir.aliases import Aliases
from partners.fhir.documents import Documents, is_identifier, is_person, patient_document
from partners.fhir.kinds import KINDS, PATIENT
from partners.fhir.problems import FHIR_PARAMETER, FHIR_TOO_COSTLY, FHIR_UNKNOWN
from partners.fhir.queries import BYTES_MAX, CANDIDATES_MAX, EntryRow
from partners.fhir.searching import Search, matches
from store.database import Tx
from store.keys import KeyRing

_HOPS: Final = 2
# The kind that doctors, places and products are kept as.
_BESIDE: Final = "Other"
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
Page: TypeAlias = tuple[list[EntryRow], int, bool]
_encode: Final = msgspec.json.Encoder().encode


class Reader(Struct, frozen=True, kw_only=True):
    """Who reads. subject: what the app calls the person; base: the endpoint's address; readable: every kind
    of entry that the token lets read, so that references lead to nothing else."""

    access: Access
    subject: str
    base: str
    readable: frozenset[RecordType]
    now: datetime


async def search(
    tx: Tx, keys: KeyRing, reader: Reader, rtype: str, kinds: frozenset[RecordType], asked: Search
) -> Built:
    """A page as a searchset. kinds: those that the token lets search. Raises fhir-parameter, fhir-too-costly,
    bad-cursor, fhir-not-found for another person's."""
    aliases = Aliases.of(keys, reader.access.actor.actor_id, reader.access.patient_id)
    # An empty list would say that somebody has no allergies.
    if not all(is_person(one, reader.subject, reader.base) for one in asked.people):
        refuse(FHIR_UNKNOWN, "patient")
    rows, total, more = await _found(tx, reader, aliases, rtype, kinds, asked)
    documents = await _documents(tx, reader, aliases, rows)
    resources = [documents.document(row) for row in rows]
    following = None
    if more and rows:
        last = rows[-1]
        place = (last.sort_at - _EPOCH) // (_EPOCH.resolution)
        following = encode_cursor(place, aliases.alias(last.id))
    shown = [(row.rtype, row.id) for row in rows] + sorted(documents.used)
    return Built(_encode(_bundle(reader.base, rtype, asked, resources, total, following)), shown)


async def read(
    tx: Tx, keys: KeyRing, reader: Reader, rtype: str, kinds: frozenset[RecordType], alias: str
) -> Built:
    """One resource. What the Access does not let out does not exist. Raises fhir-not-found."""
    aliases = Aliases.of(keys, reader.access.actor.actor_id, reader.access.patient_id)
    ident = aliases.ident(alias)
    named = [] if ident is None else [ident]
    found = await queries.NAMED.all(tx, *_scope(reader, kinds), named, [rtype])
    if not found:
        refuse(FHIR_UNKNOWN)
    documents = await _documents(tx, reader, aliases, found)
    body = _encode(documents.document(found[0]))
    return Built(body, [(rtype, found[0].id), *sorted(documents.used)])


async def read_person(tx: Tx, keys: KeyRing, reader: Reader, alias: str) -> Built:
    """The Patient. Raises fhir-not-found for every other id."""
    if alias != reader.subject:
        refuse(FHIR_UNKNOWN)
    return Built(_encode(await _person(tx, keys, reader)), [_shown(reader)])


async def search_person(tx: Tx, keys: KeyRing, reader: Reader, asked: Search) -> Built:
    """The one Patient there is, or nobody."""
    is_it = (asked.ids is None or reader.subject in asked.ids) and all(
        is_identifier(one, reader.subject) for one in asked.people
    )
    wanted = is_it and asked.count > 0
    resources = [await _person(tx, keys, reader)] if wanted else []
    body = _bundle(reader.base, PATIENT, asked, resources, int(is_it), None)
    return Built(_encode(body), [_shown(reader)] if wanted else [])


async def _person(tx: Tx, keys: KeyRing, reader: Reader) -> dict[str, Any]:
    card = await person_card(tx, keys, reader.access.patient_id)
    if card is None:
        return patient_document(reader.subject, None, None, None)
    return patient_document(reader.subject, card.name, card.birth_date, card.sex)


def _shown(reader: Reader) -> tuple[str, str]:
    return PATIENT, str(reader.access.patient_id)


def _scope(reader: Reader, kinds: frozenset[RecordType], *others: str) -> Scope:
    """$1-$9 of the one filter, with no more types than the consent has."""
    patient_id, labels, types, *rest = scope_of(reader.access, reader.now)
    kept = kinds if types is None else kinds.intersection(types)
    return patient_id, labels, [*sorted(kept), *others], *rest  # type: ignore[return-value]


async def _found(
    tx: Tx,
    reader: Reader,
    aliases: Aliases,
    rtype: str,
    kinds: frozenset[RecordType],
    asked: Search,
) -> Page:
    ids = None if asked.ids is None else [one for one in map(aliases.ident, asked.ids) if one]
    dates = ([d.op for d in asked.dates], [d.lo for d in asked.dates], [d.hi for d in asked.dates])
    arguments = (*_scope(reader, kinds), rtype, ids, *dates)
    place = _position(asked.cursor, aliases)
    if asked.is_dear:
        size = await queries.SIZE.one(tx, *arguments)
        if size is None or size.entries > CANDIDATES_MAX or size.bytes > BYTES_MAX:
            refuse(FHIR_TOO_COSTLY)
        candidates = await queries.CANDIDATES.all(tx, *arguments)
        rows = await asyncio.to_thread(_answering, asked, candidates)
        after = [row for row in rows if (row.sort_at, row.id) < place]
        return after[: asked.count], len(rows), len(after) > asked.count
    total = await queries.COUNT.one(tx, *arguments) or 0
    page = await queries.PAGE.all(tx, *arguments, *place, asked.count + 1)
    return page[: asked.count], total, len(page) > asked.count


def _answering(asked: Search, candidates: list[EntryRow]) -> list[EntryRow]:
    return [row for row in candidates if matches(asked, row.doc, row.record_type)]


def _position(cursor: str | None, aliases: Aliases) -> tuple[datetime, str]:
    if cursor is None:
        return position(None)
    place, alias = decode_cursor(cursor, tuple[int, str])
    ident = aliases.ident(alias)
    if ident is None:
        refuse(FHIR_PARAMETER, "_cursor")
    return position(encode_cursor(place, ident))


async def _documents(tx: Tx, reader: Reader, aliases: Aliases, rows: Sequence[EntryRow]) -> Documents:
    """With what the rows point at: other entries as references, doctors, places and products inside."""
    scope = _scope(reader, reader.readable, _BESIDE)
    types = [*KINDS, *COMPANIONS]
    known = {row.id for row in rows}
    named: list[EntryRow] = []
    frontier = list(rows)
    for _ in range(_HOPS):
        wanted = set().union(*(_referred(row) for row in frontier)) - known
        found = await queries.NAMED.all(tx, *scope, sorted(wanted), types) if wanted else []
        known |= {row.id for row in found}
        named += found
        frontier = [row for row in found if row.rtype in COMPANIONS]
    return Documents(aliases, reader.subject, rows, named)


def _referred(row: EntryRow) -> set[str]:
    return referred_ids(KeptRow(row.rtype, row.id, row.source_id, row.section, row.updated, row.doc))


def _bundle(
    base: str,
    rtype: str,
    asked: Search,
    resources: list[dict[str, Any]],
    total: int,
    following: str | None,
) -> dict[str, Any]:
    place = () if asked.cursor is None else (("_cursor", asked.cursor),)
    links = [{"relation": "self", "url": _address(base, rtype, (*asked.pairs, *place))}]
    if following is not None:
        links.append(
            {"relation": "next", "url": _address(base, rtype, (*asked.pairs, ("_cursor", following)))}
        )
    entries = [
        {
            "fullUrl": f"{base}/{rtype}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    # A list that is empty is left out in FHIR.
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": links,
        **({"entry": entries} if entries else {}),
    }


def _address(base: str, rtype: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{base}/{rtype}?{urlencode(pairs)}" if pairs else f"{base}/{rtype}"
