"""Telling people of an alert, one after the other, until somebody says that it was seen.

Each step is one row of alert_delivery, taken under its alert's lock, so that a step that is taken twice says
nothing. Who may hear of it
is asked at every step: a link that ended, or that shows the measurements no more, ends it. Notices carry ids
alone. Runs in the worker's transaction and sends nothing.
"""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from family.policy import part_of
from family.service import answering_for, link_of, proxies_told
from identity.merges.aliases import book_to_tell
from identity.people import demographics
from kernel.clock import local_day, start_of_day
from kernel.ids import bucket_of
from notifications.preferences import read_preferences
from notifications.quiet import quiet_until
from notifications.service import count_rung, notify, withdraw
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from vitals.alerts.models import WARN, AlertRow, Rule
from vitals.alerts.queries import BY_ID
from vitals.alerts.rules import rules_for
from vitals.telling import queries
from vitals.telling.models import DeliveryRow, DeliveryStatus
from vitals.telling.policy import (
    AGAIN,
    CAPPED,
    ENDED_LIFE,
    LIFE,
    WAIT,
    WARN_PUSHES_A_DAY,
    chain_of,
    goes_on,
    next_of,
    step_of,
    type_of,
)

# The timer of an alert that nobody has seen yet; its ref is person and alert.
JOB: Final = "vital-alert-step"


async def begin(tx: Tx, keys: KeyRing, patient_id: UUID, alert_id: UUID, now: datetime) -> None:
    """An alert began, grew worse or woke: whoever comes first is told, and the next one's time is set."""
    await queries.LOCK_ALERT.one(tx, patient_id, alert_id)
    alert = await BY_ID.one(tx, patient_id, alert_id)
    if alert is None or not goes_on(alert, is_first=True):
        return
    rule = await _in_force(tx, keys, alert, now)
    if rule is None or (alert.measure == "no-data" and alert.status == "closed"):
        return
    book = await book_to_tell(tx, patient_id, now)
    if alert.is_silent:
        await _tell_silently(tx, keys, alert, book, now)
        return
    again = await _step(tx, keys, alert, rule, book, now)
    if again is not None:
        await schedule(tx, bucket_of(patient_id), again, JOB, f"{patient_id}:{alert_id}")


async def go_on(tx: Tx, keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """The timer: nobody said so far that it was seen. When the next one's time is; None: nobody is left."""
    patient_id, alert_id = (UUID(part) for part in ref.split(":"))
    is_free = await queries.TRY_ALERT.one(tx, patient_id, alert_id) is not None
    alert = await BY_ID.one(tx, patient_id, alert_id)
    if alert is not None and not is_free:
        return now + AGAIN
    if alert is None or alert.is_silent or not goes_on(alert, is_first=False):
        return None
    rule = await _in_force(tx, keys, alert, now)
    if rule is None:
        return None
    return await _step(tx, keys, alert, rule, await book_to_tell(tx, patient_id, now), now)


async def _in_force(tx: Tx, keys: KeyRing, alert: AlertRow, now: datetime) -> Rule | None:
    """The limit, if it still stands: who ended it, or set another above it, wants to hear no more."""
    person = await demographics(tx, keys, alert.patient_id)
    birth = None if person is None else person.birth_date
    rules = await rules_for(tx, alert.patient_id, birth, now, {alert.kind})
    return next((one for one in rules if one.rule_id == alert.rule_id), None)


async def _step(
    tx: Tx, keys: KeyRing, alert: AlertRow, rule: Rule, book: UUID, now: datetime
) -> datetime | None:
    """When the next one's time is. A warning waits for the end of its rule's quiet hours. That no data come
    is said once, to whoever asked for it."""
    waits_until = await _quiet_until(tx, alert, rule, book, now)
    if waits_until is not None:
        return waits_until
    told = await queries.DELIVERIES.all(tx, alert.patient_id, alert.alert_id)
    chain = await _chain(tx, keys, alert, book, now)
    if alert.measure == "no-data":
        chain = chain[:1]
    recipient, step = next_of(chain, alert, told), step_of(alert, told)
    if recipient is None or step is None:
        return None
    await _tell(tx, keys, alert, book, recipient, step, now)
    is_last = alert.status == "closed" or alert.measure == "no-data"
    return None if is_last else now + WAIT[alert.severity]


async def _quiet_until(tx: Tx, alert: AlertRow, rule: Rule, book: UUID, now: datetime) -> datetime | None:
    """When the quiet hours of the rule end, by the clock of whose rule it is; None while there are none."""
    if rule.quiet is None or alert.severity != WARN:
        return None
    whose = rule.owner_id if rule.is_personal and rule.owner_id is not None else book
    begins, ends = (time.fromisoformat(one) for one in rule.quiet)
    chosen = await read_preferences(tx, whose)
    return quiet_until(replace(chosen, quiet_from=begins, quiet_until=ends), now)


async def _chain(tx: Tx, keys: KeyRing, alert: AlertRow, book: UUID, now: datetime) -> list[UUID]:
    owner = alert.owner_id if alert.owner_role in ("guardian", "follower") else None
    if owner is not None:
        return [owner] if await may_follow(tx, keys, owner, book, now) else []
    guardians = await answering_for(tx, keys, book, now)
    followers = await proxies_told(tx, keys, book, now, "vitals")
    return chain_of(book, guardians, followers, owner_id=None)


async def may_follow(tx: Tx, keys: KeyRing, who: UUID, book: UUID, now: datetime) -> bool:
    """Whether a link lets one person keep limits for another now: relation, age, scopes, dispute."""
    link = await link_of(tx, keys, who, book, now)
    part = None if link is None else part_of(link)
    return part is not None and "manage-alerts" in part.actions


async def _tell(
    tx: Tx, keys: KeyRing, alert: AlertRow, book: UUID, recipient: UUID, step: int, now: datetime
) -> None:
    status: DeliveryStatus = "told" if await _is_pushed(tx, alert, recipient, now) else "capped"
    ref = {"alert_id": str(alert.alert_id)}
    ref |= {"patient_id": str(book)} if recipient != book else {}
    notification_id = await notify(
        tx,
        keys,
        recipient,
        type_of(alert.severity, is_about_another=recipient != book),
        f"vital-alert:{alert.alert_id}:{step}",
        now,
        now + LIFE[alert.severity],
        ref=ref,
        silent=status == "capped",
    )
    await _note(tx, alert, recipient, step, notification_id, status, now)


async def _is_pushed(tx: Tx, alert: AlertRow, recipient: UUID, now: datetime) -> bool:
    if alert.severity != WARN:
        return True
    return await _has_room(tx, recipient, now)


async def _has_room(tx: Tx, recipient: UUID, now: datetime) -> bool:
    """Whether the recipient's day still has a warning that rings, whoever it is about."""
    return await count_rung(tx, recipient, CAPPED, start_of_day(local_day(now))) < WARN_PUSHES_A_DAY


async def _note(
    tx: Tx,
    alert: AlertRow,
    recipient: UUID,
    step: int,
    notification_id: UUID | None,
    status: DeliveryStatus,
    now: datetime,
) -> None:
    row = (alert.patient_id, alert.alert_id, recipient, step, notification_id, status, now)
    await queries.INSERT_DELIVERY.run(tx, *row)


async def _tell_silently(tx: Tx, keys: KeyRing, alert: AlertRow, book: UUID, now: datetime) -> None:
    """In the app of whoever's limit it was, once, and nobody is pushed."""
    told = await queries.DELIVERIES.all(tx, alert.patient_id, alert.alert_id)
    chain = await _chain(tx, keys, alert, book, now)
    if told or not chain:
        return
    recipient, step = chain[0], alert.severity * 100
    type_ = type_of(WARN, is_about_another=recipient != book)
    ref = {"alert_id": str(alert.alert_id)}
    ref |= {"patient_id": str(book)} if recipient != book else {}
    key = f"vital-alert:{alert.alert_id}:{step}"
    said = await notify(tx, keys, recipient, type_, key, now, now + ENDED_LIFE, ref=ref, silent=True)
    await _note(tx, alert, recipient, step, said, "silent", now)


async def end(
    tx: Tx, keys: KeyRing, patient_id: UUID, alert_id: UUID, by: UUID | None, now: datetime
) -> None:
    """It was seen (by: who said so) or was none after all: what waits leaves no more, and everybody else who
    was told hears it once."""
    alert = await BY_ID.one(tx, patient_id, alert_id)
    told = [one for one in await queries.DELIVERIES.all(tx, patient_id, alert_id) if one.status == "told"]
    if alert is None or not told:
        return
    await _withdraw(tx, told, now)
    book = await book_to_tell(tx, patient_id, now)
    why = "seen" if by is not None else "withdrawn"
    for recipient in dict.fromkeys(one.recipient_id for one in told):
        if recipient == by:
            continue
        ref = {"alert_id": str(alert_id), "why": why}
        ref |= {"patient_id": str(book)} if recipient != book else {}
        key = f"vital-alert-ended:{alert_id}:{why}:{_round_of(told)}"
        is_silent = not await _is_pushed(tx, alert, recipient, now)
        await notify(
            tx, keys, recipient, "vital-alert-ended", key, now, now + ENDED_LIFE, ref=ref, silent=is_silent
        )


async def say_again(tx: Tx, keys: KeyRing, patient_id: UUID, alert_id: UUID, at: str, now: datetime) -> None:
    """Somebody who acts for another lengthened the silence of what is critical: the person reads so in the
    app each time, where it concerns the person, so that nobody keeps it from them."""
    alert = await BY_ID.one(tx, patient_id, alert_id)
    book = await book_to_tell(tx, patient_id, now)
    if alert is None or book not in await _chain(tx, keys, alert, book, now):
        return
    ref, key = {"alert_id": str(alert_id), "why": "seen"}, f"vital-alert-ended:{alert_id}:again:{at}"
    await notify(tx, keys, book, "vital-alert-ended", key, now, now + ENDED_LIFE, ref=ref, silent=True)


def _round_of(told: Sequence[DeliveryRow]) -> int:
    """The last step so far: it is said once for each time that it woke."""
    return max(one.step for one in told)


async def _withdraw(tx: Tx, told: Sequence[DeliveryRow], now: datetime) -> None:
    notices = [(one.recipient_id, one.notification_id) for one in told]
    waiting = [(whose, ident) for whose, ident in notices if ident is not None]
    await withdraw(tx, waiting, now, ("push", "sms"))
