"""The person's own access log: who looked, where, when, at what, under which grant, in plain words.

Own reads, batches of measurements that a phone sends by itself, and what somebody else read to make one page
of ours are folded into one line where nothing else lies between them. Every row carries its place in the
chain; with `proofs` the rows come whole and unfolded, so that an app or anybody else can verify them. A
protected practitioner stands under an alias, and what would bind the row to the name stays here (security.md
S27).
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Annotated, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from audit import queries
from audit.models import Entry, LogRow
from audit.protection.models import Shown
from audit.protection.service import shown
from kernel.access import Access
from kernel.clock import end_of_day, start_of_day
from kernel.paging import decode_cursor, encode_cursor
from store.database import Tx
from store.keys import KeyRing

KindFilter: TypeAlias = Literal["read", "act", "refused"]
ActorFilter: TypeAlias = Literal["citizen", "practitioner", "facility-system", "kiosk", "operator"]

ROWS_MAX = 200
# A watch that sends each minute writes 1,440 rows a day: so many lots are looked through to fill a page.
LOTS_MAX = 10
# What a phone does by itself, all day long: it would bury who looked.
_SENT = "vitals:batch:store"
NEWEST = 2**62
_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


class LogItem(Struct, frozen=True, kw_only=True):
    """One line. first_seq < seq where own reads, batches, or several reads under one request_id are folded;
    `times` says how many, action is that of the newest, and types and count of the latter are of all. basis:
    what a read rested on, and then grant_id is its id. actor_alias: instead of name and licence where the
    practitioner is protected; the same on every line of this log.

    seq: number of the row in this log, from 1. line: the whole in words. is_own: an act of the person's own.
    on_behalf_of: for whom somebody acted. types: kinds of entries that were read. count: how many entries.

    prev, h, salt and actor_salt are hexadecimal, of the newest row. `row`, the JCS text that h
    covers, and actor_salt come with `proofs` only; actor_salt never of a protected practitioner.
    """

    seq: int
    first_seq: int
    times: int
    at: datetime
    line: str
    action: str
    outcome: str
    reason: str | None
    is_own: bool
    actor_kind: str
    actor_name: str | None
    actor_licence: str | None
    actor_role: str | None
    facility_name: str | None
    on_behalf_of: UUID | None
    purpose: str | None
    grant_id: UUID | None
    types: list[str]
    count: int
    request_id: str
    prev: str
    h: str
    salt: str
    row: str | None = None
    actor_salt: str | None = None
    actor_alias: str | None = None
    facility_id: UUID | None = None
    basis: str | None = None


class LogHead(Struct, frozen=True, kw_only=True):
    """What an app pins: a later log that does not pass through it was cut or rewritten. seq: of the newest
    row. h: its chain value, hexadecimal."""

    seq: int
    h: str


class AccessLog(Struct, frozen=True, kw_only=True):
    items: list[LogItem]
    next: str | None
    head: LogHead | None


class Filter(Struct, frozen=True, kw_only=True):
    """since and until are days in Vietnam, both included."""

    actor: ActorFilter | None = None
    kind: KindFilter | None = None
    facility_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    proofs: bool = False


class _Keyset(NamedTuple):
    before_seq: Annotated[int, msgspec.Meta(ge=0, le=NEWEST)]


class _Words(Struct, frozen=True):
    you: str
    holder: str
    titles: dict[str, str]
    types: dict[str, str]
    acts: dict[str, str]
    reasons: dict[str, str]
    did: str
    tried: str
    refused: str
    under_grant: str
    bases: dict[str, str]
    protected: str
    for_you: str
    times: str
    unknown_act: str
    own_reads: str
    nothing: str
    # Measurements are no tests of a facility, though both are Observations; limits are there in every book.
    acts_that_say_what: list[str]
    acts_that_show_always: list[str]
    # Who asks to act for somebody does not do that for this person yet.
    acts_for_oneself: list[str]


async def read_log(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    wanted: Filter,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> AccessLog:
    """One page, newest first. Raises the problem `bad-cursor`."""
    before = _before(cursor)
    items, more = (
        await _unfolded(tx, keys, access, wanted, before, limit, now)
        if wanted.proofs
        else await _folded(tx, keys, access, wanted, before, limit, now)
    )
    head = await queries.head_of(tx, access.patient_id)
    page = items[:limit]
    is_more = more or len(items) > limit
    return AccessLog(
        items=page,
        next=encode_cursor(page[-1].first_seq) if is_more and page else None,
        head=LogHead(seq=head.seq, h=head.h.hex()) if head else None,
    )


async def _unfolded(
    tx: Tx, keys: KeyRing, access: Access, wanted: Filter, before: int, limit: int, now: datetime
) -> tuple[list[LogItem], bool]:
    rows = await _rows(tx, access, wanted, before, limit)
    masked = await shown(tx, keys, access.patient_id, rows[:limit], now)
    return [_item(one, access.patient_id, proofs=True) for one in masked], len(rows) > limit


async def _folded(
    tx: Tx, keys: KeyRing, access: Access, wanted: Filter, before: int, limit: int, now: datetime
) -> tuple[list[LogItem], bool]:
    """Lines of as many lots of rows as a page needs; whether rows follow."""
    items: list[LogItem] = []
    rows_of: list[Shown] = []
    for _ in range(LOTS_MAX):
        rows = await _rows(tx, access, wanted, before, ROWS_MAX)
        masked = await shown(tx, keys, access.patient_id, rows[:ROWS_MAX], now)
        items += [_item(one, access.patient_id, proofs=False) for one in masked]
        rows_of += masked
        more = len(rows) > ROWS_MAX
        folded = fold(items, rows_of)
        if not more or len(folded) > limit:
            break
        before = items[-1].seq
    return folded, more


async def whole_items(
    tx: Tx, keys: KeyRing, access: Access, rows: Sequence[LogRow], now: datetime
) -> list[LogItem]:
    """Rows as an export shows them: whole, unfolded, in the given order."""
    masked = await shown(tx, keys, access.patient_id, rows, now)
    return [_item(one, access.patient_id, proofs=True) for one in masked]


async def read_rows(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    wanted: Filter,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> tuple[list[Shown], str | None]:
    """A page of rows as the person may see them, newest first, and the cursor of the next one. Raises the
    problem `bad-cursor`."""
    rows = await _rows(tx, access, wanted, _before(cursor), limit)
    masked = await shown(tx, keys, access.patient_id, rows[:limit], now)
    return masked, encode_cursor(masked[-1].row.seq) if len(rows) > limit else None


async def entry_at(tx: Tx, patient_id: UUID, seq: int) -> Entry | None:
    """What one row of a person's log says; None where there is no such row."""
    rows = await queries.export(tx, patient_id, after_seq=seq - 1, limit=1)
    if not rows or rows[0].seq != seq:
        return None
    return msgspec.json.decode(rows[0].entry, type=Entry)


def _before(cursor: str | None) -> int:
    return decode_cursor(cursor, _Keyset).before_seq if cursor else NEWEST


async def _rows(tx: Tx, access: Access, wanted: Filter, before: int, limit: int) -> list[LogRow]:
    """One row more than the limit where there are more."""
    since, until = span(wanted)
    return await queries.page(
        tx,
        access.patient_id,
        before_seq=before,
        actor_kind=wanted.actor,
        kind=wanted.kind,
        facility_id=wanted.facility_id,
        since=since,
        until=until,
        limit=limit + 1,
    )


def span(wanted: Filter) -> tuple[datetime, datetime]:
    since, until = _EVER
    if wanted.since is not None:
        since = start_of_day(wanted.since)
    if wanted.until is not None:
        until = end_of_day(wanted.until)
    return since, until


def fold(items: Sequence[LogItem], rows: Sequence[Shown]) -> list[LogItem]:
    """What one person does by routine, time after time, becomes one line, and so does what somebody else read
    within one opening of a page; everything else stays. rows: of each item."""
    folded: list[LogItem] = []
    for key, run in groupby(zip(items, rows, strict=True), key=lambda one: _belongs_to(*one)):
        pairs = list(run)
        lines = [item for item, _ in pairs]
        if key is None or len(lines) == 1:
            folded += lines
        else:
            folded.append(_opening(pairs) if key.request_id else _one_line(lines))
    return folded


class _Together(NamedTuple):
    """What lines have in common that become one. request_id: empty where it is a routine."""

    who: UUID
    request_id: str = ""
    grant_id: UUID | None = None


def _belongs_to(item: LogItem, row: Shown) -> _Together | None:
    """Own reads, and batches of the person's or a guardian's phone; reads of others by their request."""
    if item.outcome == "refused":
        return None
    who, is_read = row.entry.actor.id, item.action.endswith(":read")
    if (is_read and item.is_own) or (item.action == _SENT and item.actor_kind == "citizen"):
        return _Together(who)
    return _Together(who, item.request_id, item.grant_id) if is_read and item.request_id else None


def _opening(pairs: list[tuple[LogItem, Shown]]) -> LogItem:
    """Several reads that made one page: what was read first stands first."""
    newest, rows = pairs[0][0], [row for _, row in reversed(pairs)]
    return msgspec.structs.replace(
        newest,
        first_seq=pairs[-1][0].seq,
        times=len(pairs),
        types=list(dict.fromkeys(name for row in rows for name in row.entry.resources)),
        count=sum(item.count for item, _ in pairs),
        line=line_of(rows[0], is_own=False, also=[row.entry for row in rows[1:]]),
    )


def _one_line(items: list[LogItem]) -> LogItem:
    newest, words = items[0], _words()
    sent = [item for item in items if item.action == _SENT]
    said = [] if len(sent) == len(items) else [words.own_reads]
    said += [words.acts[_SENT]] if sent else []
    line = f"{words.you} {words.did} {', '.join(said)}" if newest.is_own else newest.line
    return msgspec.structs.replace(
        newest, first_seq=items[-1].seq, times=len(items), line=f"{line} ({len(items)} {words.times})"
    )


def _item(one: Shown, patient_id: UUID, *, proofs: bool) -> LogItem:
    row, entry = one.row, one.entry
    is_own = entry.actor.kind == "citizen" and entry.actor.id == patient_id
    return LogItem(
        seq=row.seq,
        first_seq=row.seq,
        times=1,
        at=row.at,
        line=line_of(one, is_own=is_own),
        action=entry.action,
        outcome=entry.outcome,
        reason=entry.reason,
        is_own=is_own,
        actor_kind=entry.actor.kind,
        actor_name=row.actor_name,
        actor_licence=row.actor_licence,
        actor_role=entry.actor.role,
        facility_name=row.facility_name,
        on_behalf_of=entry.on_behalf_of,
        purpose=entry.purpose,
        grant_id=entry.grant.id if entry.grant else None,
        types=list(entry.resources),
        count=entry.count,
        request_id=entry.request_id,
        prev=row.prev.hex(),
        h=row.h.hex(),
        salt=row.salt.hex(),
        row=row.entry if proofs else None,
        actor_salt=row.actor_salt.hex() if proofs and one.alias is None else None,
        actor_alias=one.alias,
        facility_id=entry.facility_id,
        basis=entry.basis,
    )


def about_holder(line: str) -> str:
    """A line of the person's own act, as somebody else reads it."""
    words = _words()
    return words.holder + line.removeprefix(words.you)


def line_of(one: Shown, *, is_own: bool, also: Sequence[Entry] = ()) -> str:
    """'BS A, BV B đã xem tóm tắt sổ: dị ứng, đơn thuốc – theo đồng ý #1a2b3c4d'. also: what else the same
    person read within the same opening."""
    words, entry = _words(), one.entry
    is_refused, entries = entry.outcome == "refused", [entry, *also]
    act = ", ".join(dict.fromkeys(words.acts.get(each.action, words.unknown_act) for each in entries))
    said = {each.action for each in entries} & set(words.acts_that_say_what)
    names = [name for each in entries if each.action not in said for name in each.resources]
    what = ", ".join(dict.fromkeys(words.types.get(name, words.types["Other"]) for name in names))
    line = f"{words.you if is_own else _who(one)} {words.tried if is_refused else words.did} {act}"
    is_said = entry.action in words.acts_that_show_always
    if what:
        line += f": {what}"
    elif (
        not any(each.resources for each in entries)
        and not is_said
        and entry.body_sha256 is not None
        and entry.action.startswith("record:")
    ):
        line += f" ({words.nothing})"
    if is_refused:
        reason = words.reasons.get(entry.reason or "")
        line += f" – {words.refused}" + (f" ({reason})" if reason else "")
    return line + _on_what(entry)


def _on_what(entry: Entry) -> str:
    """' – theo đồng ý #1a2b3c4d', or the other thing that the access rested on."""
    words = _words()
    if entry.grant is not None:
        return f" – {words.bases.get(entry.basis or '', words.under_grant)} #{entry.grant.id.hex[-8:]}"
    if entry.basis in words.bases:
        return f" – {words.bases[entry.basis]}"
    is_for_you = entry.on_behalf_of is not None and entry.action not in words.acts_for_oneself
    return f" – {words.for_you}" if is_for_you else ""


def capacity(basis: str | None) -> str:
    """As what a relative looked: 'với tư cách người giám hộ'; empty for everybody else."""
    return _words().bases[basis] if basis in ("guardian", "proxy") else ""


def _who(one: Shown) -> str:
    words, actor = _words(), one.entry.actor
    title = words.titles.get(actor.role or actor.kind, words.titles["other"])
    named = f"{title} {one.row.actor_name}" if one.row.actor_name else title
    if one.alias is not None:
        named = f"{title} ({words.protected} {one.alias})"
    return f"{named}, {one.row.facility_name}" if one.row.facility_name else named


def protected_name(alias: str) -> str:
    """What stands where a protected practitioner's name would, outside the log too (security.md S27)."""
    return f"({_words().protected} {alias})"


@cache
def _words() -> _Words:
    raw = json.loads(files("audit").joinpath("texts/vi.json").read_bytes())
    return msgspec.convert(raw, _Words)
