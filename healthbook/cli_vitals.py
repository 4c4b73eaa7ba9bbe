"""`healthbook vitals`: the default limits of measurements, and files of them."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING
from uuid import UUID

import click

from healthbook.cli_acts import (
    FILE,
    NEW_FILE,
    OPERATOR,
    REASON,
    as_operator,
    at_place,
    fail,
    settings_or_exit,
    with_second,
)

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store
    from vitals.files.models import ImportShown

SECOND = click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator.")


@click.group()
def vitals() -> None:
    """What people measure themselves."""


@vitals.group()
def rules() -> None:
    """The default limits, by age and disease. What has no medical source ships off."""


@rules.command(name="list")
def list_rules() -> None:
    """List every default limit, whether it is in force, and its source."""
    from healthbook.vital_rules import rules_text
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await rules_text(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@rules.command()
@click.argument("name")
@click.option("--source", required=True, help="The medical source that was read, for everybody to see.")
@SECOND
@OPERATOR
@REASON
def confirm(name: str, source: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Put a limit in force whose source was read. It is in force for everybody of its age, and of its disease
    where it has one, from then on. Two people do it (S26)."""
    from healthbook.vital_rules import confirm_rule

    async def run(store: "Store", signed: tuple[str, str]) -> str | None:
        return await confirm_rule(store, name, source, with_second(signed, second))

    click.echo(
        as_operator(run, operator, reason) or fail(f"{name}: no limit of that name waits for a source.")
    )


@rules.command()
@click.argument("name")
@SECOND
@OPERATOR
@REASON
def withdraw(name: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Take a confirmed limit out of force again. Two people do it (S26)."""
    from healthbook.vital_rules import withdraw_rule

    async def run(store: "Store", signed: tuple[str, str]) -> str | None:
        return await withdraw_rule(store, name, with_second(signed, second))

    click.echo(as_operator(run, operator, reason) or fail(f"{name}: was not confirmed."))


@vitals.command(name="import")
@click.argument("path", metavar="FILE", type=FILE)
@click.option(
    "--patient", type=click.UUID, required=True, help="Whose measurements they are: the person's id."
)
@click.option("--zone", help="Of times that say none: +07:00.")
@click.option("--dry-run", is_flag=True, help="Read and check only; nothing is kept.")
@click.option(
    "--refused", type=NEW_FILE, help="Write every item that is not taken, and why (CSV; a new file)."
)
@OPERATOR
@REASON
def import_file(
    path: Path,
    patient: UUID,
    zone: str | None,
    dry_run: bool,
    refused: Path | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Take in a file of measurements, of any size: an export of Apple Health (export.zip or export.xml), Open
    mHealth, FHIR, Nightscout, CSV with a header; its first bytes say which.

    A file that was stopped goes on where it was when the same command is given again; one that is done stores
    nothing new. Exit 1 when the file was not read to its end or nothing of it was taken.
    """
    from healthbook.vital_imports import as_json, import_vitals, was_refused

    minutes, days = _minutes(zone), settings_or_exit().vital_series_days

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> "ImportShown":
        return await import_vitals(
            store,
            path,
            patient,
            minutes,
            refused,
            series_days=days,
            dry_run=dry_run,
            signed=signed,
            say=say,
        )

    made = as_operator(run, operator, reason)
    sys.stdout.buffer.write(as_json(made))
    if was_refused(made):
        say(
            f"{made.fault.code}: {made.fault.en}" if made.fault else "Nothing was taken; the report says why."
        )
        raise SystemExit(1)


def _minutes(zone: str | None) -> int | None:
    if zone is None:
        return None
    said = fullmatch(r"([+-])(0\d|1[0-4]):([0-5]\d)", zone)
    if said is None:
        fail(f"{zone} is no zone such as +07:00.")
    size = timedelta(hours=int(said[2]), minutes=int(said[3])) // timedelta(minutes=1)
    return size if said[1] == "+" else -size
