"""Letting results go: when their time has come, or when the facility looked at them. Each is told once."""

import hashlib
from datetime import datetime
from uuid import UUID

from ehr.intake.ids import resource_id
from ehr.intake.queries import UNIT_OWNER
from ehr.store import mark_rows
from ehr.visibility import clocks, queries
from ehr.visibility.models import ReleaseCategory, ReleasePolicy, ReleaseRule
from ehr.visibility.problems import NOTHING_TO_RELEASE
from ehr.visibility.queries import Waiting
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

REFERENCES_MAX = 100


async def release_due(tx: Tx, patient_id: UUID, now: datetime) -> datetime | None:
    """Release what is due in one book and tell the person; when the next release is."""
    await _release(tx, patient_id, await queries.DUE_RELEASES.all(tx, patient_id, now), now)
    return await clocks.next_release(tx, patient_id)


async def _release(tx: Tx, patient_id: UUID, rows: list[Waiting], now: datetime) -> int:
    """A row that another worker released meanwhile is not told twice: the mark is taken under the lock."""
    released = await mark_rows(
        tx, patient_id, [(row.rtype, row.id) for row in rows], now, release_at=None, only_waiting=True
    )
    if released:
        await emit(tx, patient_id, "ehr.released", {"release_id": str(uuid7(now))}, now)
    return released


async def review(
    tx: Tx, source_id: str, unit_key: str, references: list[str], now: datetime
) -> tuple[UUID, int] | Refused:
    """A facility has looked at results of one of its units; whose they are and how many were released.

    references: the sender's own names (`Observation/1`) of some of them; without any, all of the unit.
    A unit that nobody sent and one where nothing waits are one refusal.
    """
    id_hash = hashlib.sha256(f"{source_id}\n{unit_key}".encode()).digest()
    patient_id = await UNIT_OWNER.one(tx, id_hash)
    if patient_id is None:
        return Refused(problem=NOTHING_TO_RELEASE)
    wanted = {resource_id(source_id, reference) for reference in references}
    waiting = await queries.WAITING_OF_SOURCE.all(tx, patient_id, source_id)
    rows = [row for row in waiting if (row.id in wanted if wanted else row.unit == unit_key)]
    released = await _release(tx, patient_id, rows, now)
    return (patient_id, released) if released else Refused(problem=NOTHING_TO_RELEASE)


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
