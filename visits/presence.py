"""Presence: a device of the facility scanned the person's rotating code, online, within 12 hours.

Nothing else is presence: a poster, an upload made later and a number typed by staff give a ticket
at most (security.md S7).
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity.problems import UNIT_UNKNOWN
from identity.units.service import is_open
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from visits import queries
from visits.identification import Identified, read_code
from visits.models import CheckIn, Presence
from visits.problems import NOT_AT_A_FACILITY

PRESENCE_TTL: Final = timedelta(hours=12)


async def check_in_by_scan(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    qr: str,
    *,
    unit_id: UUID | None = None,
    request_id: str,
    now: datetime,
) -> CheckIn | Refused:
    """Record presence from a scan by a device of the actor's facility, at one of its units where named.

    A second scan of the same drawn code returns the first check-in and writes nothing.
    """
    identified = read_code(keys, qr, now)
    if isinstance(identified, Refused):
        return identified
    return await record_scan(tx, actor, identified, unit_id=unit_id, request_id=request_id, now=now)


async def record_scan(
    tx: Tx,
    actor: Actor,
    identified: Identified,
    *,
    unit_id: UUID | None = None,
    request_id: str,
    now: datetime,
) -> CheckIn | Refused:
    """The same for a code that was read already."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if unit_id is not None and not await is_open(tx, unit_id, actor.facility_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    patient_id, facility_id = identified.patient_id, actor.facility_id
    kept = await queries.insert_check_in(
        tx,
        patient_id=patient_id,
        check_in_id=uuid7(now),
        facility_id=facility_id,
        means="citizen-qr",
        code_id=identified.code_id,
        recorded_by=actor.actor_id,
        recorded_at=now,
        unit_id=unit_id,
    )
    if kept is None:
        first = await queries.check_in_by_code(tx, patient_id, facility_id, identified.code_id)
        assert first is not None
        return CheckIn(check_in_id=first.check_in_id, patient_id=patient_id, recorded_at=first.recorded_at)
    await queries.NOTE_ARRIVAL.run(tx, facility_id, kept.check_in_id, now)
    await record_act(tx, patient_id, actor, "visit:check-in:create", request_id=request_id, now=now)
    await emit(tx, patient_id, "visit.checked-in", {"check_in_id": str(kept.check_in_id)}, now)
    return CheckIn(check_in_id=kept.check_in_id, patient_id=patient_id, recorded_at=kept.recorded_at)


async def presence_of(tx: Tx, patient_id: UUID, facility_id: UUID, now: datetime) -> Presence | None:
    """The latest proof of presence at this facility within 12 hours."""
    return await queries.recent_presence(tx, patient_id, facility_id, now - PRESENCE_TTL, now)


async def ticket_of(
    tx: Tx, patient_id: UUID, facility_id: UUID, asking: UUID, now: datetime
) -> Presence | None:
    """A check-in that another account than the asking one typed within 12 hours: tier D, no presence."""
    return await queries.recent_ticket(tx, patient_id, facility_id, asking, now - PRESENCE_TTL, now)
