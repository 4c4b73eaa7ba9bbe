"""Arrivals: the person came to the desk today, by whatever means. No presence (security.md S7, S8)."""

from datetime import datetime
from uuid import UUID

from audit.service import record_act
from kernel.access import Actor
from kernel.clock import local_day, start_of_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit
from visits import queries
from visits.problems import NOT_AT_A_FACILITY


async def record_arrival(
    tx: Tx, actor: Actor, patient_id: UUID, *, request_id: str, now: datetime
) -> UUID | Refused:
    """A number typed at the desk: a ticket, told to the person and in the log. Returns its id."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    arrival_id = uuid7(now)
    await queries.insert_check_in(
        tx,
        patient_id=patient_id,
        check_in_id=arrival_id,
        facility_id=actor.facility_id,
        means="staff-typed",
        code_id=arrival_id,
        recorded_by=actor.actor_id,
        recorded_at=now,
    )
    await record_act(tx, patient_id, actor, "visit:arrival:create", request_id=request_id, now=now)
    await emit(tx, patient_id, "visit.checked-in", {"check_in_id": str(arrival_id)}, now)
    return arrival_id


async def arrived_today(tx: Tx, patient_id: UUID, facility_id: UUID, now: datetime) -> bool:
    """True with an arrival here since midnight in Vietnam."""
    midnight = start_of_day(local_day(now))
    return await queries.arrival_since(tx, patient_id, facility_id, midnight, now) is not None
