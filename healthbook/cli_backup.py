"""`healthbook backup …`, `healthbook restore` and `healthbook verify-backup`."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import (
    FILE,
    NEW_FILE,
    OPERATOR,
    REASON,
    at_place,
    fail,
    or_exit,
    settings_or_exit,
    sign_act,
)

if TYPE_CHECKING:
    from healthbook.backups.restoring import Wish
    from healthbook.wiring import Place

IDENTITY = click.option(
    "--identity", type=FILE, required=True, help="The file that opens backups (backup make-identity)."
)
TO = click.option("--to", metavar="TIME", help="2026-11-23T08:15:00+07:00; unset: all that there is.")
NODE = click.option("--node", default="n0", show_default=True, help="Which server of a cluster.")
LABEL = click.option("--base", "label", help="Another whole copy than the newest one (backup status).")


@click.group()
def backup() -> None:
    """Copies of the whole installation, sealed (HEALTHBOOK_BACKUP, HEALTHBOOK_BACKUP_RECIPIENTS).

    No key and no journal is in them: keep those apart.
    """


@backup.command("make-identity")
@click.argument("file", type=NEW_FILE)
def make_identity_(file: Path) -> None:
    """Make what opens backups, in the new FILE, and print what they are sealed to.

    FILE belongs offline, twice: without it no backup opens, and with it every one does.
    """
    from store.sealing import make_identity

    try:
        recipient = make_identity(file)
    except OSError as error:
        fail(f"{file}: {error.strerror}.")
    click.echo(f"HEALTHBOOK_BACKUP_RECIPIENTS={recipient}")


@backup.command("make")
@OPERATOR
@REASON
def make_(operator: str | None, reason: str | None) -> None:
    """Copy everything once, now, with the log to the copy's end; let go what is older than 35 days."""
    from healthbook.backups.service import make, refuse_backup
    from healthbook.backups.vault import opened_vault
    from healthbook.wiring import check_start, load_keys, opened_store
    from kernel.clock import SystemClock

    async def run(place: "Place") -> None:
        from audit.service import record_admin_event

        keys, clock = load_keys(place.settings), SystemClock()
        signed = sign_act(operator, reason, demo=await check_start(place, keys))
        async with opened_vault(place.settings) as vault:
            async with opened_store(place, "hb_api", keys) as store, store.transaction() as tx:
                await record_admin_event(tx, signed[0], "backup:make", signed[1], 1, clock.now())
            for base in await make(place, vault, clock, _tell):
                click.echo(f"{base.node} {base.label}: {base.length} bytes")

    or_exit(lambda: refuse_backup(settings_or_exit()))
    at_place(lambda place: asyncio.run(run(place)))


@backup.command("run")
def run_() -> None:
    """Take the database's log as it is written, new files each minute and a whole copy each day.

    Run one beside the service, until it is told to stop.
    """
    import signal

    from healthbook.backups.service import Run, refuse_backup
    from healthbook.backups.vault import opened_vault
    from healthbook.logs import configure_logs
    from kernel.clock import SystemClock

    async def run(place: "Place") -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with opened_vault(place.settings) as vault:
            await Run(place, vault, SystemClock(), stop).until_stopped()

    or_exit(lambda: refuse_backup(settings_or_exit()))
    configure_logs()
    at_place(lambda place: asyncio.run(run(place)))


@backup.command("status")
def status_() -> None:
    """How far back and how far on the backups lead. Exit 1 where somebody must look."""
    from healthbook.backups.status import backup_faults, report
    from healthbook.backups.vault import Vault, opened_archive
    from kernel.clock import SystemClock

    async def run() -> list[str]:
        settings, now = settings_or_exit(), SystemClock().now()
        async with opened_archive(settings) as archive:
            for one in await report(Vault(archive, [], []), now):
                left = f", left the cluster at {_at(one.left_at)}" if one.left_at else ""
                click.echo(
                    f"{one.node}: from {_at(one.oldest)} until {_at(one.safe_until)}, {one.bases} whole "
                    f"copies, the newest of {_at(one.newest)}, {one.sealed} bytes{left}"
                )
        return await backup_faults(settings, now)

    faults = or_exit(lambda: asyncio.run(run()))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(1)


@click.command("verify-backup")
@IDENTITY
@TO
@NODE
@LABEL
@click.option("--start", is_flag=True, help="Also start it and read every row.")
@click.option(
    "--in",
    "room",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where a server has room.",
)
def verify_backup(
    identity: Path, to: str | None, node: str, label: str | None, start: bool, room: Path | None
) -> None:
    """Prove that the newest backup is one: open all of it, compare every file and the log, start it.

    It needs no database: run it where the identity is at hand.
    """
    from healthbook.backups.proof import prove

    settings = settings_or_exit()
    proof = or_exit(lambda: prove(settings, _wish(identity, to, node, label), room, _tell, start=start))
    click.echo(f"{proof.label}: every file is as the server listed it; {proof.files} documents open.")
    log = f"{proof.segments} segments of the log, the last commit at {proof.last_commit}"
    click.echo(f"{log}." if proof.log_parsed else f"{log}; its records were not read: another version's.")
    if proof.rows is not None:
        click.echo(f"It started: {proof.rows} rows of {proof.tables} tables were read to their ends.")


@click.command()
@IDENTITY
@TO
@NODE
@LABEL
@click.option(
    "--into",
    type=click.Path(resolve_path=True, path_type=Path),
    help="Make this directory for a server of your own instead; then `healthbook admin recover`.",
)
@click.option(
    "--files",
    is_flag=True,
    help="With --into: documents and pictures too, back where this installation keeps them.",
)
@OPERATOR
@REASON
def restore(
    identity: Path,
    to: str | None,
    node: str,
    label: str | None,
    into: Path | None,
    files: bool,
    operator: str | None,
    reason: str | None,
) -> None:
    """Put database and files back as they were at a time, and make them fit to serve (admin recover).

    HEALTHBOOK_DATA must be empty; keys and journal are those of the installation that was lost.
    """
    from healthbook.backups.restoring import bring_back, lay_out, refuse_restore
    from healthbook.recovery.commands import recover_place
    from healthbook.wiring import load_keys

    settings, wish = settings_or_exit(), _wish(identity, to, node, label)
    keys = or_exit(lambda: load_keys(settings))
    signed = sign_act(operator, reason, demo=keys.demo)
    if into is not None:
        or_exit(lambda: lay_out(settings, wish, into, _tell, with_files=files))
        if not files:
            click.echo("Documents and pictures were left alone: --files puts them back.")
        click.echo(f"Start a server in {into}; then `healthbook admin recover`.")
        return
    or_exit(lambda: refuse_restore(settings))
    or_exit(lambda: bring_back(settings, wish, _tell))
    click.echo(at_place(lambda place: asyncio.run(recover_place(place, keys, *signed, forced=True))))


def _wish(identity: Path, to: str | None, node: str, label: str | None) -> "Wish":
    from healthbook.backups.restoring import Wish

    at = None
    if to is not None:
        try:
            at = datetime.fromisoformat(to)
        except ValueError:
            fail("--to: expected a time as 2026-11-23T08:15:00+07:00")
        if at.tzinfo is None:
            fail("--to: say of which zone, as 2026-11-23T08:15:00+07:00")
    return Wish(identity=identity, to=at, node=node, label=label)


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "-"


def _tell(text: str) -> None:
    """Progress, on standard error."""
    click.echo(text, err=True)
