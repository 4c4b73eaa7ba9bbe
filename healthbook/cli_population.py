"""`healthbook population`: lists of residents, insurance cards and households."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, NEW_FILE, OPERATOR, REASON, as_operator

if TYPE_CHECKING:
    from identity.population.models import ListKind, Summary
    from store.database import Store


@click.group()
def population() -> None:
    """Residents, insurance cards and households, from an authority's files."""


@population.command()
@click.argument("path", metavar="FILE", type=FILE)
@click.option(
    "--kind",
    type=click.Choice(["residents", "cards", "households"]),
    required=True,
    help="What the lines are. Residents first: cards and households make nobody.",
)
@click.option("--dry-run", is_flag=True, help="Read, check and match only; nothing is kept.")
@click.option("--report", type=NEW_FILE, help="Write the report (JSON) to a file.")
@click.option(
    "--lines",
    "lines",
    type=NEW_FILE,
    help="Write each line of which anything is to be said (CSV): which and why.",
)
@OPERATOR
@REASON
def load(
    path: Path,
    kind: "ListKind",
    dry_run: bool,
    report: Path | None,
    lines: Path | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Take in a list (CSV, JSON or JSON lines): one line, one person.

    A person is found by number, birth date, sex and name together; whoever is there already is not changed,
    the list stands beside. A list that was stopped goes on where it was when the same command is given again;
    a list that is done is compared anew. Exit 1 when every line was refused.
    """
    from healthbook.population_commands import as_json, load_list, was_all_refused

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> "Summary":
        return await load_list(store, path, kind, lines, dry_run=dry_run, signed=signed, say=say)

    made = as_operator(run, operator, reason)
    if report is None:
        sys.stdout.buffer.write(as_json(made))
    else:
        report.write_bytes(as_json(made))
    if was_all_refused(made):
        say("Nothing was taken in; the report says why.")
        raise SystemExit(1)
