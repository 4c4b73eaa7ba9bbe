"""A year goes by: every time rings once, at the wall time of where its person is, summer time included."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kernel.clock import VIETNAM
from reminders.models import Kind
from reminders.sources import Schedule, plan_source
from tests.support.clock import START
from tests.support.reminding import Reminding, drug

TODAY = START.astimezone(VIETNAM).date()
TOLD = '{"medication": "medicine-due", "measurement": "measurement-due", "revisit": "revisit-due"}'
YEAR_LATER = START + timedelta(days=365)


async def plan(here: Reminding, source: str, kind: Kind = "measurement", **schedule: Any) -> None:
    async with here.store.transaction() as tx:
        wanted = Schedule(**schedule)
        await plan_source(tx, here.citizen.patient_id, kind, source, wanted, here.clock.now())


async def rang(here: Reminding, source: str) -> list[datetime]:
    """When the reminders of a source were told, oldest first; each time has one occurrence and one notice."""
    async with here.owner.transaction() as tx:
        times = await tx.fetch(
            "SELECT o.due_at, o.outcome, n.created_at FROM reminder_occurrence o"
            " JOIN reminder r USING (patient_id, reminder_id)"
            " LEFT JOIN notification n ON n.patient_id = o.patient_id"
            " AND n.ref::jsonb ->> 'due_at' = replace(to_char(o.due_at AT TIME ZONE 'UTC',"
            " 'YYYY-MM-DD\"T\"HH24:MI:SS'), ' ', 'T') || '+00:00' AND n.type = ($3::jsonb ->> r.kind)"
            " WHERE o.patient_id = $1 AND r.source LIKE $2 ORDER BY o.due_at",
            here.citizen.patient_id,
            source,
            TOLD,
        )
    assert {row["outcome"] for row in times} == {"told"}
    assert all(row["created_at"] - row["due_at"] < timedelta(minutes=2) for row in times)
    return [row["due_at"] for row in times]


def at(found: list[datetime], zone: ZoneInfo) -> list[str]:
    return [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in found]


def every(first: date, until: date, step: int, clock: str) -> list[str]:
    """Those days before `until`, at that wall time."""
    return [f"{first + timedelta(days=n)} {clock}" for n in range(0, (until - first).days, step)]


async def test_a_year_in_vietnam_rings_each_time_once(here: Reminding) -> None:
    """Twelve prescriptions of thirty days, every other day, every Monday, and two visits."""
    evening = (time(20),)
    await plan(here, "alternate", times=evening, every_days=2)
    await plan(here, "mondays", times=evening, weekdays=(1,))
    visits = (TODAY + timedelta(days=100), TODAY + timedelta(days=300))
    await plan(here, "visits", kind="revisit", times=evening, on_days=visits)
    for month in range(12):
        here.clock.set(START + timedelta(days=30 * month))
        code = await here.send(drug("1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]", 30))
        await here.dispense(code, (1, "30"))
        await here.until(START + timedelta(days=30 * (month + 1)))
    await here.until(YEAR_LATER)
    end = TODAY + timedelta(days=365)
    # At nine in the morning today's seven o'clock is over: each box lasts to the morning of the next one.
    first, last = TODAY + timedelta(days=1), TODAY + timedelta(days=361)
    assert at(await rang(here, "%:1"), VIETNAM) == every(first, last, 1, "07:00")
    assert at(await rang(here, "alternate"), VIETNAM) == every(TODAY, end, 2, "20:00")
    assert at(await rang(here, "mondays"), VIETNAM) == every(date(2026, 11, 23), end, 7, "20:00")
    assert at(await rang(here, "visits"), VIETNAM) == [f"{day} 20:00" for day in visits]
