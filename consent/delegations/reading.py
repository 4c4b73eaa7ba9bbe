"""What a nurse may read by a delegation now: everything it stands on is re-read (consent/decision.py)."""

from datetime import datetime
from uuid import UUID

from consent.delegations import queries
from consent.delegations.queries import LiveDelegation
from consent.policy import is_held
from consent.role_caps import cap_of_role
from identity.practitioners import factors_reset_at, practitioner_card
from kernel.access import Actor, RecordType
from kernel.clock import local_day
from store.database import Tx
from store.outbox import emit


async def delegation_in_force(tx: Tx, actor: Actor, patient_id: UUID, now: datetime) -> LiveDelegation | None:
    """The delegation, while its grant stands and the doctor who gave it works here under own factors."""
    assert actor.facility_id is not None
    found = await queries.live_delegation(tx, patient_id, actor.actor_id, actor.facility_id, now)
    if found is None or is_held(found.delegated_at, None, actor.factors_reset_at):
        return None
    if is_held(found.created_at, found.confirmed_at, await factors_reset_at(tx, found.delegated_by)):
        return None
    doctor = await practitioner_card(tx, found.practitioner_role_id, now)
    return found if doctor is not None and doctor.active and doctor.role == "doctor" else None


def types_of(found: LiveDelegation, actor: Actor) -> frozenset[RecordType]:
    """The role is today's, as for every grant."""
    return frozenset(found.types) & cap_of_role(actor.role).delegated


async def tell_first_use(
    tx: Tx, actor: Actor, patient_id: UUID, found: LiveDelegation, now: datetime
) -> None:
    """The person is told of the nurse's first access on a day, as of a doctor's."""
    day = local_day(now)
    if found.told_on != day and await queries.take_first_use(tx, patient_id, found.delegation_id, day):
        ref = {
            "grant_id": str(found.grant_id),
            "practitioner_id": str(actor.actor_id),
            "day": day.isoformat(),
        }
        await emit(tx, patient_id, "consent.used", ref, now)
