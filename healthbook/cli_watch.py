"""`healthbook doctor` and `healthbook slow-queries`: looking at a deployment without changing it."""

import asyncio
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import at_place

if TYPE_CHECKING:
    from healthbook.metrics.slow_queries import Order
    from healthbook.wiring import Place


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, for a monitor.")
def doctor(as_json: bool) -> None:
    """Look at the whole deployment and explain what is to be mended; it changes nothing.

    Keys, clocks, roles, the server's log and safety, migrations, providers, ends of certificates, roots of
    the access log, backups, work that is late. Exit 1 where something is to be mended. In a demo keys and
    journal lie beside the data and nobody outside is needed; that is not judged.
    """
    from healthbook.doctor.examining import examine
    from healthbook.doctor.findings import as_text
    from healthbook.wiring import load_keys

    def run(place: "Place") -> tuple[str, bool]:
        keys = load_keys(place.settings)
        found = asyncio.run(examine(place, keys))
        return as_text(found, as_json=as_json, demo=keys.demo), bool(found)

    text, is_ill = at_place(run)
    click.echo(text)
    if is_ill:
        raise SystemExit(1)


@click.command(name="slow-queries")
@click.option(
    "--by", type=click.Choice(["total", "mean", "max", "calls"]), default="total", help="What to sort by."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def slow_queries(by: "Order", limit: int, as_json: bool) -> None:
    """Print the statements that take the database's time, without any value of theirs.

    Times are counted since the server's counts began (pg_stat_statements).
    """
    from healthbook.metrics.slow_queries import slow_text

    click.echo(at_place(lambda place: asyncio.run(slow_text(place, by, limit, as_json=as_json))))
