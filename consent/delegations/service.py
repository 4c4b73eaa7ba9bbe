"""A doctor with a grant lets a nurse of the same facility read a part of it (role caps "as delegated").

The nurse reads with an own session and stands in the log by name. A delegation is inside the grant and inside
what nurses may see, never holds a sensitive label, and ends with that version of the grant, with the doctor's
role or licence, and whenever doctor or person say so. The person is told of each.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from consent.blocks.queries import is_blocked
from consent.delegations import queries
from consent.delegations.ending import end_one
from consent.delegations.queries import Delegation
from consent.grants.queries import grant_by_id, live_grant
from consent.models import Grant, LiveGrant
from consent.policy import is_held
from consent.problems import (
    COLLEAGUE_UNKNOWN,
    DELEGATIONS_FULL,
    NO_ACCESS,
    NOTHING_GRANTED,
    UNKNOWN_DELEGATION,
)
from consent.queries import lock_guard
from consent.role_caps import cap_of_role
from identity.models import PractitionerCard
from identity.practitioners import colleague_of
from kernel.access import Access, Actor, RecordType
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

PER_GRANT_MAX: Final = 5


async def delegate(
    tx: Tx,
    actor: Actor,
    patient_id: UUID,
    licence: str,
    types: frozenset[RecordType] | None,
    *,
    trace_id: str,
    now: datetime,
) -> Delegation | Refused:
    """types None: all that the grant and the nurse's role have in common. One nurse holds one at a time here.

    Refused: no-access (no grant in force, no such person), colleague-unknown, nothing-to-grant,
    delegations-full.
    """
    if await _own_grant(tx, actor, patient_id, now) is None:
        return Refused(problem=NO_ACCESS)
    await lock_guard(tx, patient_id)
    live = await _own_grant(tx, actor, patient_id, now)
    grant = None if live is None else await grant_by_id(tx, patient_id, live.grant_id)
    if grant is None:
        return Refused(problem=NO_ACCESS)
    nurse = await colleague_of(tx, licence, grant.facility_id, now)
    # Whom the person blocked is to the doctor like anybody who does not work here (S19).
    blocked = nurse and await is_blocked(tx, patient_id, nurse.practitioner_id, grant.facility_id)
    if nurse is None or blocked or not cap_of_role(nurse.role).delegated:
        return Refused(problem=COLLEAGUE_UNKNOWN, where="licence")
    wanted = frozenset(grant.types) & cap_of_role(nurse.role).delegated
    wanted &= wanted if types is None else types
    if not wanted:
        return Refused(problem=NOTHING_GRANTED)
    standing = [
        one for one in await queries.live_delegations(tx, patient_id) if one.grant_id == grant.grant_id
    ]
    if len([one for one in standing if one.practitioner_id != nurse.practitioner_id]) >= PER_GRANT_MAX:
        return Refused(problem=DELEGATIONS_FULL)
    return await _write(tx, actor, grant, nurse, wanted, trace_id, now)


async def end_by_doctor(
    tx: Tx, actor: Actor, patient_id: UUID, delegation_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The doctor takes back what was handed on. Once more changes nothing."""
    known = await queries.delegation_by_id(tx, patient_id, delegation_id)
    if known is None or known.delegated_by != actor.actor_id:
        return Refused(problem=UNKNOWN_DELEGATION)
    await _end(tx, actor, patient_id, delegation_id, trace_id, now)
    return None


async def end_by_person(
    tx: Tx, access: Access, delegation_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The person ends one; the grant it stands on goes on. Once more changes nothing."""
    assert access.action == "manage-grants"
    if await queries.delegation_by_id(tx, access.patient_id, delegation_id) is None:
        return Refused(problem=UNKNOWN_DELEGATION)
    await _end(tx, access.actor, access.patient_id, delegation_id, trace_id, now)
    return None


async def handed_on(tx: Tx, actor: Actor, patient_ids: list[UUID]) -> dict[UUID, list[Delegation]]:
    """What this doctor handed to nurses, by the grant it stands on."""
    found: dict[UUID, list[Delegation]] = {}
    if actor.role == "doctor":
        for one in await queries.handed_on(tx, actor.actor_id, patient_ids):
            found.setdefault(one.grant_id, []).append(one)
    return found


async def _own_grant(tx: Tx, actor: Actor, patient_id: UUID, now: datetime) -> LiveGrant | None:
    if actor.role != "doctor" or actor.facility_id is None:
        return None
    live = await live_grant(tx, patient_id, actor.actor_id, actor.facility_id, now)
    if live is None or is_held(live.created_at, live.confirmed_at, actor.factors_reset_at):
        return None
    return live


async def _write(
    tx: Tx,
    actor: Actor,
    grant: Grant,
    nurse: PractitionerCard,
    types: frozenset[RecordType],
    trace_id: str,
    now: datetime,
) -> Delegation:
    patient_id = grant.patient_id
    for old in await queries.live_delegations(tx, patient_id):
        if (old.practitioner_id, old.facility_id) == (nurse.practitioner_id, grant.facility_id):
            await end_one(tx, patient_id, old.delegation_id, now)
    made = Delegation(
        patient_id=patient_id,
        delegation_id=uuid7(now),
        grant_id=grant.grant_id,
        delegated_by=actor.actor_id,
        practitioner_id=nurse.practitioner_id,
        practitioner_name=nurse.name,
        licence=nurse.licence or "",
        facility_id=grant.facility_id,
        facility_name=grant.facility_name,
        types=sorted(types),
        created_at=now,
        ended_at=None,
    )
    await queries.insert_delegation(tx, made, grant)
    await emit(tx, patient_id, "consent.delegated", {"delegation_id": str(made.delegation_id)}, now)
    await _log(tx, actor, grant.patient_id, "create", trace_id, now, grant)
    return made


async def _end(
    tx: Tx, actor: Actor, patient_id: UUID, delegation_id: UUID, trace_id: str, now: datetime
) -> None:
    await lock_guard(tx, patient_id)
    if await end_one(tx, patient_id, delegation_id, now):
        await _log(tx, actor, patient_id, "end", trace_id, now, None)


async def _log(
    tx: Tx, actor: Actor, patient_id: UUID, what: str, trace_id: str, now: datetime, grant: Grant | None
) -> None:
    await record_act(
        tx,
        patient_id,
        actor,
        f"consent:delegation:{what}",
        grant_id=None if grant is None else grant.grant_id,
        grant_version=None if grant is None else grant.version,
        request_id=trace_id,
        now=now,
    )
