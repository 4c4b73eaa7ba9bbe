"""Where a visit may stand on a list: never at a sensitive unit, nor at a facility that is nothing else. What
lies at such a facility is kept from the family too (security.md S23).

A unit is judged by what it is now and by its name; one that was sensitive stays so (identity/units). A visit
that was at one then carries a flag since (visits/safety).
"""

from collections.abc import Iterable
from uuid import UUID

from identity.merges.aliases import origins_of, survivor_of
from identity.register.facilities import facility_by_id
from identity.units.service import natures_of
from identity.units.specialties import by_code, is_sensitive_name
from store.database import Tx
from visits.counters.policy import is_telling
from visits.exposure import queries
from visits.exposure.models import Came, Entry


async def is_listable(tx: Tx, facility_id: UUID) -> bool:
    """Whether there is such a facility, and it is not sensitive as a whole: by its name, by all of its
    specialties, or by all of its units, those that are open or all that it ever had."""
    facility = await facility_by_id(tx, facility_id)
    if facility is None or is_sensitive_name(facility.name):
        return False
    known = by_code()
    specialties = [known.get(code) for code in await queries.SPECIALTIES.all(tx, facility_id)]
    units = await queries.UNITS_OF_FACILITY.all(tx, facility_id)
    natures = await natures_of(tx, facility_id, [one.unit_id for one in units])
    ever = [natures[one.unit_id].is_sensitive for one in units]
    now = [natures[one.unit_id].is_sensitive for one in units if one.is_open]
    by_specialty = [one is not None and one.sensitive for one in specialties]
    return not any(marks and all(marks) for marks in (ever, now, by_specialty))


async def barred_units(tx: Tx, facility_id: UUID, visits: Iterable[Came | Entry]) -> frozenset[UUID]:
    """Units and counters of these visits that keep a visit off a list: sensitive ones, by unit or by what the
    counter is called, and any that the facility's register does not have."""
    seen = list(visits)
    wanted = {one.counter_id for one in seen if one.counter_id is not None}
    counters = await queries.COUNTERS.all(tx, facility_id, sorted(wanted))
    units = {one.unit_id for one in (*seen, *counters) if one.unit_id is not None}
    natures = await natures_of(tx, facility_id, sorted(units))
    barred = {unit for unit in units if unit not in natures or natures[unit].is_sensitive}
    known = {
        one.counter_id
        for one in counters
        if one.unit_id not in barred and not any(map(is_telling, (one.code, one.name)))
    }
    return frozenset(barred | (wanted - known))


async def is_flagged_apart(tx: Tx, facility_id: UUID, visit: Came | Entry) -> bool:
    """Whether something of this time there is flagged in a book that a merge made one with this: booked under
    one number, checked in under the other."""
    survivor = await survivor_of(tx, visit.patient_id)
    for patient_id in sorted({survivor, *await origins_of(tx, survivor)} - {visit.patient_id}):
        if await queries.IS_FLAGGED_NEAR.one(tx, patient_id, facility_id, visit.recorded_at):
            return True
    return False


def is_barred(visit: Came | Entry, barred: frozenset[UUID]) -> bool:
    return visit.unit_id in barred or visit.counter_id in barred
