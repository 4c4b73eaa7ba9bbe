"""`healthbook admin` on keys: made, added by two people, and moved to."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, fail, settings_or_exit, with_second

if TYPE_CHECKING:
    from store.database import Store


@click.command(name="make-keys")
@click.argument("directory", type=click.Path(path_type=Path))
def make_keys(directory: Path) -> None:
    """Make a new key directory for a real installation; back it up apart from the database."""
    from store.keys import KeyRing

    if directory.exists():
        fail(f"{directory} exists already; keys are never overwritten.")
    KeyRing.create(directory, demo=False)
    click.echo(f"keys made in {directory}")


@click.command(name="first-key")
@click.argument("purpose")
def first_key(purpose: str) -> None:
    """Make the first key of a PURPOSE that came after this installation; before it no process starts."""
    from store.keys import PURPOSES, add_key

    directory = settings_or_exit().keys
    known = next((known for known in PURPOSES if known == purpose), None)
    if known is None or not directory.is_dir():
        fail(f"Name one of {', '.join(PURPOSES)}, and HEALTHBOOK_KEYS a directory that is there.")
    if any(directory.glob(f"{known}.*")):
        fail(f"There is a key for {known} already.")
    click.echo(f"{known} key {add_key(directory, known)}")


@click.command(name="add-key")
@click.argument("purpose")
@click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator beside you.")
@OPERATOR
@REASON
def add_key(purpose: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Add the next key of PURPOSE; it counts once every process has started again. Two people do it (S26)."""
    from healthbook.commands import write_down
    from store.keys import FOR_EVER, PURPOSES
    from store.keys import add_key as add

    known = next((known for known in PURPOSES if known == purpose), None)
    if known is None:
        fail(f"{purpose} is none of {', '.join(PURPOSES)}.")
    if known in FOR_EVER:
        fail(f"The key for {known} is never changed.")

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        await write_down(store, with_second(signed, second), f"keys:add-{known}", 1)
        return add(settings_or_exit().keys, known)

    click.echo(f"{purpose} key {as_operator(run, operator, reason)}")


@click.command(name="rotate-lookup")
@OPERATOR
@REASON
def rotate_lookup(operator: str | None, reason: str | None) -> None:
    """Move every look-up hash to the current key, once every process has loaded it."""
    from healthbook.commands import rotate_lookup as rotate

    click.echo(f"{as_operator(rotate, operator, reason, role='hb_owner')} hashes moved")


COMMANDS: tuple[click.Command, ...] = (
    make_keys,
    first_key,
    add_key,
    rotate_lookup,
)
