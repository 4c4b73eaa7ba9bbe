"""`healthbook medicine-safety`: the tables that medicines are compared by. None is shipped."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, OPERATOR, REASON, as_operator

if TYPE_CHECKING:
    from store.database import Store


@click.group(name="medicine-safety")
def medicine_safety() -> None:
    """Tables that active medicines are compared by."""


@medicine_safety.command()
@click.argument("file", type=FILE)
@OPERATOR
@REASON
def load(file: Path, operator: str | None, reason: str | None) -> None:
    """Put FILE in force, a CSV of pairs of ingredients or of names of ingredients (docs/runbook.md).

    What is loaded is what clinicians answer for: the service brings no pair and judges none.
    """
    from healthbook.medicine_tables import load_medicine_table

    data = file.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        return await load_medicine_table(store, file.name, data, signed)

    click.echo(as_operator(run, operator, reason))
