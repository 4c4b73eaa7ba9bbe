"""`healthbook admin` on keys: made, added by two people, and moved to."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from healthbook.cli_acts import (
    OPERATOR,
    REASON,
    as_operator,
    at_place,
    fail,
    or_exit,
    people_of,
    settings_or_exit,
    with_second,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from healthbook.wiring import Place
    from store.database import Store
    from store.keys import Purpose

FILES_TOLD: Final = 10_000
SECOND = click.option(
    "--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator beside you."
)


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


@click.command(name="keys")
@click.option("--left", is_flag=True, help="What in database and files still needs each older key.")
def list_keys(left: bool) -> None:
    """Print every key: current, coming (and from when), older, or public half only. No key itself."""
    from healthbook.key_commands import key_lines, lines_of_older
    from healthbook.wiring import load_keys, opened_store
    from store.keys import KeyRingError

    async def older(place: "Place") -> list[str]:
        async with opened_store(place, "hb_owner", load_keys(place.settings)) as store:
            return await lines_of_older(store, place.settings.keys, _files_told())

    try:
        lines = key_lines(settings_or_exit().keys)
    except KeyRingError as error:
        fail(f"{error}.")
    for line in lines + (at_place(lambda place: asyncio.run(older(place))) if left else []):
        click.echo(line)


@click.command(name="add-key")
@click.argument("purpose")
@click.option(
    "--after", type=click.IntRange(1, 525_600), metavar="MINUTES", help="When it is used; set per purpose."
)
@SECOND
@OPERATOR
@REASON
def add_key(
    purpose: str, after: int | None, second: str | None, operator: str | None, reason: str | None
) -> None:
    """Add the next key of PURPOSE, while the service runs. Two people do it (S26).

    Processes of this directory know it within seconds; copy it to the other hosts before it begins.
    """
    from healthbook.key_commands import begin_key
    from store.keys import FOR_EVER

    known = _purpose(purpose)
    if known in FOR_EVER:
        fail(f"The key for {known} is never changed.")
    lead = None if after is None else timedelta(minutes=after)

    async def run(store: "Store", signed: tuple[str, str]) -> "tuple[str, datetime]":
        return await begin_key(store, settings_or_exit().keys, known, lead, with_second(signed, second))

    key_id, begins = as_operator(run, operator, reason)
    click.echo(f"{purpose} key {key_id}, used from {begins:%Y-%m-%d %H:%M:%S} UTC on")


@click.command(name="rotate-lookup")
@OPERATOR
@REASON
def rotate_lookup(operator: str | None, reason: str | None) -> None:
    """Move every look-up hash to the current key, once every process uses it."""
    from healthbook.commands import rotate_lookup as rotate
    from healthbook.key_commands import refuse_early

    or_exit(lambda: refuse_early(settings_or_exit().keys, "lookup"))

    async def run(store: "Store", signed: tuple[str, str]) -> int:
        # Everybody twice: first the new rows of all, then the old ones go.
        with click.progressbar(length=2 * await people_of(store), label="people", file=sys.stderr) as bar:
            return await rotate(store, signed, bar.update)

    click.echo(f"{as_operator(run, operator, reason, role='hb_owner')} hashes moved")


@click.command()
@OPERATOR
@REASON
def reseal(operator: str | None, reason: str | None) -> None:
    """Seal anew, under the current field key, every cell and file that an older one sealed.

    While the service runs; stopped in between, run it again. Exit 1 where something does not open.
    """
    from healthbook.key_commands import refuse_early
    from healthbook.key_commands import reseal as seal_anew

    or_exit(lambda: refuse_early(settings_or_exit().keys, "field"))

    async def run(store: "Store", signed: tuple[str, str]) -> tuple[int, int]:
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            return await seal_anew(store, bar.update, signed)

    moved, broken = as_operator(run, operator, reason, role="hb_owner")
    click.echo(f"{moved} sealed anew")
    if broken:
        click.echo(f"{broken} cells or files do not open and stay as they are (S15).", err=True)
        raise SystemExit(1)


@click.command(name="retire-key")
@click.argument("purpose")
@click.argument("key")
@SECOND
@OPERATOR
@REASON
def retire_key(purpose: str, key: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Destroy KEY of PURPOSE once nothing needs it; of a signer the public half stays. Two people (S26).

    Says what still needs it and destroys nothing then. Remove the file on the other hosts, too. Of pepper and
    field wait 35 days after nothing lies under KEY: a backup may bring rows back.
    """
    from healthbook.key_commands import BROUGHT_BACK
    from healthbook.key_commands import retire_key as retire

    known = _purpose(purpose)

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        both = with_second(signed, second)
        await retire(store, settings_or_exit().keys, known, key, _files_told(), both)

    as_operator(run, operator, reason, role="hb_owner")
    click.echo(f"{purpose} key {key} is gone")
    if known in BROUGHT_BACK:
        click.echo("What a backup brings back from when something lay under it opens no more.")


def _files_told() -> "Callable[[int], None]":
    """Says on standard error how many files were looked at, where there are many."""
    looked = 0

    def told(more: int) -> None:
        nonlocal looked
        looked += more
        if looked % FILES_TOLD == 0:
            click.echo(f"{looked} files", err=True)

    return told


def _purpose(name: str) -> "Purpose":
    from store.keys import PURPOSES

    known = next((known for known in PURPOSES if known == name), None)
    if known is None:
        fail(f"{name} is none of {', '.join(PURPOSES)}.")
    return known


COMMANDS: tuple[click.Command, ...] = (
    make_keys,
    first_key,
    list_keys,
    add_key,
    rotate_lookup,
    reseal,
    retire_key,
)
