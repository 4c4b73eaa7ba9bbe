"""`healthbook backup` and `healthbook restore`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, at_place, or_exit, settings_or_exit, sign_act

if TYPE_CHECKING:
    from healthbook.wiring import Place

NEW_DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)


@click.command()
@click.argument("directory", type=NEW_DIRECTORY)
@OPERATOR
@REASON
def backup(directory: Path, operator: str | None, reason: str | None) -> None:
    """Copy the service's own database and its files into the new DIRECTORY, while everything runs.

    No key and no journal is in it: keep those apart. Destroy backups after 35 days.
    """
    from healthbook.backup import back_up, refuse_backup
    from healthbook.wiring import check_start, load_keys

    async def run(place: "Place") -> int:
        keys = load_keys(place.settings)
        signed = sign_act(operator, reason, demo=await check_start(place, keys))
        return await back_up(place, keys, directory, signed)

    or_exit(lambda: refuse_backup(settings_or_exit(), directory))
    click.echo(f"{at_place(lambda place: asyncio.run(run(place)))} bytes in {directory}")


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path))
@OPERATOR
@REASON
def restore(directory: Path, operator: str | None, reason: str | None) -> None:
    """Put the backup in DIRECTORY into an empty HEALTHBOOK_DATA and make it fit to serve (admin recover).

    Keys and journal are those of the installation that was lost.
    """
    from healthbook.backup import put_back, refuse_restore
    from healthbook.recovery.commands import recover_place
    from healthbook.wiring import load_keys

    settings = settings_or_exit()
    or_exit(lambda: refuse_restore(settings, directory))
    keys = or_exit(lambda: load_keys(settings))
    signed = sign_act(operator, reason, demo=keys.demo)

    def run(place: "Place") -> str:
        put_back(place, directory)
        return asyncio.run(recover_place(place, keys, *signed, forced=True))

    click.echo(at_place(run))
