"""A part of a prescription is nearly used up: said once, while the rest can be collected."""

from datetime import UTC, datetime

from kernel.clock import VIETNAM
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
ONCE = "1 viên/lần * 1 lần/ngày * 10 ngày [1 viên/ngày]"
REFILL = "refill-due"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def test_three_days_before_the_part_is_used_up_the_rest_is_named_once(here: Reminding) -> None:
    """Written on the 21st, to be collected by the 25th; five doses, from the morning of the 22nd."""
    code = await here.send(drug(ONCE, 10))
    await here.dispense(code, (1, "5"))
    await here.until(at(23, 6))
    assert await here.told(REFILL) == []
    await here.until(at(30, 0))
    assert await here.told(REFILL) == [(REFILL, "23 07:00")]


async def test_what_lasts_three_days_at_most_is_named_the_day_after_the_counter(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    told_at = f"{here.clock.now().astimezone(VIETNAM):22 %H:%M}"
    await here.until(at(30, 0))
    assert await here.told(REFILL) == [(REFILL, told_at)]


async def test_collected_whole_replaced_or_withdrawn_nothing_is_named(here: Reminding) -> None:
    whole = await here.send(drug(TWICE))
    await here.dispense(whole, (1, "10"))
    part = await here.send(drug(TWICE, name="Alfazol 5 mg"))
    await here.dispense(part, (1, "4"))
    await here.withdraw(part)
    rest = await here.send(drug(TWICE, name="Betazol 5 mg"))
    await here.dispense(rest, (1, "4"))
    await here.dispense(rest, (1, "6"), by=1)
    await here.until(at(30, 0))
    assert await here.told(REFILL) == []


async def test_after_the_last_day_to_collect_nothing_is_named(here: Reminding) -> None:
    code = await here.send(drug(ONCE, 30))
    await here.dispense(code, (1, "10"))
    await here.until(at(30, 0))
    assert await here.told(REFILL) == []


async def test_a_line_that_lasts_longer_is_named_when_it_is_nearly_used_up(here: Reminding) -> None:
    code = await here.send(drug(ONCE, 10), drug(ONCE, 10, name="Alfazol 5 mg"))
    await here.dispense(code, (1, "5"), (2, "6"))
    await here.until(at(30, 0))
    assert await here.told(REFILL) == [(REFILL, "23 07:00"), (REFILL, "24 07:00")]
