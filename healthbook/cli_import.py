"""`healthbook import`: files taken in, and what stolen credentials sent taken back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, NEW_FILE, OPERATOR, REASON, as_operator

if TYPE_CHECKING:
    from ehr.intake.models import Report
    from store.database import Store
    from vaccination.first_fill.models import Summary


class ImportGroup(click.Group):
    """`healthbook import PATHS…` reads files, with `--system` a file of doses; `import revert` takes back."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            of_system = any(arg.split("=")[0] == "--system" for arg in args)
            args = ["doses" if of_system else "files", *args]
        return super().parse_args(ctx, args)


@click.group(name="import", cls=ImportGroup)
def import_() -> None:
    """Take in files, or take back what was taken in.

    \b
    healthbook import PATHS...        FHIR Bundles, treatment packages, CDA and QĐ 831, any size;
                                      options: healthbook import files --help
    healthbook import doses FILE      doses of the national immunisation and COVID systems, CSV or JSON
    healthbook import revert ...      what stolen credentials sent
    """


@import_.command(name="files")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--facility", "facility_code", help="Code of the facility the files come from.")
@click.option("--dry-run", is_flag=True, help="Read and check only; nothing is kept.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report to a file.")
@OPERATOR
@REASON
def import_files(
    paths: tuple[Path, ...],
    facility_code: str | None,
    dry_run: bool,
    report: Path | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Take in FHIR Bundles and treatment packages, any size; print or write a report.

    Exit 1 when every unit was rejected; the report says why.
    """
    from healthbook.commands import as_json, import_records, was_all_rejected

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> "Report":
        return await import_records(
            store, list(paths), facility_code, dry_run=dry_run, signed=signed, say=say
        )

    made = as_operator(run, operator, reason)
    if report is None:
        sys.stdout.buffer.write(as_json(made))
    else:
        report.write_bytes(as_json(made))
    if was_all_rejected(made):
        say("Nothing was imported; the report says why.")
        raise SystemExit(1)


@import_.command()
@click.argument("path", metavar="FILE", type=FILE)
@click.option(
    "--system",
    type=click.Choice(["national-immunisation", "national-covid"]),
    required=True,
    help="Whose file it is; it owns the rows.",
)
@click.option("--fields", type=FILE, help="Columns by your own file instead of the shipped fields.json.")
@click.option("--dry-run", is_flag=True, help="Read, check and match only; nothing is kept.")
@click.option("--again", is_flag=True, help="Take every row again, after `import revert`.")
@click.option("--report", type=NEW_FILE, help="Write the report (JSON) to a file.")
@click.option("--cleaning-list", type=NEW_FILE, help="Write for the sender what to mend, row by row (CSV).")
@click.option(
    "--rows", type=NEW_FILE, help="Write what became of each row of which anything is to be said (CSV)."
)
@OPERATOR
@REASON
def doses(
    path: Path,
    system: str,
    fields: Path | None,
    dry_run: bool,
    again: bool,
    report: Path | None,
    cleaning_list: Path | None,
    rows: Path | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Take in a file of vaccinations: one row, one dose. Persons are matched by number only.

    A file that was stopped goes on where it was when the same command is given again; a file that is done
    changes nothing and its lists are written anew. Exit 1 when every row was refused.
    """
    from healthbook.dose_commands import Lists, as_json, import_doses, was_all_refused

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> "Summary":
        lists = Lists(cleaning_list, rows)
        return await import_doses(
            store, path, system, fields, lists, dry_run=dry_run, again=again, signed=signed, say=say
        )

    made = as_operator(run, operator, reason)
    if report is None:
        sys.stdout.buffer.write(as_json(made))
    else:
        report.write_bytes(as_json(made))
    if was_all_refused(made):
        say("Nothing was imported; the report says why.")
        raise SystemExit(1)


@import_.command()
@click.option("--credential", "credentials", multiple=True, required=True, help="Whose sendings; repeatable.")
@click.option("--since", required=True, help="From when on, with an offset: 2026-11-21T08:00+07:00.")
@click.option("--dry-run", is_flag=True, help="Count only; nothing is changed.")
@OPERATOR
@REASON
def revert(
    credentials: tuple[str, ...], since: str, dry_run: bool, operator: str | None, reason: str | None
) -> None:
    """Take back what stolen credentials sent: every row of a book says again what it said before.

    What of it waits in the quarantine is deleted, and so is what it alone reported of persons. A credential
    is the id of a facility's system, `operator` for `healthbook import`, or `system:national-covid` and
    `system:national-immunisation` for `healthbook import doses`.
    """
    from healthbook.commands import read_instant, revert_records

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> bytes:
        instant = read_instant(since)
        return await revert_records(store, credentials, instant, dry_run=dry_run, signed=signed, say=say)

    click.echo(as_operator(run, operator, reason).decode(), nl=False)
