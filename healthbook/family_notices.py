"""What guardians hear of a child's book: who was let in, who read first, what ended, which link was opened,
and who became a guardian beside them, was barred by a court or is not any more.

Only whoever may answer for the child now: nobody from 15 on, no guardian whose link is disputed. Ids, never
words. Broken glass has its own way, for it can be under a safety flag (emergency_notices.py).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from consent.decision import decide_job
from ehr.statements.service import declared_entry
from family.policy import part_of
from family.service import answering_for, link_of
from identity.merges.aliases import survivor_of
from kernel.problems import Refused
from notifications.models import NotificationType
from notifications.service import notify
from store.database import Tx
from store.keys import KeyRing
from store.models import Event
from visits.booking import service as appointments

Ref: TypeAlias = dict[str, str]
Handler: TypeAlias = Callable[[Tx, KeyRing, Event, Ref, datetime], Awaitable[None]]
Condition: TypeAlias = Callable[[Tx, Event, Ref, datetime], Awaitable[bool]]

LIFE: Final = timedelta(days=7)
_IDS: Final = ("grant_id", "link_id", "guardian_id")
_REACTION: Final[dict[str, NotificationType]] = {
    "vaccination.reaction-severe": "reaction-severe",
    "vaccination.reaction-moved": "reaction-update",
}


def and_guardians(say: Handler, *, where: Condition | None = None) -> Handler:
    """Tell the person, and the guardians who act for the person. where: only of what they may know of."""

    async def say_both(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        if where is None or await where(tx, event, ref, now):
            await _tell(tx, keys, event, ref, now)

    return say_both


async def is_entry_seen(tx: Tx, event: Event, ref: Ref, now: datetime) -> bool:
    """Whether the family may know of the declared entry that a doctor judged (security.md S23)."""
    family = await decide_job(tx, "family-reminders", await survivor_of(tx, event.patient_id))
    return await declared_entry(tx, family, ref["statement_id"], now) is not None


async def _tell(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A first read is told once per practitioner and day, as it is to the person."""
    once = f"{ref['practitioner_id']}:{ref['day']}" if "day" in ref else str(event.event_id)
    key = f"{event.event}:{event.patient_id}:{once}"
    shown = {"patient_id": str(event.patient_id), "what": event.event}
    shown |= {name: ref[name] for name in _IDS if name in ref}
    for guardian in await answering_for(tx, keys, event.patient_id, now):
        if str(guardian) == ref.get("guardian_id"):
            continue
        await notify(tx, keys, guardian, "dependent-news", key, now, now + LIFE, ref=shown)


async def say_consultation(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """News of a question: to whoever asked; where that is no longer theirs to do, to the person."""
    asker, person = event.patient_id, UUID(ref.get("person_id", str(event.patient_id)))
    is_theirs = asker == person or asker in await answering_for(tx, keys, person, now)
    told = asker if is_theirs else person
    shown = {"consultation_id": ref["consultation_id"], "step": ref["step"]}
    key = f"{event.event}:{ref['step']}"
    await notify(tx, keys, told, "consultation-update", key, now, now + LIFE, ref=shown)


async def say_reaction(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """News of a report: to whoever reported while that one may add to the book, else to the person."""
    reporter, person = event.patient_id, UUID(ref["person_id"])
    link = None if reporter == person else await link_of(tx, keys, reporter, person, now)
    part = None if link is None else part_of(link)
    is_theirs = reporter == person or (part is not None and "add-to-record" in part.actions)
    shown = {"reaction_id": ref["reaction_id"], "step": ref["step"]}
    shown |= {"patient_id": str(person)} if is_theirs and reporter != person else {}
    key, type_ = f"{event.event}:{ref['step']}", _REACTION[event.event]
    await notify(tx, keys, reporter if is_theirs else person, type_, key, now, now + LIFE, ref=shown)


async def say_registration(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """News of a registration: to the person, and to the relative who made it while that one may."""
    person, by = event.patient_id, UUID(ref["by"])
    shown = {"registration_id": ref["registration_id"], "step": ref["step"]}
    key = f"{event.event}:{ref['step']}"
    await notify(tx, keys, person, "vaccination-registration", key, now, now + LIFE, ref=shown)
    link = None if by == person else await link_of(tx, keys, by, person, now)
    part = None if link is None else part_of(link)
    if part is not None and "manage-appointments" in part.actions:
        whose = shown | {"patient_id": str(person)}
        await notify(tx, keys, by, "vaccination-registration", key, now, now + LIFE, ref=whose)


async def say_appointment(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """News of an appointment: to the person, and to the relative who booked it while that one may see it."""
    person, by = event.patient_id, UUID(ref["by"])
    shown = {"appointment_id": ref["appointment_id"], "step": ref["step"]}
    key = f"{event.event}:{ref['step']}"
    await notify(tx, keys, person, "appointment-update", key, now, now + LIFE, ref=shown)
    link = None if by == person else await link_of(tx, keys, by, person, now)
    part = None if link is None else part_of(link)
    if part is None or "manage-appointments" not in part.actions:
        return
    # What was flagged since then is not theirs to hear of (security.md S23).
    family = await decide_job(tx, "family-reminders", person)
    seen = await appointments.own(tx, family, UUID(ref["appointment_id"]))
    if not isinstance(seen, Refused):
        whose = shown | {"patient_id": str(person)}
        await notify(tx, keys, by, "appointment-update", key, now, now + LIFE, ref=whose)
