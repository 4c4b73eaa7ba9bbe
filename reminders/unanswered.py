"""Times that nobody answered: told once more, then to whoever cares for the person.

A carer is a child's guardian, or an adult's proxy whom the person lets know of it; neither hears of what is
kept from them (security.md S23), and the notice does not say of what. Each notice has a key of its own: a
second look at the same minute says nothing again.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from family.service import answering_for, proxies_told
from identity.merges.aliases import book_to_tell
from kernel.access import Access
from notifications.bulk import Notice, notify_many
from reminders import queries as plans
from reminders.answers import queries
from reminders.answers.models import Open
from reminders.answers.policy import CARER_TOLD_AFTER, CARER_TOLD_WITHIN, REPEATS_AFTER, REPEATS_WITHIN
from reminders.answers.watching import MINUTE, Sweep, arm_sweep, watch_again
from reminders.kinds import KINDS
from reminders.models import Kind, Reminder
from reminders.occurrences import sees
from reminders.passing import for_all, key_of, notice_id_of, once, said_at
from reminders.phone import covered_devices
from reminders.policy import rings_at
from store.database import Tx
from store.keys import KeyRing

BATCH: Final = 1000
# Where somebody was left out, the minute is looked at again; whoever was told is told nothing twice.
TRIED_AGAIN: Final = timedelta(minutes=10)
_AGAIN: Final = "again"
REPEATED: Final = sorted(kind for kind, rule in KINDS.items() if rule.repeats)
_EVER: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class CarerViews(Struct, frozen=True):
    """What may be read of a book for those who are told: a child's guardians, an adult's proxies."""

    own: Access
    guardian: Access
    proxy: Access


log = structlog.get_logger("reminders")

MakeViews = Callable[[Tx, UUID], Awaitable[CarerViews]]


async def sweep(tx: Tx, keys: KeyRing, one: Sweep, views: MakeViews, now: datetime) -> None:
    """Look at a bucket's times of a minute. What is left of them, and what follows, is armed."""
    # A time that is put off rings again by itself: nothing repeats it, and a carer is told after that.
    put_off_until = _EVER if one.step == "repeat" else now - CARER_TOLD_AFTER
    rows = await queries.UNANSWERED.all(
        tx, one.minute, one.minute + MINUTE, one.bucket, one.after, REPEATED, put_off_until, BATCH
    )
    page, after = whole_people(rows, BATCH)
    if one.step == "repeat":
        is_whole = await _by_person(tx, page, lambda some: _repeat(tx, some, now))
        await arm_sweep(tx, replace(one, step="carer", after=UUID(int=0)), now + CARER_TOLD_AFTER)
    else:
        is_whole = await _by_person(tx, page, lambda some: _tell_carers(tx, keys, some, views, now))
    if after is not None:
        await arm_sweep(tx, replace(one, after=after), now)
    within = REPEATS_WITHIN if one.step == "repeat" else CARER_TOLD_WITHIN
    if not is_whole and now + TRIED_AGAIN < one.minute + within:
        await arm_sweep(tx, replace(one, of=_AGAIN), now + TRIED_AGAIN)


async def _by_person(tx: Tx, rows: Sequence[Open], say: Callable[[list[Open]], Awaitable[None]]) -> bool:
    """Say it of all by a few statements; where that fails, person by person, so that whoever is at fault is
    left out alone. Returns whether nobody was."""
    if await _failed(tx, rows, say) is None:
        return True
    is_whole = True
    for _, some in groupby(rows, key=lambda one: one.patient_id):
        if (error := await _failed(tx, list(some), say)) is not None:
            state, is_whole = str(getattr(error, "sqlstate", "")), False
            log.error("unanswered_failed", error=type(error).__name__, sqlstate=state)
    return is_whole


async def _failed(
    tx: Tx, rows: Sequence[Open], say: Callable[[list[Open]], Awaitable[None]]
) -> Exception | None:
    """Under a savepoint: what it failed with, undone; None where it was said."""
    try:
        async with tx.transaction():
            await say(list(rows))
    except Exception as error:
        if tx.is_closed():
            raise
        return error
    return None


def whole_people(rows: Sequence[Open], limit: int) -> tuple[list[Open], UUID | None]:
    """The rows of people who are there whole, and the last of them where others may follow. Pure."""
    if len(rows) < limit:
        return list(rows), None
    last = rows[-1].patient_id
    before = [one for one in rows if one.patient_id != last]
    return (before, before[-1].patient_id) if before else (list(rows), last)


async def _repeat(tx: Tx, rows: Iterable[Open], now: datetime) -> None:
    """Once more, for everybody by a few statements: not to who opened the notice, nor to a phone that rings
    by itself."""
    rows = [one for one in rows if now < one.due_at + REPEATS_WITHIN]
    books = [await _book(tx, one, now) for one in rows]
    first = [
        notice_id_of(one.kind, one.patient_id, one.due_at, book)
        for one, book in zip(rows, books, strict=True)
    ]
    opened = {one.notification_id for one in await queries.OPENED.all(tx, books, first)}
    covered = await covered_devices(tx, [(one, one.due_at) for one in rows])
    notices = [
        replace(again(one.kind, one.patient_id, one.due_at, book), covered=devices)
        for one, book, ident, devices in zip(rows, books, first, covered, strict=True)
        if ident not in opened
    ]
    await notify_many(tx, once(notices), now)


async def _book(tx: Tx, one: Open, now: datetime) -> UUID:
    return await book_to_tell(tx, one.patient_id, now) if one.is_merged else one.patient_id


def again(kind: Kind, person: UUID, due_at: datetime, book: UUID) -> Notice:
    """What is said of a time that nobody answered. Pure."""
    return _notice(kind, person, due_at, book, due_at + REPEATS_AFTER, "again")


def _notice(kind: Kind, person: UUID, due_at: datetime, book: UUID, at: datetime, why: str) -> Notice:
    """The notice of a time once more, at another one. Pure."""
    return Notice(
        patient_id=book,
        type_=KINDS[kind].type_,
        key=f"{key_of(kind, person, due_at)}:{why}",
        due_at=rings_at(person, at),
        expires_at=at + REPEATS_WITHIN,
        ref={"due_at": said_at(due_at)},
    )


async def _tell_carers(tx: Tx, keys: KeyRing, rows: Iterable[Open], views: MakeViews, now: datetime) -> None:
    cared = [one for one in rows if one.has_carer and now < one.due_at + CARER_TOLD_WITHIN]
    notices = list[Notice]()
    for (person, due_at), some in groupby(cared, key=lambda one: (one.patient_id, one.due_at)):
        idents = [one.reminder_id for one in some]
        for carer, book in await _carers(tx, keys, person, idents, views, now):
            notices.append(
                Notice(
                    patient_id=carer,
                    type_="dependent-unanswered",
                    key=carer_key(person, due_at),
                    expires_at=due_at + CARER_TOLD_WITHIN,
                    ref={"patient_id": str(book), "due_at": said_at(due_at)},
                )
            )
    await notify_many(tx, notices, now)


def carer_key(person: UUID, due_at: datetime) -> str:
    """By which a carer hears of a time once."""
    return f"unanswered:{person}:{due_at.isoformat()}"


async def _carers(
    tx: Tx, keys: KeyRing, person: UUID, idents: list[UUID], make_views: MakeViews, now: datetime
) -> list[tuple[UUID, UUID]]:
    """Who is told of a person's time, and of whose book: those from whom nothing of it is kept."""
    book = await book_to_tell(tx, person, now)
    guardians = await answering_for(tx, keys, book, now)
    proxies = await proxies_told(tx, keys, book, now)
    if not guardians and not proxies:
        return []
    views, rows = await make_views(tx, person), await plans.BY_IDS.all(tx, person, idents)
    told = list[UUID]()
    for who, view in ((guardians, views.guardian), (proxies, views.proxy)):
        told += who if who and await _any_seen(tx, rows, views.own, view, now) else []
    return [(carer, book) for carer in dict.fromkeys(told)]


async def _any_seen(tx: Tx, rows: Iterable[Reminder], own: Access, view: Access, now: datetime) -> bool:
    for one in rows:
        if await sees(tx, own, one, now) and await sees(tx, view, one, now):
            return True
    return False


async def ring_later(
    tx: Tx, keys: KeyRing, person: UUID, at: datetime, views: MakeViews, now: datetime
) -> None:
    """Times that the person put off until then: they ring once more, and are asked after once more."""
    rows = await queries.PUT_OFF.all(tx, person, at)
    notices = list[Notice]()
    for one, devices in zip(rows, await covered_devices(tx, [(one, at) for one in rows]), strict=True):
        if now >= at + REPEATS_WITHIN:
            continue
        book = await _book(tx, one, now)
        mine = _notice(one.kind, person, one.due_at, book, at, f"later:{at.isoformat()}")
        mine = replace(mine, covered=devices)
        family = await _guardians(tx, keys, one, book, views, now)
        notices += for_all(mine, family)
        await watch_again(tx, person, one.due_at, at)
    await notify_many(tx, once(notices), now)


async def _guardians(
    tx: Tx, keys: KeyRing, one: Open, book: UUID, make_views: MakeViews, now: datetime
) -> list[UUID]:
    """A child's guardians, where nothing of it is kept from the family."""
    if not one.has_carer or not KINDS[one.kind].is_family:
        return []
    views, rows = (
        await make_views(tx, one.patient_id),
        await plans.BY_IDS.all(tx, one.patient_id, [one.reminder_id]),
    )
    if not await _any_seen(tx, rows, views.own, views.guardian, now):
        return []
    return await answering_for(tx, keys, book, now)
