"""`healthbook notifications`: how the queue of messages stands, and what died in it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place, fail

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store

JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def notifications() -> None:
    """The messages on their way: pushes and SMS."""


@notifications.command()
@JSON
def status(as_json: bool) -> None:
    """Say what waits, how old it is, and what became of the messages of the last day.

    Counts by channel, type and outcome; seconds between when a message should have left and when it did.
    """
    from healthbook.notification_status import status_text

    click.echo(_asked(lambda store: status_text(store, as_json)))


@notifications.command(name="dead-letters")
@JSON
def dead_letters(as_json: bool) -> None:
    """List what did not arrive in the last day and somebody should look at, newest first."""
    from healthbook.notification_status import letters_text

    click.echo(_asked(lambda store: letters_text(store, as_json)))


@notifications.command()
@click.argument("delivery_ids", nargs=-1, type=click.UUID)
@OPERATOR
@REASON
def retry(delivery_ids: tuple[UUID, ...], operator: str | None, reason: str | None) -> None:
    """Send dead letters again whose time is not over: those named, or all of the last day.

    Exit 2 where one that was named is none; the others are sent.
    """
    from healthbook.notification_status import retry_letters

    async def run(store: "Store", signed: tuple[str, str]) -> tuple[str, bool]:
        return await retry_letters(store, list(delivery_ids), signed)

    said, is_all = as_operator(run, operator, reason)
    if not is_all:
        fail(said)
    click.echo(said)


def _asked(ask: "Callable[[Store], Awaitable[str]]") -> str:
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await ask(store)

    return at_place(lambda place: asyncio.run(run(place)))
