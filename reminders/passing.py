"""What a plan comes to when its times came: which they are, what is said of each, and the next one. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from notifications.bulk import Notice
from reminders.kinds import KINDS
from reminders.models import Outcome, Reminder
from reminders.policy import next_after, rings_at

# Times that one tick catches up on after a worker was away; the rest follows at once.
CATCH_UP: Final = 100


class Passed(Struct, frozen=True):
    """A plan whose times came. times: each with what became of it, oldest first; next_at: the one that
    follows; book: who is told, None where nobody is; family: a child's guardians, who are told of it too."""

    before: Reminder
    times: list[tuple[datetime, Outcome]]
    next_at: datetime | None
    book: UUID | None = None
    family: tuple[UUID, ...] = ()


def passed_at(
    one: Reminder, outcome: Outcome, now: datetime, book: UUID | None, family: Iterable[UUID] = ()
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


def following(one: Reminder, due_at: datetime, doses_due: int) -> datetime | None:
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


def notices_of(one: Passed, due_at: datetime, covered: frozenset[UUID], now: datetime) -> list[Notice]:
    """What is said of a time: reminders of one kind and time ring once. covered: phones that ring by
    themselves."""
    rule, patient_id = KINDS[one.before.kind], one.before.patient_id
    if one.book is None:
        return []
    at = due_at.isoformat()
    key, rings, until = f"{rule.type_}:{patient_id}:{at}", rings_at(patient_id, due_at), due_at
    if now - due_at >= rule.rings_within:
        until = now
    mine = Notice(
        patient_id=one.book,
        type_=rule.type_,
        key=key,
        expires_at=until + rule.rings_within,
        due_at=rings,
        ref={"due_at": at},
        covered=covered,
    )
    if not one.family:
        return [mine]
    shown = {"due_at": at, "patient_id": str(one.book), "what": rule.type_}
    return [mine, *(_for_guardian(mine, guardian, shown) for guardian in one.family)]


def _for_guardian(mine: Notice, guardian: UUID, ref: dict[str, str]) -> Notice:
    return Notice(
        patient_id=guardian,
        type_="dependent-reminder",
        key=mine.key,
        expires_at=mine.expires_at,
        due_at=mine.due_at,
        ref=ref,
        covered=mine.covered,
    )
