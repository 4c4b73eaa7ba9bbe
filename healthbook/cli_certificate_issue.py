"""`healthbook certificates` on issue: who may vaccinate, late doses, issuing for many, taking back."""

import sys
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from healthbook.cli_acts import OPERATOR, REASON, as_operator, people_of, settings_or_exit, with_second

if TYPE_CHECKING:
    from uuid import UUID

    from store.database import Store

DAY = click.DateTime(["%Y-%m-%d"])
SECOND = click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator.")


@click.command()
@click.argument("facility_code")
@click.option("--from", "from_on", type=DAY, required=True, help="The first day.")
@click.option("--until", "until_on", type=DAY, help="The last day; none: until it is ended.")
@OPERATOR
@REASON
def authority(
    facility_code: str, from_on: datetime, until_on: datetime | None, operator: str | None, reason: str | None
) -> None:
    """Say when a facility may vaccinate. Without it no dose of it becomes a certificate."""
    from healthbook.certificate_commands import grant_authority

    last = until_on.date() if until_on else None

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await grant_authority(store, facility_code, from_on.date(), last, signed)

    as_operator(run, operator, reason)
    click.echo(f"{facility_code} may vaccinate from {from_on:%Y-%m-%d}")


@click.command(name="end-authority")
@click.argument("facility_code")
@click.argument("last_day", type=DAY)
@OPERATOR
@REASON
def end_authority(facility_code: str, last_day: datetime, operator: str | None, reason: str | None) -> None:
    """Say on which day a facility may vaccinate for the last time.

    Certificates and health cards of later days are revoked by the worker. Run it again where it was stopped.
    """
    from healthbook.certificate_commands import end_authority as end

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            await end(store, facility_code, last_day.date(), signed, bar.update)

    as_operator(run, operator, reason)
    click.echo(f"{facility_code} may vaccinate until {last_day:%Y-%m-%d}")


@click.command(name="confirm-doses")
@click.argument("facility_code")
@SECOND
@OPERATOR
@REASON
def confirm_doses(facility_code: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Confirm what a facility sent over 30 days after its day, after a check of the whole file by two people.

    Single doses are confirmed at the facility, by an account that did not enter them.
    """
    from healthbook.certificate_commands import confirm_late_doses

    async def run(store: "Store", signed: tuple[str, str]) -> int:
        both = with_second(signed, second)
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            return await confirm_late_doses(store, facility_code, both, bar.update)

    click.echo(f"{as_operator(run, operator, reason)} doses confirmed")


@click.command()
@click.option("--facility", "facility_code", help="Doses of one facility alone, by its code.")
@click.option("--most", type=click.IntRange(1), help="Stop after so many.")
@OPERATOR
@REASON
def issue(facility_code: str | None, most: int | None, operator: str | None, reason: str | None) -> None:
    """Issue the certificate of every COVID-19 dose that is a ground for one; print what became of the doses.

    A dose that has one keeps it: run it again where it was stopped.
    """
    from healthbook.certificate_commands import issue_all
    from healthbook.wiring import signer_of

    signer = signer_of(settings_or_exit())

    async def run(store: "Store", signed: tuple[str, str]) -> Counter[str]:
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            return await issue_all(store, signer, facility_code, most, signed, bar.update)

    made = as_operator(run, operator, reason)
    click.echo(msgspec.json.format(msgspec.json.encode(dict(sorted(made.items()))), indent=2).decode())


@click.command()
@click.argument("said", default="-")
@OPERATOR
@REASON
def revoke(said: str, operator: str | None, reason: str | None) -> None:
    """Revoke one certificate by its number (URN:UVCI:…) or text (HC1:…); `-` reads it from standard input.

    Its dose stays; while it stands the person can have another one.
    """
    from healthbook.certificate_commands import revoke_certificate

    # Base45 has spaces: of a line only its end is taken off.
    text = sys.stdin.readline().rstrip("\r\n") if said == "-" else said

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await revoke_certificate(store, text, signed)

    as_operator(run, operator, reason)
    click.echo("revoked")


@click.command(name="passport-name")
@click.argument("patient_id", type=click.UUID)
@click.argument("family")
@click.argument("given")
@OPERATOR
@REASON
def passport_name(
    patient_id: "UUID", family: str, given: str, operator: str | None, reason: str | None
) -> None:
    """Set how a person's name stands in the passport, which somebody saw. Certificates follow."""
    from healthbook.certificate_commands import set_passport_name

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_passport_name(store, patient_id, family, given, signed)

    as_operator(run, operator, reason)
    click.echo("set")


COMMANDS: tuple[click.Command, ...] = (authority, end_authority, confirm_doses, issue, revoke, passport_name)
