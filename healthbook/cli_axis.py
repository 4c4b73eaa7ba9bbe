"""`healthbook axis`: for whom health checks go to the ministry, and what does not get through."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place, fail, settings_or_exit, with_second

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store

SECOND = click.option(
    "--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator beside you."
)


@click.group()
def axis() -> None:
    """Exchange with the ministry's axis (QĐ 1551)."""


@axis.command(name="list")
def list_() -> None:
    """List the facilities of the exchange, and messages that stopped, are late or were tried in vain."""
    from healthbook.axis_commands import table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@axis.command(name="allow")
@click.argument("code")
@click.option(
    "--basis", required=True, help="The ground, in words: a decision, a contract, its number and day."
)
@SECOND
@OPERATOR
@REASON
def allow(code: str, basis: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Exchange the health checks of the facility of CODE from now on. Two people do it (S26)."""
    from healthbook.axis_commands import allow_facility

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await allow_facility(store, code, basis, with_second(signed, second))

    as_operator(run, operator, reason)
    where = "" if settings_or_exit().axis_url else " Nothing leaves yet: AXIS_URL and its settings are unset."
    click.echo(f"The health checks of {code} are exchanged from now on.{where}")


@axis.command(name="end")
@click.argument("code")
@OPERATOR
@REASON
def end(code: str, operator: str | None, reason: str | None) -> None:
    """Send and take in nothing more of the facility of CODE."""
    from healthbook.axis_commands import end_facility

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await end_facility(store, code, signed)

    as_operator(run, operator, reason)
    click.echo(f"Nothing of {code} is exchanged any more.")


@axis.command(name="resume")
@click.argument("what")
@OPERATOR
@REASON
def resume(what: str, operator: str | None, reason: str | None) -> None:
    """Go on with WHAT: the id of one stopped message, or the code of a facility whose signature was refused.

    What stopped is made anew, by the key and the record of now, and leaves under a new msg_id.
    """
    from healthbook.axis_commands import resume as go_on

    async def run(store: "Store", signed: tuple[str, str]) -> int:
        return await go_on(store, what, signed)

    count = as_operator(run, operator, reason)
    click.echo(f"{count} messages go on." if count else f"No message of {what} had stopped.")


@axis.command(name="close")
@click.argument("message_id", type=click.UUID)
@OPERATOR
@REASON
def close(message_id: UUID, operator: str | None, reason: str | None) -> None:
    """Let a message be: the ministry was told by another way, or need not be."""
    from healthbook.axis_commands import close_message

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await close_message(store, message_id, signed)

    as_operator(run, operator, reason)
    click.echo(f"{message_id} is not sent any more.")


@axis.command(name="public-key")
def public_key() -> None:
    """Print the public half of the newest key of messages, one that begins later too, for the ministry."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from healthbook.cli_acts import or_exit
    from healthbook.wiring import load_keys

    signer = or_exit(lambda: load_keys(settings_or_exit())).newest_axis_signer()
    if signer is None:
        fail("There is no key for the axis: `healthbook admin first-key axis` makes one.")
    pem = signer.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    click.echo(pem.decode(), nl=False)
