"""`healthbook import`: files taken in, and what stolen credentials sent taken back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator

if TYPE_CHECKING:
    from ehr.intake.models import Report
    from store.database import Store


class ImportGroup(click.Group):
    """`healthbook import PATHS…` reads files; `healthbook import revert` takes them back."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["files", *args]
        return super().parse_args(ctx, args)


@click.group(name="import", cls=ImportGroup)
def import_() -> None:
    """Take in files, or take back what was taken in.

    \b
    healthbook import PATHS...        FHIR Bundles, treatment packages, CDA and QĐ 831, any size;
                                      options: healthbook import files --help
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
    is the id of a facility's system, or `operator` for `healthbook import`.
    """
    from healthbook.commands import read_instant, revert_records

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> bytes:
        instant = read_instant(since)
        return await revert_records(store, credentials, instant, dry_run=dry_run, signed=signed, say=say)

    click.echo(as_operator(run, operator, reason).decode(), nl=False)
