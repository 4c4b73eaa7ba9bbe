"""A day's set: everybody is counted, then each bucket of communes is rounded and kept, then the senders.

Every step is one short transaction under the set's lock and leaves where it is: any worker goes on there.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final, get_args
from uuid import UUID

from ehr.statistics import queries
from ehr.statistics.models import Cell, Counted, Cube, PersonRow, SeenRow, SetRow, Step
from ehr.statistics.policy import chance_by, publish, rules, week_of
from ehr.statistics.queries import Citizen
from kernel.clock import local_day
from kernel.ids import BUCKETS
from store.database import Tx
from store.keys import KeyRing, KeyRingError

PAGE: Final = 1000
_NOBODY: Final = UUID(int=0)
# A count that was interrupted is finished if it is not older than this.
UNFINISHED_FOR: Final = timedelta(days=3)
_BUCKETS_AT_ONCE: Final = 8
_FORGOTTEN_AT_ONCE: Final = 3
_NAME: Final = "rounding"


async def open_set(tx: Tx, now: datetime) -> SetRow | None:
    """The set to go on with, locked; None when today's is published."""
    today = local_day(now)
    unfinished = await queries.LOCK_UNFINISHED.one(tx, today - UNFINISHED_FOR)
    if unfinished is not None:
        return unfinished
    await queries.INSERT_SET.run(tx, today, _NOBODY)
    made = await queries.LOCK_SET.one(tx, today)
    return None if made is None or made.published_at is not None else made


def secret_of(keys: KeyRing) -> bytes:
    """What names and rounds. The first key for ever: one that was added later counts for nothing."""
    return keys.first_secret("statistics")


async def know_key(tx: Tx, keys: KeyRing) -> None:
    """Keep by what the key is known, or compare. Raises KeyRingError: cells are never rounded in two ways."""
    fingerprint = hmac.digest(secret_of(keys), b"fingerprint of the statistics key", hashlib.sha256)
    await queries.INSERT_FINGERPRINT.run(tx, _NAME, fingerprint)
    if await queries.FINGERPRINT.one(tx, _NAME) != fingerprint:
        raise KeyRingError("the statistics key is not the one that earlier days were rounded with")


async def people_page(tx: Tx, current: SetRow) -> list[PersonRow]:
    people = await queries.PEOPLE.all(tx, current.last_person, PAGE)
    page = [one.patient_id for one in people]
    heads = {row.patient_id: row.head_seq for row in await queries.HEADS.all(tx, page)}
    seen = {row.patient_id: row for row in await queries.SEEN.all(tx, page)}
    return [_person(one, heads.get(one.patient_id, 0), seen.get(one.patient_id)) for one in people]


def _person(one: Citizen, head_seq: int, seen: SeenRow | None) -> PersonRow:
    if seen is None:
        return PersonRow(one.patient_id, one.state, head_seq, None, None, None, None, None, None)
    return PersonRow(
        one.patient_id,
        one.state,
        head_seq,
        seen.head_seq,
        seen.state,
        seen.rules,
        seen.counted_on,
        seen.bucket,
        seen.bands,
    )


async def people_done(tx: Tx, current: SetRow, last: UUID | None) -> None:
    """Everybody up to `last` is counted; None: everybody is."""
    step: Step = "buckets" if last is None else "people"
    await _move(tx, current, step, last or current.last_person, 0)


async def advance(tx: Tx, keys: KeyRing, current: SetRow, now: datetime) -> None:
    """Do the next step after the people: some buckets, or the senders and with them the end."""
    secret = secret_of(keys)
    if current.step == "senders":
        await _count_senders(tx, current, secret)
        await _move(tx, current, "published", current.last_person, BUCKETS, now)
        await _forget_old(tx, current.day)
        return
    following = min(BUCKETS, current.next_bucket + _BUCKETS_AT_ONCE)
    for bucket in range(current.next_bucket, following):
        await _count_bucket(tx, current, bucket, secret)
    await _move(tx, current, "senders" if following == BUCKETS else "buckets", current.last_person, following)


async def _count_bucket(tx: Tx, current: SetRow, bucket: int, secret: bytes) -> None:
    since = first_week(current.day)
    await _keep(tx, current.day, "people", await queries.COUNT_PEOPLE.all(tx, bucket), secret)
    await _keep(tx, current.day, "cases", await queries.COUNT_CASES.all(tx, bucket, since), secret)
    await queries.DELETE_OLD_CASES.run(tx, bucket, since)


async def _count_senders(tx: Tx, current: SetRow, secret: bytes) -> None:
    counted = await queries.COUNT_SENDERS.all(tx, first_week(current.day))
    await _keep(tx, current.day, "senders", counted, secret)


async def _keep(tx: Tx, day: date, cube: Cube, counted: Iterable[Counted], secret: bytes) -> None:
    exact = {(row.d1, row.d2, row.d3, row.d4): row.count for row in counted}
    cells = publish(cube, exact, chance_by(secret))
    if cells:
        await queries.INSERT_CELLS.run(tx, day, cube, *_columns(cells))


def _columns(cells: list[Cell]) -> tuple[list[str], list[str], list[str], list[str], list[int]]:
    return (
        [cell.d1 for cell in cells],
        [cell.d2 for cell in cells],
        [cell.d3 for cell in cells],
        [cell.d4 for cell in cells],
        [cell.count for cell in cells],
    )


async def _move(
    tx: Tx, current: SetRow, step: Step, last: UUID, bucket: int, published_at: datetime | None = None
) -> None:
    await queries.MOVE_SET.run(tx, current.day, step, last, bucket, published_at)


async def _forget_old(tx: Tx, day: date) -> None:
    """Old sets go whole; a night leaves what is more than a few of them to the next."""
    for old in await queries.OLD_DAYS.all(tx, day - timedelta(days=rules().days_kept), _FORGOTTEN_AT_ONCE):
        for cube in get_args(Cube):
            await queries.DELETE_CELLS.run(tx, old, cube)
        await queries.DELETE_SET.run(tx, old)


def first_week(day: date) -> date:
    """The Monday from which on weeks are published."""
    return week_of(day) - timedelta(weeks=rules().weeks_kept)
