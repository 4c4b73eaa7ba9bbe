"""Presence: within 12 hours and online, a device of the facility scanned the person's rotating code, or the
person's own phone scanned the rotating code of a counter (visits/check_ins/phone.py).

Nothing else is presence: a poster, an upload made later, a number that somebody else took for the person and
one typed by staff give a ticket at most (security.md S7). A picture of a rotating code that somebody passes
on within its 60 seconds is taken for the code: that is accepted.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from identity.problems import UNIT_UNKNOWN
from identity.units.service import is_open
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits import queries
from visits.check_ins.models import AtCounter, Coming
from visits.check_ins.recording import note
from visits.counters.service import counter_at
from visits.identification import Identified, read_code
from visits.models import CheckIn, Presence
from visits.problems import NOT_AT_A_FACILITY
from visits.tickets.subjects import person_subjects

PRESENCE_TTL: Final = timedelta(hours=12)


async def check_in_by_scan(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    qr: str,
    *,
    unit_id: UUID | None = None,
    counter_id: UUID | None = None,
    request_id: str,
    now: datetime,
) -> CheckIn | Refused:
    """Record presence from a scan by a device of the actor's facility, at one of its units where named, and
    take a number at one of its counters where named.

    A second scan of the same drawn code returns the first check-in and its number. Refused: qr-…, code-spent
    for a code that another facility scanned, unit-unknown, counter-unknown, counter-of-unit.
    """
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    identified = read_code(keys, qr, now)
    if isinstance(identified, Refused):
        return identified
    at = None
    if counter_id is not None:
        counter = await counter_at(tx, actor.facility_id, counter_id, unit_id)
        if isinstance(counter, Refused):
            return counter
        subjects = person_subjects(keys, actor.facility_id, identified.patient_id, now)
        at = AtCounter(counter=counter, subjects=subjects)
    return await record_scan(tx, actor, identified, unit_id=unit_id, at=at, request_id=request_id, now=now)


async def record_scan(
    tx: Tx,
    actor: Actor,
    identified: Identified,
    *,
    unit_id: UUID | None = None,
    at: AtCounter | None = None,
    request_id: str,
    now: datetime,
) -> CheckIn | Refused:
    """The same for a code that was read already."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if unit_id is not None and not await is_open(tx, unit_id, actor.facility_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    coming = Coming(
        patient_id=identified.patient_id,
        facility_id=actor.facility_id,
        means="citizen-qr",
        code_id=identified.code_id,
        unit_id=unit_id if unit_id is not None or at is None else at.counter.unit_id,
        at=at,
    )
    done = await note(tx, actor, coming, request_id=request_id, now=now)
    if isinstance(done, Refused):
        return done
    row = done.row
    return CheckIn(
        check_in_id=row.check_in_id,
        patient_id=row.patient_id,
        recorded_at=row.recorded_at,
        ticket=done.ticket,
    )


async def presence_of(tx: Tx, patient_id: UUID, facility_id: UUID, now: datetime) -> Presence | None:
    """The latest proof of presence at this facility within 12 hours."""
    return await queries.recent_presence(tx, patient_id, facility_id, now - PRESENCE_TTL, now)


async def ticket_of(
    tx: Tx, patient_id: UUID, facility_id: UUID, asking: UUID, now: datetime
) -> Presence | None:
    """A check-in that another account than the asking one typed within 12 hours: tier D, no presence."""
    return await queries.recent_ticket(tx, patient_id, facility_id, asking, now - PRESENCE_TTL, now)
