"""A year goes by: every time rings once, at the wall time of where its person is, summer time included."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from identity.sessions import open_citizen_session
from kernel.clock import VIETNAM
from reminders.models import Kind
from reminders.sources import Schedule, plan_source
from tests.support.clock import START
from tests.support.http import bearer
from tests.support.reminding import Reminding, drug

TODAY = START.astimezone(VIETNAM).date()
YEAR_LATER = START + timedelta(days=365)
BERLIN = ZoneInfo("Europe/Berlin")
# What the European Union's clock does in 2027: 02:30 is left out on the one day and comes twice on the other.
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


async def plan(here: Reminding, source: str, kind: Kind = "measurement", **schedule: Any) -> None:
    async with here.store.transaction() as tx:
        wanted = Schedule(**schedule)
        await plan_source(tx, here.citizen.patient_id, kind, source, wanted, here.clock.now())


async def rang(here: Reminding, source: str, what: str = "measurement-due") -> list[datetime]:
    """When the reminders of a source were told, oldest first; each time has one occurrence and one notice."""
    async with here.owner.transaction() as tx:
        times = await tx.fetch(
            "SELECT o.due_at, o.outcome, n.created_at FROM reminder_occurrence o"
            " JOIN reminder r USING (patient_id, reminder_id)"
            " LEFT JOIN notification n ON n.patient_id = o.patient_id AND n.type = $3"
            " AND n.dedupe_key = n.type || ':' || o.patient_id || ':'"
            " || to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+00:00'"
            " WHERE o.patient_id = $1 AND r.source LIKE $2 ORDER BY o.due_at",
            here.citizen.patient_id,
            source,
            what,
        )
    assert {row["outcome"] for row in times} == {"told"}
    assert all(row["created_at"] - row["due_at"] < timedelta(minutes=2) for row in times)
    return [row["due_at"] for row in times]


def at(found: list[datetime], zone: ZoneInfo) -> list[str]:
    return [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in found]


def every(first: date, until: date, step: int, clock: str) -> list[str]:
    """Those days before `until`, at that wall time."""
    return [f"{first + timedelta(days=n)} {clock}" for n in range(0, (until - first).days, step)]


async def move_to(here: Reminding, zone: str) -> None:
    """The person's phone tells where it is now; the reminders follow."""
    actor = here.citizen.actor
    assert actor.device_id is not None
    async with here.store.transaction() as tx:
        tokens = await open_citizen_session(tx, actor.actor_id, actor.device_id, here.clock.now())
    token = tokens.access_token
    path = "/v1/me/notification-preferences"
    answer = await here.client.get(path, headers=bearer(token))
    wanted = answer.json() | {"zone": zone}
    del wanted["mutable"]
    answer = await here.client.put(path, json=wanted, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    await here.work()


async def test_a_year_in_vietnam_rings_each_time_once(here: Reminding) -> None:
    """Twelve prescriptions of thirty days, every other day, every Monday, and two named days."""
    evening = (time(20),)
    await plan(here, "alternate", times=evening, every_days=2)
    await plan(here, "mondays", times=evening, weekdays=(1,))
    named = (TODAY + timedelta(days=100), TODAY + timedelta(days=300))
    await plan(here, "named", times=evening, on_days=named)
    for month in range(12):
        here.clock.set(START + timedelta(days=30 * month))
        code = await here.send(drug("1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]", 30))
        await here.dispense(code, (1, "30"))
        await here.until(START + timedelta(days=30 * (month + 1)))
    await here.until(YEAR_LATER)
    end = TODAY + timedelta(days=365)
    # At nine in the morning today's seven o'clock is over: each box lasts to the morning of the next one.
    first, last = TODAY + timedelta(days=1), TODAY + timedelta(days=361)
    assert at(await rang(here, "%:1", "medicine-due"), VIETNAM) == every(first, last, 1, "07:00")
    assert at(await rang(here, "alternate"), VIETNAM) == every(TODAY, end, 2, "20:00")
    assert at(await rang(here, "mondays"), VIETNAM) == every(date(2026, 11, 23), end, 7, "20:00")
    assert at(await rang(here, "named"), VIETNAM) == [f"{day} 20:00" for day in named]


async def test_a_traveller_s_year_keeps_to_the_wall_clock_over_summer_time_and_both_moves(
    here: Reminding,
) -> None:
    away, home = datetime(2027, 2, 1, 5, tzinfo=UTC), datetime(2027, 11, 10, 5, tzinfo=UTC)
    await plan(here, "night", times=(time(2, 30),))
    await plan(here, "alternate", times=(time(2, 30),), every_days=2)
    await here.until(away)
    await move_to(here, "Europe/Berlin")
    await here.until(home)
    await move_to(here, "Asia/Ho_Chi_Minh")
    await here.until(YEAR_LATER)
    night = await rang(here, "night")
    before = [moment for moment in night if moment < away]
    between = [moment for moment in night if away <= moment < home]
    after = [moment for moment in night if moment >= home]
    assert at(before, VIETNAM) == every(TODAY + timedelta(days=1), date(2027, 2, 2), 1, "02:30")
    # The night that the clock leaves out is an hour later on the wall, and no night rings twice.
    expected = every(date(2027, 2, 2), date(2027, 11, 11), 1, "02:30")
    expected[expected.index(f"{SPRING} 02:30")] = f"{SPRING} 03:30"
    assert at(between, BERLIN) == expected
    assert datetime(2027, 10, 31, 0, 30, tzinfo=UTC) in between
    assert at(between, BERLIN).count(f"{AUTUMN} 02:30") == 1
    assert at(after, VIETNAM) == every(date(2027, 11, 11), TODAY + timedelta(days=366), 1, "02:30")
    # Every other day stays so on the wall, wherever that hangs.
    days = [moment.astimezone(BERLIN).date() for moment in await rang(here, "alternate")]
    abroad = [day for day in days if date(2027, 2, 2) <= day < date(2027, 11, 10)]
    assert {(later - day).days for day, later in pairwise(abroad)} == {2}
    assert len(abroad) == 140
