"""`healthbook admin` on the installation: terms, thresholds, counts, and a restored backup."""

import asyncio
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place, fail

if TYPE_CHECKING:
    from datetime import datetime

    from ehr.cases.workdays import Counted, TermKind
    from healthbook.wiring import Place
    from store.database import Store


@click.command(name="calendar-day")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--off/--worked", default=True, help="A day off, or a Saturday that is worked instead.")
@OPERATOR
@REASON
def calendar_day(day: "datetime", off: bool, operator: str | None, reason: str | None) -> None:
    """Say that DAY is a day off, or worked: the government moves days every year.

    Terms of cases opened from now on count with it; the public holidays of the law are known.
    """
    from healthbook.commands import set_calendar_day

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_calendar_day(store, day.date(), works=not off, signed=signed)

    as_operator(run, operator, reason)
    click.echo(f"{day:%Y-%m-%d} is {'a day off' if off else 'worked'}")


@click.command(name="case-term")
@click.argument(
    "kind", type=click.Choice(["correction", "not-mine", "missing-visit", "access-report", "consultation"])
)
@click.argument("days", type=click.IntRange(1, 90))
@click.option("--counted", type=click.Choice(["calendar", "working"]), default="calendar")
@OPERATOR
@REASON
def case_term(
    kind: "TermKind", days: int, counted: "Counted", operator: str | None, reason: str | None
) -> None:
    """Set within how many DAYS a facility answers a case of KIND; open cases keep their term."""
    from healthbook.commands import set_case_term

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_case_term(store, kind, days, counted, signed)

    as_operator(run, operator, reason)
    click.echo(f"{kind}: {days} {counted} days")


@click.command(name="accountability-threshold")
@click.argument("name")
@click.argument("value", type=click.IntRange(1, 100_000))
@OPERATOR
@REASON
def accountability_threshold(name: str, value: int, operator: str | None, reason: str | None) -> None:
    """Set from how many on the monthly file says that a line is worth a question.

    NAME: people-in-an-hour, reads-out-of-hours, refusals or emergencies.
    """
    from audit.accountability.service import patterns
    from healthbook.commands import set_accountability_threshold

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_accountability_threshold(store, name, value, signed)

    known = sorted(patterns().thresholds)
    if name not in known:
        fail(f"{name} is none of {', '.join(known)}.")
    as_operator(run, operator, reason)
    click.echo(f"{name}: {value}")


@click.command()
def displays() -> None:
    """Print how many of the stored codes have a Vietnamese display, by code system."""
    from healthbook.commands import coverage_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await coverage_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@click.command()
@OPERATOR
@REASON
def statistics(operator: str | None, reason: str | None) -> None:
    """Count today's statistics now instead of tonight; a day that is published stays as it is."""
    from healthbook.commands import count_statistics

    click.echo(f"{as_operator(count_statistics, operator, reason)} steps")


@click.command()
@click.option("--restored", is_flag=True, help="A backup was restored; the journal need not show it.")
@click.option("--again", is_flag=True, help="And after the last recovery, since which nobody signed in.")
@click.option(
    "--promoted", is_flag=True, help="A standby that lost nothing stands in: let it serve, recover nothing."
)
@OPERATOR
@REASON
def recover(restored: bool, again: bool, promoted: bool, operator: str | None, reason: str | None) -> None:
    """Make a restored database fit to serve: a new epoch, the journal replayed, each log's gap marked.

    Nothing is served before it ran to its end; run it again where it was stopped.
    """
    from healthbook.recovery.commands import recover_place
    from healthbook.wiring import load_keys

    def run(place: "Place") -> str:
        keys = load_keys(place.settings)
        done = recover_place(
            place, keys, operator, reason, forced=restored, promoted=promoted, unless_unused=not again
        )
        return asyncio.run(done)

    if restored and promoted:
        fail("--restored or --promoted: a copy that came back, or a standby that lost nothing.")
    if again and not restored:
        fail("--again says of --restored that it is meant once more: name both.")
    click.echo(at_place(run))


COMMANDS: tuple[click.Command, ...] = (
    calendar_day,
    case_term,
    accountability_threshold,
    displays,
    statistics,
    recover,
)
