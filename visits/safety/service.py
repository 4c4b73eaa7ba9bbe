"""Keeping a check-in or a booking from guardians, proxies and emergency contacts (security.md S23).

patient_id is always the person under whom the check-in or booking is kept, so that a flag lies beside it and
goes where it goes. Nobody is told that a flag was set.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from identity.units.service import sensitive_of
from kernel.access import Access
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit
from visits.exposure.places import is_listable
from visits.safety import queries
from visits.safety.models import Held, Item, ItemKind, Kept, Reason
from visits.safety.problems import TOO_MANY_KEPT, VISIT_UNKNOWN

KEPT_MAX: Final = 200


async def flag(
    tx: Tx, patient_id: UUID, kind: ItemKind, item_id: UUID, reason: Reason, now: datetime
) -> None:
    """Keep it from the family from now on; the same again changes nothing. The caller holds the item."""
    await queries.insert(tx, patient_id, item_id, kind, reason, now)
    if reason != "sensitive-department":
        # Into the journal: no restored backup may show it to the family (security.md S12).
        await emit(tx, patient_id, "visit.kept", {"item_id": str(item_id), "kind": kind}, now)


async def unflag(tx: Tx, patient_id: UUID, item_id: UUID) -> bool:
    """The person shows it again. False without such a flag; what a sensitive department keeps stays so."""
    return await queries.DELETE.one(tx, patient_id, item_id) is not None


async def keep(tx: Tx, access: Access, item_id: UUID, reason: Reason, now: datetime) -> Refused | None:
    """Keep one of the person's check-ins or bookings from the family, by the person or a clinician. Refused:
    visit-unknown, too-many-kept."""
    for patient_id in people_of(access):
        held = await queries.ITEM.one(tx, patient_id, item_id)
        if held is not None:
            return await _keep(tx, patient_id, held, reason, now)
    return Refused(problem=VISIT_UNKNOWN, where="item_id")


async def keep_here(
    tx: Tx, access: Access, facility_id: UUID, reason: Reason, now: datetime
) -> Refused | None:
    """The same for all that the person has at this facility today, in Vietnam."""
    since, until = start_of_day(local_day(now)), end_of_day(local_day(now))
    found = [
        (patient_id, held)
        for patient_id in people_of(access)
        for held in await queries.HERE.all(tx, patient_id, facility_id, since, until)
    ]
    for patient_id, held in found:
        refused = await _keep(tx, patient_id, held, reason, now)
        if refused is not None:
            return refused
    return None if found else Refused(problem=VISIT_UNKNOWN)


async def show(tx: Tx, access: Access, item_id: UUID, now: datetime) -> Refused | None:
    """The person shows one again, whoever had flagged it. Refused: visit-unknown."""
    for patient_id in people_of(access):
        if await unflag(tx, patient_id, item_id):
            await emit(tx, patient_id, "visit.shown-again", {"item_id": str(item_id)}, now)
            return None
    return Refused(problem=VISIT_UNKNOWN, where="item_id")


async def kept(tx: Tx, access: Access) -> list[Kept]:
    """What its person keeps, and what a clinician kept; at most KEPT_MAX of each person merged together."""
    return [one for who in people_of(access) for one in await queries.KEPT.all(tx, who, KEPT_MAX)]


async def keep_again(tx: Tx, patient_id: UUID, item_id: UUID, kind: ItemKind, at: datetime) -> None:
    """A flag that a restored backup undid (security.md S12)."""
    await queries.PUT.run(tx, patient_id, item_id, kind, at)


def people_of(access: Access) -> tuple[UUID, ...]:
    """Under whom what the person sees is kept: the person, and everybody merged into it."""
    return access.patient_id, *sorted(access.origins)


async def _keep(tx: Tx, patient_id: UUID, held: Held, reason: Reason, now: datetime) -> Refused | None:
    if len(await queries.KEPT.all(tx, patient_id, KEPT_MAX)) >= KEPT_MAX:
        return Refused(problem=TOO_MANY_KEPT)
    await flag(tx, patient_id, held.kind, held.item_id, reason, now)
    return None


async def flagged(tx: Tx, patient_id: UUID, item_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these check-ins and bookings carry a flag."""
    if not item_ids:
        return frozenset()
    return frozenset(await queries.FLAGGED.all(tx, patient_id, list(item_ids)))


async def withheld(tx: Tx, patient_id: UUID, items: Sequence[Item]) -> frozenset[UUID]:
    """Which of these the family learns nothing of: those that carry a flag, those at a unit that is sensitive
    now or at a facility that is nothing else, and every check-in of a visit that has one such: the rest of it
    would tell when it began and ended. A unit that is sensitive once stays so, so what was withheld stays
    withheld."""
    if not items:
        return frozenset()
    visits = await queries.OF_VISITS.all(tx, patient_id, [one.item_id for one in items])
    judged = [(one.item_id, one.item_id, one.unit_id) for one in items]
    judged += [(one.item_id, one.check_in_id, one.unit_id) for one in visits]
    flags = await flagged(tx, patient_id, list({check_in_id for _, check_in_id, _ in judged}))
    units = await sensitive_of(tx, {unit_id for *_, unit_id in judged if unit_id is not None})
    kept = {item_id for item_id, one, unit_id in judged if one in flags or unit_id in units}
    telling = {one for one in {item.facility_id for item in items} if not await is_listable(tx, one)}
    return frozenset(kept | {item.item_id for item in items if item.facility_id in telling})


async def forget(tx: Tx, patient_id: UUID, item_ids: Sequence[UUID]) -> None:
    """The check-ins or bookings themselves are removed in this transaction."""
    await queries.FORGET.run(tx, patient_id, list(item_ids))


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove flags that were set before that time, at most `limit`: their items are gone long since."""
    return await queries.DELETE_OLD.one(tx, before, limit) or 0
