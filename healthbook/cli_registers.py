"""`healthbook admin` on facilities: the first ones, their viewers, releases and certificates."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place

if TYPE_CHECKING:
    from uuid import UUID

    from healthbook.wiring import Place
    from store.database import Store


@click.command()
@click.argument("plan", type=click.Path(exists=True, path_type=Path))
@OPERATOR
@REASON
def bootstrap(plan: Path, operator: str | None, reason: str | None) -> None:
    """Make the first operators, facilities and administrators, in an empty database only.

    PLAN is a JSON file: {"operators": [{"user_name", "name"}, ...two at least], "facilities": [...],
    "administrators": [...]}. Their secrets are printed once.
    """
    from healthbook.commands import bootstrap_from

    text = plan.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> bytes:
        return await bootstrap_from(store, text, signed)

    click.echo(as_operator(run, operator, reason).decode())


@click.command(name="set-viewer")
@click.argument("facility_code")
@click.argument("template")
@OPERATOR
@REASON
def set_viewer(facility_code: str, template: str, operator: str | None, reason: str | None) -> None:
    """Set a facility's picture viewer: an https address with {study_uid} in its path or query."""
    from healthbook.commands import set_viewer_of

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_viewer_of(store, facility_code, template, signed)

    as_operator(run, operator, reason)
    click.echo(f"viewer of {facility_code} set")


@click.command(name="set-release")
@click.argument("category", type=click.Choice(["laboratory", "other-results", "imaging", "documents"]))
@click.argument("rule", type=click.Choice(["at-once", "after-review", "after-hours"]))
@click.option("--hours", type=click.IntRange(0, 720), default=0, help="after-hours: how many.")
@click.option("--facility", "facility_code", help="Code of one facility; none: wherever no own rule is.")
@OPERATOR
@REASON
def set_release(
    category: Any, rule: Any, hours: int, facility_code: str | None, operator: str | None, reason: str | None
) -> None:
    """Set when people see a category of results; what waits already keeps its time."""
    from healthbook.commands import set_release as release

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await release(store, facility_code, category, rule, hours, signed)

    as_operator(run, operator, reason)
    click.echo(f"{category}: {rule}")


@click.command(name="add-certificate")
@click.argument("code")
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--required", is_flag=True, help="Refuse what this facility sends unsigned, JSON too.")
@OPERATOR
@REASON
def add_certificate(
    code: str, certificate: Path, required: bool, operator: str | None, reason: str | None
) -> None:
    """Verify what the facility of CODE signs with CERTIFICATE (PEM or DER) from now on."""
    from ehr.intake.trust.service import told_of
    from healthbook.commands import add_certificate as add

    data = certificate.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        return str(await add(store, code, data, signed, required=required))

    click.echo(as_operator(run, operator, reason))
    click.echo(told_of(data))


@click.command(name="end-certificate")
@click.argument("certificate_id", type=click.UUID)
@OPERATOR
@REASON
def end_certificate(certificate_id: "UUID", operator: str | None, reason: str | None) -> None:
    """Let a certificate count no more; what was signed with it before keeps its verdict."""
    from healthbook.commands import end_certificate as end

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await end(store, certificate_id, signed)

    as_operator(run, operator, reason)


@click.command()
def clients() -> None:
    """List the OAuth clients of the register, and what they were not told of.

    Operators enter and change them at /v1/admin/app-clients.
    """
    from healthbook.client_commands import clients_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await clients_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


COMMANDS: tuple[click.Command, ...] = (
    bootstrap,
    set_viewer,
    set_release,
    add_certificate,
    end_certificate,
    clients,
)
