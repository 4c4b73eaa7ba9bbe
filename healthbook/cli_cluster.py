"""`healthbook migrate`, and the way from one machine to a cluster."""

import asyncio
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, at_place, sign_act

if TYPE_CHECKING:
    from healthbook.wiring import Place


@click.command()
@click.option("--distribute", is_flag=True, help="Spread the tables over this Citus cluster as well.")
@click.option(
    "--shards",
    type=click.IntRange(2, 1024),
    default=128,
    show_default=True,
    help="With --distribute: over how many shards each group of tables lies; a few times the planned cores.",
)
def migrate(distribute: bool, shards: int) -> None:
    """Bring the database's tables and rights up to date.

    Later migrations spread their own tables where the others are spread. What was stopped goes on where it
    stopped.
    """
    if distribute:
        _spread(shards)
        return
    from healthbook.wiring import bring_up_to_date

    for name in at_place(lambda place: asyncio.run(bring_up_to_date(place))):
        click.echo(f"applied {name}")


def _spread(shards: int) -> None:
    from healthbook.cluster.spreading import distribute
    from store.distribute import Spreading

    spreading = Spreading(click.echo, shards)
    applied, left = at_place(lambda place: asyncio.run(distribute(place, spreading)))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("Every table lies where its migration says.")
    if left:
        click.echo("This user may not say it; a superuser says to the coordinator:")
    for statement in left:
        click.echo(f"  {statement};")


@click.command("copy-database")
@click.option("--jobs", type=click.IntRange(1, 16), default=4, show_default=True, help="Tables at once.")
@OPERATOR
@REASON
def copy_database(jobs: int, operator: str | None, reason: str | None) -> None:
    """Copy every row into the empty database that DATABASE_COPY_URL names, and compare the two.

    Nothing may serve meanwhile: the copy takes every table against writes. The other database was made by
    `healthbook migrate`, with --distribute on a cluster, of this same release. Afterwards DATABASE_URL names
    it; keys, journal and documents stay where they are.
    """
    from healthbook.cluster.moving import copy_database as copy
    from healthbook.wiring import check_start, load_keys

    async def run(place: "Place") -> tuple[int, int]:
        signed = sign_act(operator, reason, demo=await check_start(place, load_keys(place.settings)))
        return await copy(place, place.settings.database_copy_url, jobs, signed, click.echo)

    tables, rows = at_place(lambda place: asyncio.run(run(place)))
    click.echo(f"{rows} rows of {tables} tables are there, each the same as here.")
