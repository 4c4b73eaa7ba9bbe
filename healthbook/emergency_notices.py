"""Who hears of broken glass: the person, a child's guardians, the emergency contacts (security.md S24).

Within a minute, from the outbox. Under a coded safety flag the person hears by a timer, and nobody else ever
does (S23).
"""

from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from consent.emergency import arrivals
from consent.emergency.models import Emergency
from consent.emergency.queries import by_id
from consent.emergency_card.contacts import contacts_to_tell
from family.policy import YOUTH_AGE, is_of_age
from family.service import guardians_of, link_of
from identity.people import person_card
from identity.register.facilities import facility_by_id
from kernel.clock import local_day
from notifications.models import NotificationType, SmsEmergency
from notifications.service import notify
from store.database import Tx
from store.keys import KeyRing
from store.models import Event
from store.outbox import emit

Ref: TypeAlias = dict[str, str]
LIFE = timedelta(days=7)


async def say_broken(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """At once: the person, and whoever stands by the person."""
    patient_id = event.patient_id
    found = await by_id(tx, patient_id, UUID(ref["emergency_id"]))
    if found is None:
        return
    await _say(tx, keys, found, "emergency-access", "opened", now)
    person = await person_card(tx, keys, patient_id)
    if person is None:
        return
    # From fifteen on nobody else hears of it but the contacts that the person named (S23).
    if not is_of_age(person.birth_date, YOUTH_AGE, local_day(now)):
        for guardian_id in await guardians_of(tx, patient_id, now):
            told = {"person_id": str(patient_id), "emergency_id": str(found.emergency_id)}
            await emit(tx, guardian_id, "consent.glass-broken-relative", told, now)
    facility = await facility_by_id(tx, found.facility_id)
    sms = SmsEmergency(person=person.name or "", place=facility.discreet_name if facility else "")
    for contact in await contacts_to_tell(tx, keys, patient_id):
        key = f"consent.emergency-contact:{found.emergency_id}:{contact.contact_id}"
        shown = {"emergency_id": str(found.emergency_id)}
        await notify(
            tx,
            keys,
            patient_id,
            "emergency-contact-told",
            key,
            now,
            now + timedelta(days=1),
            ref=shown,
            silent=True,
            sms=sms,
            phone=contact.phone,
        )


async def say_to_guardian(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A guardian whose link stands now."""
    if await link_of(tx, keys, event.patient_id, UUID(ref["person_id"]), now, ()) is None:
        return
    key, until = f"consent.glass-broken:{ref['emergency_id']}", now + LIFE
    await notify(tx, keys, event.patient_id, "emergency-access-relative", key, now, until, ref=ref)


async def say_deferred(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The flag's time is over: the person alone hears of it."""
    found = await _of_mark(tx, mark)
    if found is not None:
        await _say(tx, keys, found, "emergency-access", "opened", now)
    return None


async def settle_arrival(tx: Tx, _keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """The hour is over in which the arrival had to be noted."""
    person, _, emergency = mark.partition(":")
    await arrivals.settle(tx, UUID(person), UUID(emergency), now)
    return None


async def say_read(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """The first read of a day."""
    await _say_later(tx, keys, event, ref, "emergency-read", ref["day"], now)


async def say_signed(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    await _say_later(tx, keys, event, ref, "emergency-signed", ref["act"], now)


async def say_disputed(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    await _say_later(tx, keys, event, ref, "emergency-disputed", "disputed", now)


async def say_reviewed(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Each review of it, a second reading too."""
    await _say_later(tx, keys, event, ref, "emergency-reviewed", str(event.event_id), now)


async def _say_later(
    tx: Tx, keys: KeyRing, event: Event, ref: Ref, type_: NotificationType, step: str, now: datetime
) -> None:
    """What follows an opening is not said before the opening itself is."""
    found = await by_id(tx, event.patient_id, UUID(ref["emergency_id"]))
    if found is not None and found.told_from <= now:
        await _say(tx, keys, found, type_, step, now)


async def _say(
    tx: Tx, keys: KeyRing, found: Emergency, type_: NotificationType, step: str, now: datetime
) -> None:
    key = f"{type_}:{found.emergency_id}:{step}"
    ref = {"emergency_id": str(found.emergency_id)}
    await notify(tx, keys, found.patient_id, type_, key, now, now + LIFE, ref=ref)


async def _of_mark(tx: Tx, mark: str) -> Emergency | None:
    person, _, emergency = mark.partition(":")
    return await by_id(tx, UUID(person), UUID(emergency))
