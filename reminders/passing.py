"""What a plan comes to when its times came: which they are, what is said of each, and the next one. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from notifications.bulk import Notice, stable_id
from reminders.kinds import KINDS
from reminders.models import Kind, Outcome, Reminder, State
from reminders.policy import next_after, rings_at

# Times that one tick catches up on after a worker was away; the rest follows at once.
CATCH_UP: Final = 100


class DueReminder(Struct, frozen=True):
    """A plan whose timer fired, as far as its times ask, with what a batch has to know of its person. n: of
    which timer; is_apart: of a merge, so that it is looked at alone; has_guardians: somebody stood or stands
    as one; is_split: more of its kind rings for them at that time, by none of these timers; is_off: the
    person switched its kind off; has_alarms: some phone said that it rings by itself."""

    patient_id: UUID
    reminder_id: UUID
    kind: Kind
    prescription_id: UUID | None
    line: int | None
    state: State
    times: list[time]
    interval_hours: int | None
    zone: str
    starts_on: date
    doses: int | None
    doses_due: int
    next_at: datetime | None
    version: int
    every_days: int
    weekdays: list[int]
    on_days: list[date]
    phases: str | None
    n: int
    is_alive: bool
    is_apart: bool
    has_guardians: bool
    is_split: bool
    is_off: bool
    has_alarms: bool


class Passed(Struct, frozen=True):
    """A plan whose times came. times: each with what became of it, oldest first; next_at: the one that
    follows; book: who is told, None where nobody is; family: a child's guardians, who are told of it too."""

    before: Reminder | DueReminder
    times: list[tuple[datetime, Outcome]]
    next_at: datetime | None
    book: UUID | None = None
    family: tuple[UUID, ...] = ()


def passed_at(
    one: Reminder | DueReminder,
    outcome: Outcome,
    now: datetime,
    book: UUID | None,
    family: Iterable[UUID] = (),
) -> Passed:
    """All its times until now. outcome: what they come to where they are not late."""
    times = list[tuple[datetime, Outcome]]()
    late_from = now - KINDS[one.kind].rings_within
    at = one.next_at
    while at is not None and at <= now and len(times) < CATCH_UP:
        is_late = outcome == "told" and at <= late_from
        times.append((at, "late" if is_late else outcome))
        at = following(one, at, one.doses_due + len(times))
    return Passed(one, times, at, book, tuple(family))


def following(one: Reminder | DueReminder, due_at: datetime, doses_due: int) -> datetime | None:
    """The time after one that came, when so many have come in all; None where it was the last."""
    if one.doses is not None and doses_due >= one.doses:
        return None
    days = one.starts_on, one.every_days, tuple(one.weekdays), tuple(one.on_days)
    stage = (one.phases, doses_due) if one.phases else None
    return _after(due_at, tuple(one.times), one.interval_hours, one.zone, days, stage)


# A country's morning has few wall times and many people: each conversion is made once.
@lru_cache(maxsize=1 << 14)
def _after(
    due_at: datetime,
    times: tuple[time, ...],
    interval_hours: int | None,
    zone: str,
    days: tuple[date, int, tuple[int, ...], tuple[date, ...]],
    stage: tuple[str, int] | None,
) -> datetime | None:
    starts_on, every_days, weekdays, on_days = days
    phases, doses_due = stage or (None, 0)
    one = replace(
        _BLANK,
        times=list(times),
        interval_hours=interval_hours,
        zone=zone,
        starts_on=starts_on,
        every_days=every_days,
        weekdays=list(weekdays),
        on_days=list(on_days),
        phases=phases,
        doses_due=doses_due,
        last_at=due_at,
    )
    return next_after(one, due_at)


_BLANK: Final = Reminder(
    patient_id=UUID(int=0),
    reminder_id=UUID(int=0),
    kind="medication",
    prescription_id=None,
    line=None,
    state="active",
    asks=None,
    own_times=False,
    times=[],
    interval_hours=None,
    zone="UTC",
    checks=[],
    starts_on=date.min,
    doses=None,
    doses_due=0,
    next_at=None,
    last_at=None,
    end_reason=None,
    version=0,
    changed_at=datetime.min.replace(tzinfo=UTC),
)


def told_times(one: Passed) -> list[datetime]:
    """Of which times something is said: those in time; or, where a cause outlasts its time, the last of those
    that came while no worker was there."""
    told = [at for at, outcome in one.times if outcome == "told"]
    if not told and one.times and one.times[-1][1] == "late" and KINDS[one.before.kind].late_told:
        return [one.times[-1][0]]
    return told


def key_of(kind: Kind, patient_id: UUID, due_at: datetime) -> str:
    """Reminders of one kind that ring at one time are told once."""
    return f"{KINDS[kind].type_}:{patient_id}:{due_at.isoformat()}"


@lru_cache(maxsize=1 << 10)
def said_at(due_at: datetime) -> str:
    """An instant as every answer of the service writes it."""
    return msgspec.json.decode(msgspec.json.encode(due_at), type=str)


def notice_id_of(
    kind: Kind, patient_id: UUID, due_at: datetime, book: UUID, guardian: UUID | None = None
) -> UUID:
    """The id of the notice of a time, whether it is written yet or not: a phone that rings by itself swallows
    the push of the same id. book: whose notice it is; guardian: the one that a guardian gets of it."""
    mine = _notice(kind, patient_id, due_at, book, due_at, frozenset())
    return stable_id(mine if guardian is None else for_all(mine, [guardian])[1])


def notices_of(one: Passed, due_at: datetime, covered: frozenset[UUID], now: datetime) -> list[Notice]:
    """What is said of a time. covered: phones that ring by themselves."""
    rule, patient_id = KINDS[one.before.kind], one.before.patient_id
    if one.book is None:
        return []
    until = now if now - due_at >= rule.rings_within else due_at
    mine = _notice(one.before.kind, patient_id, due_at, one.book, until + rule.rings_within, covered)
    return for_all(mine, one.family)


def _notice(
    kind: Kind, patient_id: UUID, due_at: datetime, book: UUID, until: datetime, covered: frozenset[UUID]
) -> Notice:
    return Notice(
        patient_id=book,
        type_=KINDS[kind].type_,
        key=key_of(kind, patient_id, due_at),
        expires_at=until,
        due_at=rings_at(patient_id, due_at),
        ref={"due_at": said_at(due_at)},
        covered=covered,
    )


def once(notices: Iterable[Notice]) -> list[Notice]:
    """What is said to one person under one key is said once: a phone keeps still that rings for all of it."""
    found: dict[tuple[UUID, str], Notice] = {}
    for notice in notices:
        key = (notice.patient_id, notice.key)
        same = found.get(key)
        found[key] = replace(same, covered=same.covered & notice.covered) if same else notice
    return list(found.values())


def for_all(mine: Notice, family: Iterable[UUID]) -> list[Notice]:
    """A notice, and what the guardians hear of it."""
    if not family:
        return [mine]
    ref = mine.ref | {"patient_id": str(mine.patient_id), "what": mine.type_}
    return [
        mine,
        *(replace(mine, patient_id=guardian, type_="dependent-reminder", ref=ref) for guardian in family),
    ]
