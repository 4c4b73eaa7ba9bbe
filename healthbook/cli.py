"""The commands. An act on the data needs a named operator and a reason and leaves a row (S26).

Modules are imported inside the commands: `healthbook --help` and a second `serve` stay quick.
"""

import asyncio
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook import cli_articles, cli_core, cli_directory, cli_keys, cli_registers, cli_upkeep
from healthbook.cli_acts import at_place, end_when_told, fail, or_exit, settings_or_exit
from healthbook.cli_audit import audit
from healthbook.cli_axis import axis
from healthbook.cli_backup import backup, restore, verify_backup
from healthbook.cli_certificate_checks import conformance, verify
from healthbook.cli_certificate_trust import trust
from healthbook.cli_certificates import certificates
from healthbook.cli_cluster import copy_database, migrate
from healthbook.cli_decommission import decommission
from healthbook.cli_demo import as_, demo
from healthbook.cli_import import import_
from healthbook.cli_medicines import medicine_safety
from healthbook.cli_notifications import notifications
from healthbook.cli_population import population
from healthbook.cli_vitals import vitals
from healthbook.cli_watch import doctor, slow_queries

if TYPE_CHECKING:
    from healthbook.wiring import Place

# Commands that change nothing in the data; every other one writes an admin_event.
READ_ONLY = frozenset(
    {
        *(
            "serve",
            "worker",
            "signer",
            "openapi",
            "as",
            "admin displays",
            "admin core-links",
            "admin articles",
            "admin clients",
            "admin facilities print",
            "admin keys",
        ),
        *("certificates verify", "certificates conformance", "certificates trust list"),
        "certificates trust seal",
        *("admin article-text", "audit verify", "audit quarantine", "audit reconcile"),
        *("doctor", "slow-queries"),
        *("certificates keys make-authority", "certificates keys make", "certificates keys certify"),
        *("certificates keys list", "certificates keys reconcile"),
        *("notifications status", "notifications dead-letters"),
        # Copies leave no row where each would be one of every five seconds, and a proof needs no database.
        *("backup make-identity", "backup run", "backup status", "verify-backup"),
        *("vitals rules list", "axis list", "axis public-key"),
        # The receiver has no log of ours, and what is left at the end has none either.
        *("decommission check", "decommission prove"),
    }
)
# Commands that make what an admin_event would be written to.
BEFORE_THE_LOG = frozenset({"demo", "migrate", "admin make-keys", "admin first-key"})


@click.group(context_settings={"max_content_width": 120})
def main() -> None:
    """Sổ sức khỏe điện tử: the back end of a citizen's lifelong electronic health book."""


@click.group()
def admin() -> None:
    """Acts of operators."""


@click.command()
@click.option("--no-worker", is_flag=True, help="Leave outbox and deliveries to `healthbook worker`.")
@click.option("--die-with-parent", is_flag=True, hidden=True, help="Stop when `make run` is killed.")
def serve(no_worker: bool, die_with_parent: bool) -> None:
    """Serve the API with one worker beside it."""
    gc.disable()  # collecting takes a third of a start, which makes no garbage; fork_child enables it
    from msgspec.structs import replace

    from healthbook.announce import announce
    from healthbook.serve import serve as run
    from healthbook.serve import stop_with

    end_when_told()
    settings = settings_or_exit()
    if die_with_parent:
        settings = replace(settings, drain_seconds=0)  # nobody balances before `make run`
        stop_with(os.getppid())
    raise SystemExit(or_exit(lambda: run(settings, with_worker=not no_worker, announce=announce)))


@click.command()
def worker() -> None:
    """Run one worker alone: outbox, deliveries, timers."""
    from healthbook.serve import run_worker
    from healthbook.wiring import Serving, check_start, load_keys, refuse_foreign

    def run(place: "Place") -> None:
        keys = load_keys(place.settings)
        asyncio.run(refuse_foreign(place, "hb_delivery"))
        run_worker(Serving(place, keys, asyncio.run(check_start(place, keys))))

    at_place(run)


@click.command()
def signer() -> None:
    """Run the signer of certificates alone, in an account of its own.

    It alone reads HEALTHBOOK_SIGNER_KEYS, and answers on the socket HEALTHBOOK_SIGNER.
    """
    from healthbook.signing_process import run_until_stopped

    at_place(run_until_stopped)


@click.command()
@click.option("--check", is_flag=True, help="Compare with the committed files instead of writing them.")
def openapi(check: bool) -> None:
    """Write openapi/openapi.json, mobile-contract/errors.json and errors.md from the code."""
    from healthbook.contract import differing_files, write_files

    root = Path.cwd()
    if not check:
        for path in write_files(root):
            click.echo(f"wrote {path.relative_to(root)}")
        return
    differing = differing_files(root)
    if differing:
        fail(f"{', '.join(differing)}: not what the code generates. Run `healthbook openapi`.")


for command in (
    *cli_articles.COMMANDS,
    *cli_core.COMMANDS,
    *cli_directory.COMMANDS,
    *cli_keys.COMMANDS,
    *cli_registers.COMMANDS,
    *cli_upkeep.COMMANDS,
):
    admin.add_command(command)
for command in (
    *(serve, worker, signer, migrate, doctor, slow_queries, backup, restore, verify_backup, openapi),
    *(admin, audit, import_, demo, as_, decommission),
    *(medicine_safety, certificates, notifications, population, vitals, axis),
):
    main.add_command(command)
admin.add_command(copy_database)
for command in (verify, conformance, trust):
    certificates.add_command(command)
