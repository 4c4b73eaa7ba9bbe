"""One reminder a source: made, changed and ended by it, and what the person chose stays."""

from datetime import UTC, date, datetime, time
from uuid import uuid4

from kernel.clock import VIETNAM
from reminders import queries
from reminders.models import Reminder
from reminders.sources import Schedule, plan_source
from tests.support.reminding import Reminding

DAILY = Schedule(times=(time(7), time(20)))


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=VIETNAM).astimezone(UTC)


async def planned(here: Reminding, schedule: Schedule | None, source: str = "one") -> Reminder | None:
    async with here.store.transaction() as tx:
        return await plan_source(
            tx, here.citizen.patient_id, "measurement", source, schedule, here.clock.now()
        )


async def test_the_same_again_changes_nothing_and_another_schedule_moves_it(here: Reminding) -> None:
    first = await planned(here, DAILY)
    assert first is not None
    assert await planned(here, DAILY) == first
    moved = await planned(here, Schedule(times=(time(21),)))
    assert moved is not None
    assert (moved.reminder_id, moved.version, moved.times) == (first.reminder_id, 2, [time(21)])
    other = await planned(here, DAILY, "two")
    assert other is not None
    assert other.reminder_id != first.reminder_id


async def test_what_falls_away_ends_and_comes_back(here: Reminding) -> None:
    assert await planned(here, None) is None
    await planned(here, DAILY)
    gone = await planned(here, None)
    assert gone is not None
    assert (gone.state, gone.end_reason, gone.next_at) == ("ended", "cancelled", None)
    assert await planned(here, None) == gone
    back = await planned(here, DAILY)
    assert back is not None
    assert (back.state, back.end_reason) == ("active", None)
    assert back.next_at is not None


async def test_only_the_named_days_ring_and_after_them_it_is_used_up(here: Reminding) -> None:
    day = here.clock.now().astimezone(VIETNAM).date()
    one = await planned(here, Schedule(times=(time(0),), on_days=(day,)))
    assert one is not None
    assert (one.state, one.end_reason) == ("ended", "used-up")
    later = await planned(here, Schedule(times=(time(9),), on_days=(date(2026, 12, 1),)))
    assert later is not None
    assert later.next_at == datetime(2026, 12, 1, 2, tzinfo=UTC)


async def test_times_and_stop_of_the_person_stay(here: Reminding) -> None:
    one = await planned(here, DAILY)
    assert one is not None
    async with here.store.transaction() as tx:
        before = await queries.LOCK.one(tx, one.patient_id, one.reminder_id)
        assert before is not None
        mine = Reminder(
            **{
                **{name: getattr(before, name) for name in Reminder.__struct_fields__},
                "own_times": True,
                "times": [time(6)],
                "state": "stopped",
                "next_at": None,
            }
        )
        await queries.save(tx, mine)
    after = await planned(here, Schedule(times=(time(21),), weekdays=(1,)))
    assert after is not None
    assert (after.times, after.state, after.next_at, after.weekdays) == ([time(6)], "stopped", None, [1])


async def test_the_day_of_a_source_rings_once(here: Reminding) -> None:
    source = str(uuid4())
    day = here.clock.now().astimezone(VIETNAM).date()
    schedule = Schedule(times=(time(9),), on_days=(day.replace(day=day.day + 1),))
    await planned(here, schedule, source)
    await here.until(at(day.day + 3, 12))
    outcomes = await here.outcomes()
    assert outcomes == [(f"{day.day + 1:02} 09:00", "told")]
    again = await planned(here, schedule, source)
    assert again is not None
    assert (again.state, again.end_reason) == ("ended", "used-up")
