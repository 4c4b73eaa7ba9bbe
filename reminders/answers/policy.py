"""When an answer counts, when a time is unanswered, and what a week comes to. Pure; lengths are ours."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from reminders.answers.models import Answer, Came, Counted, Given, Week
from reminders.policy import ZONE, instant_of

# Somebody who leaves the house takes it before its time.
EARLY: Final = timedelta(hours=6)
# So far the way of a request explains the difference between two clocks.
CLOCK_CLOSE: Final = timedelta(minutes=5)
# A phone that was offline says what it has to say within this.
OLDEST: Final = timedelta(days=90)
LATER_MINUTES: Final = 15
WEEKS_MAX: Final = 12

# Without an answer it is told once more after this, and a carer hears of it after this again.
REPEATS_AFTER: Final = timedelta(minutes=30)
CARER_TOLD_AFTER: Final = timedelta(minutes=30)
# Hours after its time nothing is repeated, and a carer can do nothing about it any more.
REPEATS_WITHIN: Final = timedelta(hours=2)
CARER_TOLD_WITHIN: Final = timedelta(hours=6)


def answer_of(patient_id: UUID, given: Given, sent_at: datetime, now: datetime) -> Answer:
    """An answer in the server's time: a phone's clock that is wrong is wrong alike for what it says of now
    (sent_at), and no answer is given in the future or long before its time.

    A few minutes are the way of the request, not the clock: corrected, a slow one would come behind what was
    answered after it.
    """
    clock = now if abs(now - sent_at) <= CLOCK_CLOSE else sent_at
    ago = min(max(clock - given.at, timedelta()), OLDEST + EARLY)
    at = max(given.due_at - EARLY, now - ago)
    minutes = given.minutes or LATER_MINUTES
    rings_at = at + timedelta(minutes=minutes) if given.act == "later" else None
    return Answer(patient_id, given.reminder_id, given.due_at, given.act, at, rings_at)


def is_in_time(due_at: datetime, now: datetime) -> bool:
    """Whether something can be said of this time now."""
    return now - OLDEST <= due_at <= now + EARLY


def latest_of(answers: Iterable[Answer]) -> list[Answer]:
    """Of each time the answer that was given last."""
    found: dict[tuple[UUID, datetime], Answer] = {}
    for one in answers:
        key = (one.reminder_id, one.due_at)
        if key not in found or one.at >= found[key].at:
            found[key] = one
    return list(found.values())


class Titled(Struct, frozen=True):
    """What the reader is shown of a reminder that is counted."""

    title: str
    zone: str


def monday_of(at: datetime, zone: str) -> date:
    day = at.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def weeks_from(now: datetime, weeks: int) -> datetime:
    """The instant from which so many weeks are counted, this one among them, in the zone of the program."""
    first = monday_of(now, ZONE) - timedelta(weeks=weeks - 1)
    return instant_of(first, time(), ZoneInfo(ZONE))


def weeks_of(times: Iterable[Came], titles: Mapping[UUID, Titled], now: datetime) -> list[Week]:
    """What each week comes to, the latest first. A time that can still be answered is not counted yet."""
    counts: dict[date, dict[UUID, list[Came]]] = {}
    for one in times:
        is_open = one.act not in ("taken", "skipped") and now < one.due_at + REPEATS_AFTER + CARER_TOLD_AFTER
        if one.reminder_id in titles and not is_open:
            week = monday_of(one.due_at, titles[one.reminder_id].zone)
            counts.setdefault(week, {}).setdefault(one.reminder_id, []).append(one)
    return [
        Week(starts_on=week, medicines=_medicines(counts[week], titles))
        for week in sorted(counts, reverse=True)
    ]


def _medicines(of_week: Mapping[UUID, list[Came]], titles: Mapping[UUID, Titled]) -> list[Counted]:
    found = []
    for reminder_id, times in of_week.items():
        acts = [one.act for one in times]
        taken, skipped = acts.count("taken"), acts.count("skipped")
        found.append(
            Counted(
                reminder_id=reminder_id,
                title=titles[reminder_id].title,
                due=len(acts),
                taken=taken,
                skipped=skipped,
                unanswered=len(acts) - taken - skipped,
            )
        )
    return sorted(found, key=lambda one: (one.title, one.reminder_id))
