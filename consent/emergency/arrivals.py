"""The arrival that a unit with one account notes afterwards: in the hour, or the right is suspended (S24).

The decision needs none of this: past the hour it looks for the arrival itself. Here it is written down, by a
timer and, should no worker run, before the same practitioner breaks the glass again.
"""

from datetime import datetime
from uuid import UUID

from audit.service import record_act
from consent.emergency import queries
from consent.emergency.models import Awaited
from consent.emergency.policy import ARRIVED_WITHIN
from consent.emergency_reviews import queries as reviews
from identity.units import service as units
from kernel.access import Actor
from store.database import Tx
from visits.arrivals import emergency_arrival

SERVICE = Actor(kind="job", actor_id=UUID(int=0), name="emergency-arrival")


async def settle_all(tx: Tx, actor: Actor, *, trace_id: str, now: datetime) -> None:
    """Every own opening whose hour is over."""
    for one in await queries.awaited(tx, actor.actor_id, now):
        await _settle(tx, actor.actor_id, one, trace_id, now)


async def settle(tx: Tx, patient_id: UUID, emergency_id: UUID, now: datetime) -> None:
    """The timer: this opening's hour is over."""
    found = await queries.by_id(tx, patient_id, emergency_id)
    if found is None:
        return
    for one in await queries.awaited(tx, found.practitioner_id, now):
        if one.emergency_id == emergency_id:
            await _settle(tx, found.practitioner_id, one, str(emergency_id), now)


async def _settle(tx: Tx, practitioner_id: UUID, one: Awaited, trace_id: str, now: datetime) -> None:
    found = await queries.by_id(tx, one.patient_id, one.emergency_id)
    assert found is not None
    assert found.arrival_by is not None
    first = one.opened_at - ARRIVED_WITHIN
    came = await emergency_arrival(
        tx, one.patient_id, one.facility_id, found.unit_id, practitioner_id, first, found.arrival_by
    )
    await queries.note_settled(tx, practitioner_id, one.emergency_id)
    if came is not None:
        return
    await units.suspend(tx, practitioner_id, now)
    await reviews.hasten_review(tx, one.facility_id, one.emergency_id, now)
    await record_act(
        tx,
        one.patient_id,
        SERVICE,
        "consent:emergency:arrival-missing",
        grant_id=one.emergency_id,
        request_id=trace_id,
        now=now,
    )
