"""Letting results go: when their time has come, or when the facility looked at them. Each is told once."""

import hashlib
from collections import defaultdict
from datetime import datetime
from typing import cast
from uuid import UUID

from ehr.intake.ids import resource_id
from ehr.intake.models import IdentifierKind, PersonFacts
from ehr.intake.nameless import unit_name
from ehr.intake.queries import UNIT_OWNER
from ehr.merges.service import book_of, mark_of
from ehr.store import hold_head, mark_rows
from ehr.visibility import clocks, queries
from ehr.visibility.models import ReleaseCategory, ReleasePolicy, ReleaseRule
from ehr.visibility.queries import Waiting
from identity.merges.aliases import book_to_tell
from identity.people import demographics, own_identifiers
from kernel.ids import uuid7
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

REFERENCES_MAX = 100


async def release_due(tx: Tx, patient_id: UUID, now: datetime) -> datetime | None:
    """Release what is due in one book and tell whose it is; when the next release is."""
    by_person: dict[UUID, list[Waiting]] = defaultdict(list)
    for row in await queries.DUE_RELEASES.all(tx, patient_id, now):
        by_person[row.origin_patient_id or patient_id].append(row)
    for person, rows in sorted(by_person.items()):
        await _release(tx, patient_id, rows, await book_to_tell(tx, person, now), now)
    return await clocks.next_release(tx, patient_id)


async def _release(tx: Tx, book: UUID, rows: list[Waiting], told: UUID, now: datetime) -> int:
    """A row that another worker released meanwhile is not told twice: the mark is taken under the lock."""
    released = await mark_rows(
        tx, book, [(row.rtype, row.id) for row in rows], now, release_at=None, only_waiting=True
    )
    if released:
        await emit(tx, told, "ehr.released", {"release_id": str(uuid7(now))}, now)
    return released


async def review(
    tx: Tx, keys: KeyRing, source_id: str, unit_key: str, references: list[str], now: datetime
) -> tuple[UUID, int] | None:
    """A facility has looked at results of one of its units; who is told and how many were released.

    references: the sender's own names (`Observation/1`) of some of them; without any, all of the unit.
    None of a unit that nobody sent, one where nothing waits and one in quarantine: the sender is not told
    which (security.md S19). After a merge the unit is still the
    merged person's, and its rows are in the survivor's book.
    """
    id_hash = hashlib.sha256(f"{source_id}\n{unit_key}".encode()).digest()
    patient_id = await UNIT_OWNER.one(tx, id_hash)
    if patient_id is None:
        return None
    await hold_head(tx, patient_id, now)
    book, origin = await book_of(tx, patient_id)
    wanted = {resource_id(source_id, reference) for reference in references}
    wanted |= {ident + mark_of(patient_id) for ident in wanted}
    names = {unit_key, await _name_in_book(tx, keys, patient_id, unit_key)}
    told, released = await book_to_tell(tx, patient_id, now), 0
    # A merge may still be moving them.
    for place, owner in {patient_id: None, book: origin}.items():
        waiting = await queries.WAITING_OF_SOURCE.all(tx, place, source_id, owner)
        rows = [row for row in waiting if (row.id in wanted if wanted else row.unit in names)]
        released += await _release(tx, place, rows, told, now) if rows else 0
    return (told, released) if released else None


async def _name_in_book(tx: Tx, keys: KeyRing, patient_id: UUID, unit_key: str) -> str:
    """What the rows of the unit are found by: the person's numbers are not written into the record."""
    known = await demographics(tx, keys, patient_id)
    numbers = tuple(
        (cast(IdentifierKind, one.kind), one.value) for one in await own_identifiers(tx, keys, patient_id)
    )
    person = PersonFacts(identifiers=numbers, mother_number=known.mother_number if known else None)
    return unit_name(person, unit_key)


async def set_policy(
    tx: Tx,
    facility_id: UUID,
    category: ReleaseCategory,
    rule: ReleaseRule,
    hours: int,
    actor_id: UUID | None,
    now: datetime,
) -> ReleasePolicy:
    """Set a facility's rule for what it sends from now on; clocks that run keep their time."""
    hours = hours if rule == "after-hours" else 0
    await queries.SET_POLICY.run(tx, facility_id, category, rule, hours, now, actor_id)
    return ReleasePolicy(facility_id, category, rule, hours)


async def policies(tx: Tx, facility_id: UUID) -> list[ReleasePolicy]:
    """The rules in force for a facility; a category without one is shown at once."""
    return sorted((await queries.policies_of(tx, facility_id)).values(), key=lambda policy: policy.category)
