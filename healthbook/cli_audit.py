"""`healthbook audit`: the logs that prove who did what."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, NEW_FILE, at_place, fail, or_exit

if TYPE_CHECKING:
    from uuid import UUID

    from healthbook.wiring import Place


@click.group()
def audit() -> None:
    """The logs that prove who did what."""


@audit.command(name="quarantine")
@click.argument("quarantine_id", type=click.UUID)
def audit_quarantine(quarantine_id: "UUID") -> None:
    """Print who looked at something in the quarantine, proposed, placed or returned it."""
    from healthbook.commands import quarantine_events
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> bytes:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await quarantine_events(store, quarantine_id)

    click.echo(at_place(lambda place: asyncio.run(run(place))).decode())


@audit.command()
@click.option("--days", type=click.IntRange(1, 3650), default=2, help="Read under since then; 2 unless set.")
def reconcile(days: int) -> None:
    """Hold the reads that left the API against the rows of the log, per grant and emergency access.

    Exit 1 when a read left that no row tells of.
    """
    from healthbook.commands import reconciled
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> tuple[str, bool]:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await reconciled(store, days)

    text, is_whole = at_place(lambda place: asyncio.run(run(place)))
    click.echo(text)
    if not is_whole:
        raise SystemExit(1)


@audit.command()
@click.argument("exports", nargs=-1, type=FILE)
@click.option("--roots", multiple=True, type=FILE, help="Published roots, of the service or a witness.")
@click.option("--pin", type=FILE, help="What an earlier check kept: nothing of it may have changed.")
@click.option("--witness", metavar="KEY", help="The witness's Ed25519 key (base64url): it must have signed.")
@click.option("--keep", type=NEW_FILE, help="Write what to keep for the next check.")
@click.option("--operators", is_flag=True, help="The operators' log of this installation instead.")
def verify(
    exports: tuple[Path, ...],
    roots: tuple[Path, ...],
    pin: Path | None,
    witness: str | None,
    keep: Path | None,
    operators: bool,
) -> None:
    """Check an exported access log offline, or the operators' log in the database.

    EXPORTS are the pages of `GET /v1/me/access-log/export`, in their order; --roots what
    `GET /.well-known/audit-roots` says. Neither a database nor keys are needed for them.
    Exit 0: whole. 1: something was changed, and where. 2: cannot be checked, and why.
    3: whole, but a restored backup lost rows, and which.
    """
    from healthbook.proofs import ProofError, check_exports, check_operators
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await check_operators(store, roots)

    if operators == bool(exports) or (operators and (pin or keep or witness)) or (witness and not roots):
        fail("Name the files of an export, or --operators alone or with --roots; --witness needs --roots.")
    try:
        if operators:
            click.echo(at_place(lambda place: asyncio.run(run(place))))
        else:
            click.echo(or_exit(lambda: check_exports(exports, roots, pin, witness, keep)))
    except ProofError as error:
        click.echo(str(error), err=True)
        raise SystemExit(error.status) from error
