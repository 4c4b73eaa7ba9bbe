"""The person's side of broken glass: see it, stop it, dispute it, and leave parts out of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from audit.log import protected_name
from audit.protection.service import aliases
from audit.service import record_act
from consent.approval import Signed
from consent.emergency import queries
from consent.emergency.models import Category, DisputeReason, Emergency
from consent.emergency.policy import CATEGORIES, REVIEW_WITHIN, opened_types
from consent.emergency.problems import ALREADY_DISPUTED, UNKNOWN_EMERGENCY
from consent.emergency_reviews import queries as reviews
from consent.models import Standing
from consent.policy import ENDING_ACTIONS
from consent.queries import lock_guard
from consent.step_up import verify_act
from family.problems import NOT_IN_YOUR_CARE
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access
from kernel.paging import PAGE_MAX
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing
from store.outbox import emit

SETTINGS_TYP: Final = "emergency-settings"
# All categories by name are longer than an event's reference may be (store/outbox.py).
EVERYTHING: Final = "everything"
LAST_ID: Final = UUID(int=(1 << 128) - 1)


async def of_person(
    tx: Tx, keys: KeyRing, access: Access, before: UUID | None, limit: int, now: datetime
) -> tuple[list[Emergency], UUID | None]:
    """A page of the times the glass was broken, newest first; and the last id looked at where more follow.

    Nobody chose who broke it: a protected practitioner stands under the alias (security.md S27).
    """
    size = min(limit, PAGE_MAX)
    found = await queries.of_person(tx, access.patient_id, before or LAST_ID, size + 1)
    more = found[size - 1].emergency_id if len(found) > size else None
    told = [one for one in found[:size] if _is_told(one, access, now)]
    return await _masked(tx, keys, access.patient_id, told, now), more


async def end(tx: Tx, access: Access, emergency_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """Who can say stop is obeyed: the next request is refused. Ending one that is over changes nothing."""
    assert access.action in ENDING_ACTIONS
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    found = await queries.by_id(tx, patient_id, emergency_id)
    if found is None or not _is_told(found, access, now):
        return Refused(problem=UNKNOWN_EMERGENCY)
    if not await queries.end(tx, patient_id, emergency_id, now):
        return None
    await _log(tx, access, emergency_id, "consent:emergency:end", trace_id, now)
    return None


async def dispute(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    emergency_id: UUID,
    reason: DisputeReason,
    text: str | None,
    *,
    trace_id: str,
    now: datetime,
) -> Emergency | Refused:
    """Say that it should not have been. What runs ends at once, and the review is owed within 72 hours from
    now, also where it was closed. Refused: emergency-access-unknown, emergency-access-disputed."""
    assert access.action == "manage-grants"
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    found = await queries.by_id(tx, patient_id, emergency_id)
    if found is None or not _is_told(found, access, now):
        return Refused(problem=UNKNOWN_EMERGENCY)
    sealed = seal(keys, patient_id, "emergency_access", "dispute_text", text) if text else None
    if not await queries.dispute(tx, patient_id, emergency_id, now, reason, sealed):
        return Refused(problem=ALREADY_DISPUTED)
    await reviews.reopen_review(tx, found.facility_id, emergency_id, now, now + REVIEW_WITHIN)
    await _log(tx, access, emergency_id, "consent:emergency:dispute", trace_id, now)
    await emit(tx, patient_id, "consent.emergency-disputed", {"emergency_id": str(emergency_id)}, now)
    disputed = await queries.by_id(tx, patient_id, emergency_id)
    assert disputed is not None
    return (await _masked(tx, keys, patient_id, [disputed], now))[0]


async def withheld(tx: Tx, patient_id: UUID) -> list[Category]:
    """What the person leaves out of break-glass; nothing unless said."""
    kept = await queries.withheld(tx, patient_id)
    return [category for category in CATEGORIES if category in kept]


async def set_withheld(
    tx: Tx,
    access: Access,
    wanted: Iterable[Category],
    signed: Signed | None,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> list[Category] | Refused:
    """Leave parts out from the next request on. Leaving out more needs the session alone; letting in again
    what was left out needs the device key. A relative leaves out nothing.

    Refused: step-up-refused, not-in-your-care.
    """
    if not access.is_own:
        return Refused(problem=NOT_IN_YOUR_CARE)
    patient_id, after = access.patient_id, set(wanted)
    await lock_guard(tx, patient_id)
    before = set(await withheld(tx, patient_id))
    ordered = [category for category in CATEGORIES if category in after]
    if before - after:
        if signed is None:
            return Refused(problem=STEP_UP_REFUSED)
        held = await verify_act(
            tx, access, SETTINGS_TYP, {"withheld": ordered}, signed, environment=environment, now=now
        )
        if isinstance(held, Refused):
            return held
        if held.probation:
            return Refused(problem=STEP_UP_REFUSED)
    if before != after:
        await queries.set_withheld(tx, patient_id, list(ordered), now)
        named = EVERYTHING if len(ordered) == len(CATEGORIES) else ",".join(ordered)
        await emit(tx, patient_id, "consent.emergency-left-out", {"withheld": named}, now)
        await _log(tx, access, None, "consent:emergency:settings", trace_id, now)
    return ordered


async def leave_out_again(tx: Tx, patient_id: UUID, named: Iterable[str], now: datetime) -> None:
    """What the person left out before a restored backup let it in again."""
    said = set(named)
    await queries.set_withheld(tx, patient_id, [one for one in CATEGORIES if {one, EVERYTHING} & said], now)


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Broken glass that has not ended, also what waits for a second clinician; not while a flag defers the
    notice, since whoever looks need not be the person (security.md S23)."""
    left_out = await withheld(tx, patient_id)
    running = await queries.running_of_person(tx, patient_id, now)
    return [
        Standing(
            kind="break-glass",
            id=one.emergency_id,
            name=one.practitioner_name,
            facility=one.facility_name,
            what=sorted(opened_types(left_out)),
            since=one.opened_at,
            until=one.ends_at,
            ends_with=None,
        )
        for one in await _masked(tx, keys, patient_id, running, now)
        if one.told_from <= now
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """What is not told yet goes on: the hand on the phone may be the one it is kept from."""
    for one in await queries.running_of_person(tx, access.patient_id, now):
        await end(tx, access, one.emergency_id, trace_id=trace_id, now=now)


async def _masked(
    tx: Tx, keys: KeyRing, patient_id: UUID, found: list[Emergency], now: datetime
) -> list[Emergency]:
    masks = await aliases(tx, keys, patient_id, {one.practitioner_id for one in found}, now)
    return [
        replace(one, practitioner_name=protected_name(masks[one.practitioner_id]), licence="")
        if one.practitioner_id in masks
        else one
        for one in found
    ]


def _is_told(one: Emergency, access: Access, now: datetime) -> bool:
    """Under a safety flag it does not exist for anybody before its time, and for relatives never (S23)."""
    return one.safety_flag is None or (access.is_own and one.told_from <= now)


async def _log(
    tx: Tx, access: Access, emergency_id: UUID | None, tag: str, trace_id: str, now: datetime
) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        grant_id=emergency_id,
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
