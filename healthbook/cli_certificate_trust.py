"""`healthbook certificates trust`: whose lists of keys count, and loading them (security.md S29)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import FILE, NEW_FILE, OPERATOR, REASON, as_operator, at_place, fail, with_second

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store
    from vaccination.trust.models import Form

# Ours; no rule names a number. National lists are published every day.
MAX_AGE_DAYS = 30
SECOND = click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator.")


@click.group()
def trust() -> None:
    """Lists of keys that others publish, each by a signer of its own."""


@trust.command()
@click.argument("name")
@click.option("--form", type=click.Choice(["eu", "did", "jwks"]), required=True)
@click.option("--signer", type=FILE, required=True, help="PEM: certificate or key of who signs it.")
@click.option("--issuer", help="jwks: the issuer's https address, as its cards name it.")
@click.option(
    "--max-age", type=click.IntRange(1, 3650), default=MAX_AGE_DAYS, help="Days that a list counts."
)
@SECOND
@OPERATOR
@REASON
def pin(
    name: str,
    form: "Form",
    signer: Path,
    issuer: str | None,
    max_age: int,
    second: str | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Say whose signature the list NAME needs. Two operators."""
    from healthbook.certificate_trust import pin_list, signer_key

    key = signer_key(signer.read_bytes())
    if key is None:
        fail(f"--signer {signer}: no certificate or key of P-256 or RSA")
    if (form == "jwks") != (issuer is not None and issuer.startswith("https://")):
        fail("--issuer: https address of a key set, and of no other form")

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await pin_list(store, name, form, issuer, key, max_age, with_second(signed, second))

    as_operator(run, operator, reason)
    click.echo(f"{name}: pinned")


@trust.command()
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--seal", type=FILE, help="What `certificates trust seal` wrote for this file.")
@SECOND
@OPERATOR
@REASON
def load(
    name: str, file: Path, seal: Path | None, second: str | None, operator: str | None, reason: str | None
) -> None:
    """Take a newer version of the list NAME. The last good list stays when this one is refused.

    More than a tenth of its keys changed, or keys of our own country: a second operator (--with) answers too.
    """
    from healthbook.certificate_trust import load_list

    data, sealed = file.read_bytes(), None if seal is None else seal.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        both = signed if second is None else with_second(signed, second)
        return await load_list(store, name, data, sealed, both, has_second=both != signed)

    click.echo(as_operator(run, operator, reason))


@trust.command(name="revoke-key")
@click.argument("name")
@click.argument("kid")
@SECOND
@OPERATOR
@REASON
def revoke_key(name: str, kid: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Trust the key KID of the list NAME no longer, whatever the list says from now on. Two operators."""
    from healthbook.certificate_trust import revoke_listed_key

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await revoke_listed_key(store, name, kid, with_second(signed, second))

    as_operator(run, operator, reason)
    click.echo(f"{name}: {kid} revoked")


@trust.command(name="list")
def show() -> None:
    """Print the lists, their versions and until when each counts."""
    from healthbook.certificate_trust import shown_lists
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await shown_lists(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@trust.command()
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--key", type=FILE, required=True, help="PEM: the private key of the pinned signer.")
@click.option("--version", type=click.IntRange(1), required=True, help="Rises with each list.")
@click.option("--out", type=NEW_FILE, required=True)
def seal(name: str, file: Path, key: Path, version: int, out: Path) -> None:
    """Answer for FILE as a version of the list NAME, on the machine of who signs lists."""
    from healthbook.certificate_trust import sealed

    made = sealed(name, file.read_bytes(), key.read_bytes(), version, datetime.now(UTC))
    if made is None:
        fail(f"--key {key}: no private key of P-256 or RSA")
    out.write_bytes(made)
    click.echo(f"{out}: {name} version {version}")
