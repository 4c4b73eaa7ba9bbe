"""`healthbook admin facilities` and `healthbook admin places`: the directory's files."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, NEW_FILE, OPERATOR, REASON, as_operator, fail, or_exit, with_second

if TYPE_CHECKING:
    from healthbook.directory_commands import FacilityReport, PlaceReport
    from identity.facility_admin.models import FacilityCode
    from store.database import Store

SECOND = click.option(
    "--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The other person who agrees to this."
)


@click.group()
def facilities() -> None:
    """Facilities from a file, and the codes of their first administrators."""


@facilities.command(name="import")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--sheets", type=NEW_FILE, help="Write the codes here (CSV); the file must not be there yet.")
@click.option("--dry-run", is_flag=True, help="Read and check only; nothing is kept.")
@click.option("--report", type=NEW_FILE, help="Write the report (JSON) to a file.")
@SECOND
@OPERATOR
@REASON
def import_facilities(
    path: Path,
    sheets: Path | None,
    dry_run: bool,
    report: Path | None,
    second: str | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Make the facilities of FILE (CSV), each with a code that its first administrator redeems once.

    A facility whose code is there already is left as it is, so the same file goes on after a stop. Exit 1
    when a line was refused; the report says which and why, and the other lines are made.
    """
    from healthbook.directory_commands import Run, as_json
    from healthbook.directory_commands import import_facilities as run_import

    if not dry_run and sheets is None:
        fail("--sheets FILE is needed: the codes are written there once and nowhere else.")
    if sheets is not None and sheets.exists():
        fail(f"{sheets} is there already; codes in it are not overwritten.")
    os.umask(0o077)  # the codes are for nobody else's eyes on this machine

    async def run(store: "Store", signed: tuple[str, str]) -> "FacilityReport":
        agreed = signed if dry_run else with_second(signed, second)
        kept = None if dry_run else sheets
        return await run_import(store, path, Run(signed=agreed, sheets=kept, dry_run=dry_run), _say)

    made = as_operator(run, operator, reason)
    _write(as_json(made), report)
    if made.refused:
        _say(f"{len(made.refused)} lines were refused; the report says which and why.")
        raise SystemExit(1)


@facilities.command(name="print")
@click.argument("path", metavar="SHEETS", type=FILE)
@click.argument("directory", metavar="DIRECTORY", type=click.Path(file_okay=False, path_type=Path))
def print_codes(path: Path, directory: Path) -> None:
    """Set the codes of SHEETS, a file that `import` wrote, as PDFs in DIRECTORY, eight slips a page."""
    from healthbook.code_slips import print_slips

    os.umask(0o077)
    click.echo(f"{or_exit(lambda: print_slips(path, directory, _say))} slips in {directory}.")


@facilities.command()
@click.argument("code")
@SECOND
@OPERATOR
@REASON
def activation(code: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Print another code for the first administrator of the facility of CODE; the one before is void."""
    from healthbook.directory_commands import as_json, new_activation

    async def run(store: "Store", signed: tuple[str, str]) -> "FacilityCode":
        return await new_activation(store, code, with_second(signed, second))

    _write(as_json(as_operator(run, operator, reason)), None)


@click.group()
def places() -> None:
    """Administrative units, before and after the reform of 2025."""


@places.command(name="import")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--dry-run", is_flag=True, help="Read and check only; nothing is kept.")
@OPERATOR
@REASON
def import_places(path: Path, dry_run: bool, operator: str | None, reason: str | None) -> None:
    """Take in the administrative units of FILE (CSV), all or nothing; exit 1 when a line was refused.

    The program ships no codes of its own: healthbook/samples/places_SAMPLE.csv only shows the form.
    """
    from healthbook.directory_commands import as_json
    from healthbook.directory_commands import import_places as run_import

    async def run(store: "Store", signed: tuple[str, str]) -> "PlaceReport":
        return await run_import(store, path, dry_run=dry_run, signed=signed)

    made = as_operator(run, operator, reason)
    _write(as_json(made), None)
    if made.refused:
        _say("Nothing was taken in; the report says which lines and why.")
        raise SystemExit(1)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _write(data: bytes, report: Path | None) -> None:
    if report is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        report.write_bytes(data)


COMMANDS: tuple[click.Command, ...] = (facilities, places)
