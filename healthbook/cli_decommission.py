"""`healthbook decommission`: the end of an installation, step by step."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import (
    FILE,
    OPERATOR,
    REASON,
    at_place,
    fail,
    or_exit,
    people_of,
    settings_or_exit,
    sign_act,
    with_second,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healthbook.wiring import Place
    from store.database import Store
    from store.keys import KeyRing

DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)
SECOND = click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator.")


@click.group()
def decommission() -> None:
    """End this installation: close, hand-over, check (the receiver), destroy, prove."""


@decommission.command()
@SECOND
@OPERATOR
@REASON
def close(second: str | None, operator: str | None, reason: str | None) -> None:
    """Let nothing start on this database any more. Stop every process first. Two people do it (S26)."""
    from healthbook.handover.making import close_installation

    as_owner(close_installation, second, operator, reason)
    click.echo("closed; `healthbook decommission hand-over` is next, `reopen` takes it back")


@decommission.command()
@SECOND
@OPERATOR
@REASON
def reopen(second: str | None, operator: str | None, reason: str | None) -> None:
    """Take `close` back, as long as nothing was destroyed: a hand-over made meanwhile is none any more."""
    from healthbook.handover.making import reopen_installation

    as_owner(reopen_installation, second, operator, reason)
    click.echo("open again")


@decommission.command("hand-over")
@click.argument("directory", type=DIRECTORY)
@click.option("--recipient", "recipients", multiple=True, required=True, help="age1… of who receives it.")
@SECOND
@OPERATOR
@REASON
def hand_over(
    directory: Path, recipients: tuple[str, ...], second: str | None, operator: str | None, reason: str | None
) -> None:
    """Write everything into DIRECTORY, signed, sealed to the receiver. Two people do it (S26).

    Stopped in between, run it again with the same DIRECTORY.
    """
    from healthbook.handover.layout import digest_of, read_signed
    from healthbook.handover.making import hand_over as make
    from store.sealing import SealError, read_recipients

    try:
        read_recipients(list(recipients))
    except SealError as error:
        fail(f"{error}.")

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            said = await make(store, directory, list(recipients), bar.update, signed)
        rows = sum(said.rows.values())
        others = f"{said.others} other ids" + (
            f", {said.lost_blobs} files of nobody" if said.lost_blobs else ""
        )
        return f"{said.people} people, {others}, {rows} rows, {said.blobs} files of theirs"

    click.echo(f"{as_owner(run, second, operator, reason)}: signed hand-over {digest_of(directory)}")
    click.echo(f"signed by {read_signed(directory)[1]}")


@decommission.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--identity", type=FILE, required=True, help="The file with the identity of age that opens it.")
def check(directory: Path, identity: Path) -> None:
    """For the receiver: everything that was signed is in DIRECTORY, opens, and is unchanged.

    Needs no database. Prints the key's thumbprint, to be compared with the sender's by another way, and the
    receipt, without which the sender cannot destroy what is left there: tell it when all is well with you.
    Exit 1 with the first thing that is wrong.
    """
    from healthbook.handover.checking import check as check_all
    from healthbook.handover.checking import count_files
    from healthbook.handover.layout import HandOverError, digest_of

    try:
        with click.progressbar(length=count_files(directory), label="files", file=sys.stderr) as bar:
            found = check_all(directory, identity, bar.update)
    except HandOverError as error:
        click.echo(f"{error}", err=True)
        raise SystemExit(1) from None
    said = found.said
    click.echo(f"{said.people} people, {sum(said.rows.values())} rows, {said.blobs} files of theirs")
    click.echo(f"{found.roots} roots of the access log verified")
    click.echo(f"signed by {found.thumbprint} at {said.made_at:%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"hand-over {digest_of(directory)}")
    click.echo(f"receipt {found.receipt}")


@decommission.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("receipt")
@click.option("--destroy-everything", is_flag=True, help="There is no way back.")
@SECOND
@OPERATOR
@REASON
def destroy(
    directory: Path,
    receipt: str,
    destroy_everything: bool,
    second: str | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Destroy database, files, backups and keys of what was handed over in DIRECTORY. Two people (S26).

    RECEIPT is what the receiver's `check` printed. Cut off in between, run it again.
    """
    from healthbook.handover.ending import (
        certify,
        destroy_contents,
        destroy_keys,
        is_certified,
        refuse_destroying,
    )
    from healthbook.handover.layout import noted
    from healthbook.wiring import load_keys

    settings = settings_or_exit()
    if not destroy_everything:
        fail("Nobody gets anything back afterwards: say so with --destroy-everything.")
    with click.progressbar(label="files", file=sys.stderr, length=0) as bar:
        or_exit(lambda: refuse_destroying(settings, directory, bar.update))
    if not or_exit(lambda: is_certified(settings, directory, receipt)):
        keys, of = or_exit(lambda: load_keys(settings)), noted(directory, receipt)
        signed = with_second(sign_act(operator, reason, demo=keys.demo), second)
        gone = at_place(lambda place: asyncio.run(destroy_contents(place, keys, of, signed)))
        certify(settings, keys, directory, receipt, gone, signed[0])
    certificate = destroy_keys(settings, directory)
    click.echo(f"destroyed; {certificate} says so. `healthbook decommission prove` looks at what is left.")


@decommission.command()
@click.argument("copies", nargs=-1, type=DIRECTORY)
def prove(copies: tuple[Path, ...]) -> None:
    """Look for anything of this installation that can still be read, also in COPIES of its disks.

    Exit 1 where there is something.
    """
    from healthbook.handover.ending import remains

    settings = settings_or_exit()
    found = or_exit(lambda: asyncio.run(remains(settings, copies)))
    for one in found:
        click.echo(f"{one.what:<24}{one.found:>8} found {one.opens:>8} readable  {one.place}")
    if any(one.opens for one in found):
        raise SystemExit(1)


def as_owner(
    run: "Callable[[Store, tuple[str, str]], Awaitable[object]]",
    second: str | None,
    operator: str | None,
    reason: str | None,
) -> object:
    """Run an act of two people on an installation that may be closed already, as hb_owner."""
    from healthbook.wiring import load_keys, opened_store

    async def act(place: "Place", keys: "KeyRing") -> object:
        signed = with_second(sign_act(operator, reason, demo=keys.demo), second)
        async with opened_store(place, "hb_owner", keys) as store:
            return await run(store, signed)

    return at_place(lambda place: asyncio.run(act(place, load_keys(place.settings))))
