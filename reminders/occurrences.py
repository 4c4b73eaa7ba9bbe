"""When times come: written once, and told where the person can be told.

Rows, notices and the next times are one transaction, and each has a key of its own: a worker that dies leaves
all of it undone, and a second run changes nothing, also one whose clock was set back. Times that come while a
plan is paused, its person is reported dead or its line is not seen are counted and not told (security.md S18,
S23). Hundreds of plans are done by a few statements; one whose person is of a merge, and one whose cause has
to be asked, is looked at alone (`ring`).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from msgspec import Struct, field

from ehr.prescriptions.reading import lines_for_plan, standing_lines
from family.service import answering_for, answering_for_many
from identity.merges.aliases import book_to_tell
from identity.people import person_card
from kernel.access import Access
from notifications.bulk import Notice, notify_many
from notifications.models import NotificationType
from notifications.service import notify
from reminders import queries
from reminders.answers.watching import watch
from reminders.kinds import KINDS
from reminders.models import WAITS, Kind, Outcome, Reminder
from reminders.orders import reading as orders
from reminders.passing import DueReminder, Passed, notices_of, once, passed_at, told_times
from reminders.phone import covered_devices
from reminders.policy import rings_at
from reminders.switches.service import is_on
from store.database import Tx
from store.keys import KeyRing

Timer: TypeAlias = tuple[str, datetime]


class Views(Struct, frozen=True):
    """What a job may read of a book: for the person's own phone, and for the phones of the family."""

    own: Access
    family: Access


class BatchViews(Struct, frozen=True):
    """The same of many books of which no merge is known."""

    own: Callable[[Iterable[UUID]], list[Access]]
    family: Callable[[Iterable[UUID]], list[Access]]


# Whether the cause of a reminder of a kind still stands, as far as the views see it.
Stands: TypeAlias = Mapping[Kind, Callable[[Tx, Reminder, Views, datetime], Awaitable[bool]]]


class Rung(Struct, frozen=True):
    """again: timers, by their marks, and when they fire next; alone: marks of plans that `ring` looks at."""

    again: list[Timer] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)


async def ring_many(
    tx: Tx,
    keys: KeyRing,
    marks: Sequence[str],
    views: BatchViews,
    asked: Collection[Kind],
    now: datetime,
) -> Rung:
    """Do what is due of many plans. asked: kinds whose cause is asked one by one."""
    rung, came = Rung(), list[DueReminder]()
    for one in await queries.DUE.all(tx, marks):
        if one.state in WAITS or one.next_at is None:
            continue
        if one.next_at > now:
            rung.again.append((marks[one.n - 1], rings_at(one.patient_id, one.next_at)))
        else:
            came.append(one)
    alone = _alone(came, asked)
    rung.alone.extend(marks[one.n - 1] for one in came if one.n in alone)
    due = [one for one in came if one.n not in alone]
    seen = await _seen(tx, due, views.own, now)
    outcomes = [
        _outcome(one, is_on=not one.is_off, is_alive=one.is_alive, is_seen=seen.get(one.n, True))
        for one in due
    ]
    family = await _families(tx, keys, due, outcomes, views.family, now)
    plans = [
        passed_at(one, outcome, now, one.patient_id, family.get(one.n, ()))
        for one, outcome in zip(due, outcomes, strict=True)
    ]
    saved = await _write(tx, plans, now)
    for place, (one, plan) in enumerate(zip(due, plans, strict=True)):
        if place not in saved:
            rung.alone.append(marks[one.n - 1])
        elif plan.next_at is not None:
            rung.again.append((marks[one.n - 1], rings_at(one.patient_id, plan.next_at)))
    return rung


def _alone(came: Sequence[DueReminder], asked: Collection[Kind]) -> set[int]:
    """By timer: of which something is asked that is not asked of many at once. All of a child with guardians
    goes one way, for what rings at one time is one notice."""
    alone = [one for one in came if one.is_apart or one.kind in asked or is_order(one)]
    # Of what a person wrote, its maker says whether the family may know.
    alone += [one for one in came if one.has_guardians and (one.prescription_id is None or one.is_split)]
    children = {one.patient_id for one in alone if one.has_guardians}
    return {one.n for one in alone} | {one.n for one in came if one.patient_id in children}


async def _seen(
    tx: Tx, due: Sequence[DueReminder], views: Callable[[Iterable[UUID]], list[Access]], now: datetime
) -> dict[int, bool]:
    """By timer: whether the line of a medicine is seen; what came from no line is not in it."""
    places, people, lines = list[int](), list[UUID](), list[tuple[UUID, int]]()
    for one in due:
        if one.prescription_id is not None and one.line is not None:
            places.append(one.n)
            people.append(one.patient_id)
            lines.append((one.prescription_id, one.line))
    return dict(zip(places, await standing_lines(tx, views(people), lines, now), strict=True))


async def _families(
    tx: Tx,
    keys: KeyRing,
    due: Sequence[DueReminder],
    outcomes: Sequence[Outcome],
    views: Callable[[Iterable[UUID]], list[Access]],
    now: datetime,
) -> dict[int, list[UUID]]:
    """By timer: the guardians who hear of a child's medicine, whose line they may know of (S23)."""
    told = [
        one
        for one, outcome in zip(due, outcomes, strict=True)
        if outcome == "told" and one.has_guardians and KINDS[one.kind].is_family
    ]
    seen = await _seen(tx, told, views, now)
    known = [one for one in told if seen.get(one.n)]
    guardians = await answering_for_many(tx, keys, {one.patient_id for one in known}, now)
    return {one.n: guardians[one.patient_id] for one in known}


def _outcome(one: Reminder | DueReminder, *, is_on: bool, is_alive: bool, is_seen: bool) -> Outcome:
    """What a time of this plan comes to, were it not late. is_on: its kind."""
    if one.state == "paused" or not is_on:
        return "paused"
    if not is_alive:
        return "death-reported"
    return "told" if is_seen else "not-seen"


async def _write(tx: Tx, plans: Sequence[Passed], now: datetime, beside: Sequence[Passed] = ()) -> set[int]:
    """Write how far plans are, their times, and what is said of them. beside: what the same notices say, and
    is written later. Returns which were still as they were read, by their place."""
    if not plans:
        return set()
    saved, noted = await queries.passed(tx, plans, now)
    mine = plans if len(saved) == len(plans) else [plans[place] for place in sorted(saved)]
    told = [(one, at) for one in mine for at in told_times(one) if (one.before.reminder_id, at) in noted]
    if told:
        said = told + [(one, at) for one in beside for at, _ in one.times]
        await notify_many(tx, _once(said, await _covered(tx, said), now), now)
        asked = [(one.before.patient_id, at) for one, at in told if KINDS[one.before.kind].repeats]
        await watch(tx, asked, now)
    return saved


async def _covered(tx: Tx, said: Sequence[tuple[Passed, datetime]]) -> list[frozenset[UUID]]:
    """Of each, the phones that ring by themselves."""
    asked = [
        place
        for place, (one, _) in enumerate(said)
        if not isinstance(one.before, DueReminder) or one.before.has_alarms
    ]
    covered = [_NO_PHONE] * len(said)
    if asked:
        found = await covered_devices(tx, [(said[place][0].before, said[place][1]) for place in asked])
        for place, devices in zip(asked, found, strict=True):
            covered[place] = devices
    return covered


_NO_PHONE: Final[frozenset[UUID]] = frozenset()


def _once(
    told: Sequence[tuple[Passed, datetime]], covered: Sequence[frozenset[UUID]], now: datetime
) -> list[Notice]:
    """Reminders of one kind that ring at one time ring once."""
    return once(
        notice
        for (one, at), devices in zip(told, covered, strict=True)
        for notice in notices_of(one, at, devices, now)
    )


async def ring(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    reminder_id: UUID,
    views: Views,
    now: datetime,
    stands: Stands | None = None,
) -> datetime | None:
    """Do what is due of one plan. Returns when its timer fires again; None where no time follows."""
    one = await queries.LOCK.one(tx, patient_id, reminder_id)
    if one is None or one.state in WAITS or one.next_at is None:
        return None
    if one.next_at > now:
        return rings_at(patient_id, one.next_at)
    alive = await is_alive(tx, keys, views.own.patient_id)
    is_seen = alive and await _is_told(tx, one, views, stands or {}, now)
    kind_is_on = await is_on(tx, patient_id, one.kind)
    outcome = _outcome(one, is_on=kind_is_on, is_alive=alive, is_seen=is_seen)
    book, family = None, list[UUID]()
    if outcome == "told":
        book = await book_to_tell(tx, patient_id, now)
        alike = Views(views.family, views.family)
        if KINDS[one.kind].is_family and await _is_told(tx, one, alike, stands or {}, now):
            family = await answering_for(tx, keys, book, now)
    plan = passed_at(one, outcome, now, book, family)
    await _write(tx, [plan], now, await _beside(tx, plan, views, stands or {}, now))
    return None if plan.next_at is None else rings_at(patient_id, plan.next_at)


async def _beside(tx: Tx, plan: Passed, views: Views, stands: Stands, now: datetime) -> list[Passed]:
    """What rings at the same time and the family sees too: one notice says it all, so that a guardian's phone
    rings by itself for all of it or for none."""
    if not plan.family:
        return []
    one, alike, found = plan.before, Views(views.family, views.family), list[Passed]()
    for at in told_times(plan):
        for other in await queries.AT_ONCE.all(tx, one.patient_id, one.kind, one.reminder_id, at):
            if await _is_told(tx, other, alike, stands, now):
                found.append(Passed(other, [(at, "told")], None, plan.book, plan.family))
    return found


async def _is_told(tx: Tx, one: Reminder, views: Views, stands: Stands, now: datetime) -> bool:
    """Whether the line or the cause of a reminder stands and is seen."""
    if not await sees(tx, views.own, one, now):
        return False
    asks = stands.get(one.kind)
    return asks is None or await asks(tx, one, views, now)


async def is_alive(tx: Tx, keys: KeyRing, patient_id: UUID) -> bool:
    """Whether nobody reported this person's death; an account that is closed stays a living person's."""
    card = await person_card(tx, keys, patient_id)
    return card is not None and card.state not in ("death-reported", "frozen", "erasing")


def is_order(one: Reminder | DueReminder) -> bool:
    """Whether it is a medicine that no e-prescription gave."""
    return one.kind == "medication" and one.prescription_id is None


async def sees(tx: Tx, access: Access, one: Reminder, now: datetime) -> bool:
    """Whether an access sees the line of a medicine's plan, and the line stands; what came from no line is
    seen by whoever the book tells."""
    if is_order(one):
        return one.reminder_id in await orders.seen(tx, access, [one], now)
    if one.prescription_id is None:
        return True
    lines = await lines_for_plan(tx, access, one.prescription_id, now)
    return any(line.line == one.line and line.is_standing for line in lines)


async def tell(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    what: NotificationType,
    key: str,
    now: datetime,
    until: datetime,
    *,
    ref: dict[str, str],
    family: Access | None,
) -> None:
    """Tell the person, and a child's guardians where the family may know of it (security.md S23)."""
    book = await book_to_tell(tx, patient_id, now)
    await notify(tx, keys, book, what, key, now, until, ref=ref)
    if family is None:
        return
    shown = ref | {"patient_id": str(book), "what": what}
    for guardian in await answering_for(tx, keys, book, now):
        await notify(tx, keys, guardian, "dependent-reminder", key, now, until, ref=shown)
