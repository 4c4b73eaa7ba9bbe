"""What of one person is counted: a row without number or name, made under an Access of the job."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.completeness.policy import measure
from ehr.completeness.service import contents_of
from ehr.reads.scope import scope_of
from ehr.statistics import queries
from ehr.statistics.models import PersonRow
from ehr.statistics.policy import (
    bands_of,
    bucket_of_commune,
    commune_of,
    counted_profiles,
    group_of,
    rules,
    rules_mark,
    week_of,
)
from identity.people import demographics
from identity.population.groups import occupation_of
from identity.population.listed import listed
from identity.reports.service import reported_communes
from kernel.access import Access
from kernel.clock import end_of_day, local_day, start_of_day
from store.database import Tx
from store.keys import KeyRing

# People grow older without a write.
AGE_ANEW: Final = timedelta(days=28)
# The dead are no population; a merged person counts as the one that stays.
_UNCOUNTED: Final = frozenset({"frozen", "merged", "erasing"})


class Taken(Struct, frozen=True):
    """What the job took of a person."""

    commune: str
    age_group: str
    bands: str
    cases: list[tuple[str, str]]


def must_read(row: PersonRow) -> bool:
    """Whether the record moved, or the rules did, since the person was counted."""
    if row.state == "merged":
        return False
    seen = row.seen_seq, row.seen_state, row.seen_rules
    return seen != (row.head_seq, row.state, rules_mark())


def must_leave(row: PersonRow) -> bool:
    """Whether a merged person still has counted rows."""
    return row.state == "merged" and row.seen_state not in (None, "merged")


def is_due(row: PersonRow, now: datetime) -> bool:
    """Whether the age may have changed the group."""
    return row.state not in _UNCOUNTED and (row.seen_on is None or row.seen_on <= local_day(now) - AGE_ANEW)


async def count_person(
    tx: Tx, keys: KeyRing, access: Access, row: PersonRow, secret: bytes, now: datetime
) -> bytes:
    """Count a person anew. Returns what was taken, for the person's log."""
    taken = await _take(tx, keys, access, now)
    bucket, person = bucket_of_commune(taken.commune), _name(secret, row.patient_id)
    await _forget(tx, row, person)
    if row.state not in _UNCOUNTED:
        await queries.UPSERT_PERSON.run(tx, bucket, person, taken.commune, taken.age_group, taken.bands)
    if taken.cases:
        weeks, icds = zip(*taken.cases, strict=True)
        days = [datetime.fromisoformat(week).date() for week in weeks]
        await queries.INSERT_CASES.run(tx, bucket, person, taken.commune, days, list(icds))
    await _note(tx, row, bucket, taken.bands, now)
    return msgspec.json.encode(taken)


async def leave(tx: Tx, row: PersonRow, secret: bytes, now: datetime) -> None:
    """Take a merged person out: the one that stays is counted."""
    await _forget(tx, row, _name(secret, row.patient_id))
    await _note(tx, row, row.seen_bucket or 0, row.bands or "", now)


async def forget_person(tx: Tx, keys: KeyRing, patient_id: UUID) -> None:
    """Take a person who is being erased out of the counted rows."""
    for row in await queries.SEEN.all(tx, [patient_id]):
        person = _name(keys.first_secret("statistics"), patient_id)
        await queries.DELETE_PERSON.run(tx, row.bucket, person)
        await queries.DELETE_CASES.run(tx, row.bucket, person)


async def grow_older(tx: Tx, keys: KeyRing, row: PersonRow, secret: bytes, now: datetime) -> None:
    """Put the person into the group of today's age; the record is not opened."""
    known = await demographics(tx, keys, row.patient_id)
    said = [one.says for one in await listed(tx, keys, row.patient_id)]
    group = group_of(known.birth_date if known else None, local_day(now), occupation_of(said))
    bucket = row.seen_bucket or 0
    await queries.SET_GROUP.run(tx, bucket, _name(secret, row.patient_id), group)
    await _note(tx, row, bucket, row.bands or "", now)


async def _take(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Taken:
    known = await demographics(tx, keys, access.patient_id)
    reported = await reported_communes(tx, keys, access.patient_id)
    said = [one.says for one in await listed(tx, keys, access.patient_id)]
    scope, today = scope_of(access, now), local_day(now)
    has_record = bool(await queries.HAS_RECORD.one(tx, *scope))
    contents = await contents_of(tx, keys, access, now)
    percents = [measure(profile, contents).percent for profile in counted_profiles()]
    since = week_of(today) - timedelta(weeks=rules().weeks_kept)
    cases = await queries.CASES.all(tx, *scope, start_of_day(since), end_of_day(today))
    return Taken(
        # Where people live is the residents' list's to say; facilities write down what they are told.
        commune=commune_of([*(one.commune for one in said), *reported, known.commune if known else None]),
        age_group=group_of(known.birth_date if known else None, today, occupation_of(said)),
        bands=bands_of(percents, has_record=has_record),
        cases=sorted((case.week.isoformat(), case.icd) for case in cases if case.week),
    )


async def _forget(tx: Tx, row: PersonRow, person: bytes) -> None:
    if row.seen_bucket is not None:
        await queries.DELETE_PERSON.run(tx, row.seen_bucket, person)
        await queries.DELETE_CASES.run(tx, row.seen_bucket, person)


async def _note(tx: Tx, row: PersonRow, bucket: int, bands: str, now: datetime) -> None:
    marks = row.head_seq, rules_mark(), row.state, local_day(now), bands
    await queries.UPSERT_SEEN.run(tx, row.patient_id, bucket, *marks)


def _name(secret: bytes, patient_id: UUID) -> bytes:
    """What stands for a person in counted rows; it leads back to nobody without the secret."""
    return hmac.digest(secret, b"person" + patient_id.bytes, hashlib.sha256)
