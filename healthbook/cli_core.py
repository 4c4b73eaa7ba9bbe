"""`healthbook admin` on another core: who is unclear there, and what it tells us."""

import asyncio
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place, settings_or_exit

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store


@click.command(name="core-links")
def core_links() -> None:
    """List the people whose record at EHR_CORE_URL is not read: it is not clear who they are there."""
    from healthbook.commands import unclear_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await unclear_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@click.command(name="core-subscribe")
@click.option("--topic", help="The address of a topic that the core has; unset: ours is put there.")
@OPERATOR
@REASON
def core_subscribe(topic: str | None, operator: str | None, reason: str | None) -> None:
    """Make the core at EHR_CORE_URL tell of changes at EHR_CORE_SUBSCRIPTION."""
    from healthbook.core_commands import subscribe_to_core

    settings = settings_or_exit()

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await subscribe_to_core(store, settings, topic, signed)

    as_operator(run, operator, reason)
    click.echo("Asked for. A log line core_silent of the worker says when the core does not speak.")


@click.command(name="core-unsubscribe")
@OPERATOR
@REASON
def core_unsubscribe(operator: str | None, reason: str | None) -> None:
    """Listen no more to what the core at EHR_CORE_URL tells."""
    from healthbook.core_commands import unsubscribe_from_core

    settings = settings_or_exit()

    async def run(store: "Store", signed: tuple[str, str]) -> bool:
        return await unsubscribe_from_core(store, settings, signed)

    told = as_operator(run, operator, reason)
    click.echo("Ended." if told else "Ended here; the core did not answer: delete its Subscription there.")


COMMANDS: tuple[click.Command, ...] = (
    core_links,
    core_subscribe,
    core_unsubscribe,
)
