"""What a child's next birthdays change for a guardian, and when both are told (consent.md §7).

Nothing here ends anything: the decision reads the birth date on every request, so a timer that never fires
costs a notice and no midnight. One timer a child, made with each link and moved with a corrected birth date;
each time it fires it reads the birth date anew.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from family.policy import ADULT_AGE, ASSENT_AGE, YOUTH_AGE, latest_birthday
from family.service import guardians_of, link_of
from identity.people import LIVING, person_card
from kernel.clock import VIETNAM, local_day, start_of_day
from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing

JOB: Final = "hand-over"
# From 7 the child is asked too, from 15 the young person decides, at 18 every guardianship by age ends.
AGES: Final = (ASSENT_AGE, YOUTH_AGE, ADULT_AGE)
DAYS_BEFORE: Final = (90, 30, 7)
# The hour in Vietnam at which it is said (ours).
SAID_AT: Final = time(8)


class Step(Struct, frozen=True, kw_only=True):
    """One notice: so many days before `on`, the day on which this age begins. at: when it is said."""

    age: int
    days: int
    on: date
    at: datetime


class Told(Struct, frozen=True, kw_only=True):
    """What is to be said now, to the guardians who stand and, where it is enrolled, to the young person."""

    step: Step
    guardians: list[UUID]


def steps(birth_date: str | None) -> list[Step]:
    """Every notice of a childhood, the earliest first; none without a birth date."""
    found = []
    for age in AGES:
        on = latest_birthday(birth_date, age)
        if on is None:
            return []
        for days in DAYS_BEFORE:
            day = on - timedelta(days=days)
            found.append(Step(age=age, days=days, on=on, at=datetime.combine(day, SAID_AT, VIETNAM)))
    return found


def step_now(birth_date: str | None, now: datetime) -> Step | None:
    """The notice whose time it is: the latest one before a birthday that is still ahead."""
    past = [one for one in steps(birth_date) if one.at <= now < start_of_day(one.on)]
    return past[-1] if past else None


def next_at(birth_date: str | None, now: datetime) -> datetime | None:
    """When the next notice is due; None: no birthday of these is ahead."""
    return next((one.at for one in steps(birth_date) if one.at > now), None)


async def plan(tx: Tx, keys: KeyRing, child_id: UUID, now: datetime) -> None:
    """Arm or move the child's one timer; at once where a notice's time has come, for a new guardian has not
    heard it. Call it in the transaction that made a link or changed the birth date."""
    card = await person_card(tx, keys, child_id)
    birth_date = card.birth_date if card else None
    at = now if step_now(birth_date, now) else next_at(birth_date, now)
    if at is not None:
        await schedule(tx, bucket_of(child_id), at, JOB, str(child_id))


async def due(tx: Tx, keys: KeyRing, child_id: UUID, now: datetime) -> tuple[Told | None, datetime | None]:
    """What is to be said of this child now, and when the timer fires again."""
    card = await person_card(tx, keys, child_id)
    if card is None or card.state not in LIVING:
        return None, None
    again, step = next_at(card.birth_date, now), step_now(card.birth_date, now)
    if step is None:
        return None, again
    standing = []
    for guardian in await guardians_of(tx, child_id, now):
        link = await link_of(tx, keys, guardian, child_id, now)
        if link is not None and link.relation == "guardian":
            standing.append(guardian)
    # Without a guardian nothing changes hands.
    return (Told(step=step, guardians=standing) if standing else None), again


def days_left(step: Step, now: datetime) -> int:
    """Days from today to the birthday: a notice that comes late says the truth."""
    return (step.on - local_day(now)).days
