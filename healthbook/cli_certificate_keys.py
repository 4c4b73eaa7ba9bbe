"""`healthbook certificates keys`: from a signing authority to a signer of documents, and what it signed."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from healthbook.cli_acts import (
    FILE,
    NEW_FILE,
    OPERATOR,
    REASON,
    as_operator,
    at_place,
    fail,
    people_of,
    settings_or_exit,
    with_second,
)

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store
    from vaccination.signer.models import Algorithm, DocumentSigner
    from vaccination.signer.ports import SignerPurpose
    from vaccination.signer.reconciling import Reconciled

T = TypeVar("T")

DIRECTORY = click.Path(file_okay=False, path_type=Path)
SECOND = click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator.")
BUDGET = click.IntRange(1, 10_000_000)
# A day of one province's certificates; ours, no number was found.
BUDGET_DEFAULT = 50_000


@click.group()
def keys() -> None:
    """Keys that certificates and health cards are signed with."""


@keys.command(name="make-authority")
@click.argument("directory", type=DIRECTORY)
@click.option("--name", default="National signing authority (own)", help="The common name.")
def make_authority(directory: Path, name: str) -> None:
    """Make a signing authority of one's own in DIRECTORY, on a machine without a network.

    In production the country's authority certifies instead; then only its certificate is needed here.
    """
    from healthbook.certificate_keys import make_authority_in

    click.echo(f"made {or_fail(lambda: make_authority_in(directory, name))}")


@keys.command()
@click.argument("purpose", type=click.Choice(["hc1", "shc"]))
@click.option("--alg", type=click.Choice(["ES256", "PS256"]), default="ES256")
@click.option("--name", default="Document signer", help="The common name in the certificate.")
def make(purpose: "SignerPurpose", alg: "Algorithm", name: str) -> None:
    """Make a key in the signer's directory, and beside it the request for its certificate.

    hc1: certificates; shc: health cards. Run it as the signer's account; the key never leaves its directory.
    """
    from healthbook.certificate_keys import make_signer_key

    directory = settings_or_exit().signer_keys
    path = or_fail(lambda: make_signer_key(directory, purpose, alg, name, demo=False))
    click.echo(f"key {path.stem} made; its request is {path}")


@keys.command()
@click.argument("request", type=FILE)
@click.option("--authority", type=DIRECTORY, required=True, help="The directory of make-authority.")
@click.option("--out", type=NEW_FILE, required=True, help="Where the certificate goes.")
def certify(request: Path, authority: Path, out: Path) -> None:
    """Certify a REQUEST with an authority of one's own. The file keeps the name that `make` gave it."""
    from healthbook.certificate_keys import certify_request

    or_fail(lambda: certify_request(request, authority, out))
    click.echo(f"wrote {out}")


@keys.command()
@click.argument("key")
@click.argument("certificate", type=FILE)
@click.argument("authority", type=FILE)
@click.option("--budget", type=BUDGET, default=BUDGET_DEFAULT, help="Signatures a day.")
@SECOND
@OPERATOR
@REASON
def enrol(
    key: str,
    certificate: Path,
    authority: Path,
    budget: int,
    second: str | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Sign with KEY from now on; CERTIFICATE is its own, AUTHORITY the one above. Two people do it (S26)."""
    from healthbook.certificate_keys import enrol_key

    async def run(store: "Store", signed: tuple[str, str]) -> "DocumentSigner":
        both = with_second(signed, second)
        return await enrol_key(store, key, certificate, authority, budget, both)

    made = or_fail(lambda: as_operator(run, operator, reason, role="hb_owner"))
    click.echo(f"{made.key_id} signs until {made.sign_until:%Y-%m-%d}, kid {made.kid_text}")


@keys.command()
@click.argument("key")
@SECOND
@OPERATOR
@REASON
def retire(key: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Sign nothing more with KEY. What it signed stays valid. Two people do it (S26)."""
    from healthbook.certificate_keys import retire_key

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await retire_key(store, key, with_second(signed, second))

    or_fail(lambda: as_operator(run, operator, reason, role="hb_owner"))
    click.echo(f"{key} signs nothing more")


@keys.command()
@click.argument("key")
@SECOND
@OPERATOR
@REASON
def revoke(key: str, second: str | None, operator: str | None, reason: str | None) -> None:
    """Say that KEY is in other hands: nothing that it signed counts any more. Two people do it (S26).

    For good: it leaves our published lists at once, and verifiers answer REVOKED_KEYS. Then the worker ends
    what people hold under it, tells them, and makes certificates anew with another key. Run it again where it
    was stopped.
    """
    from healthbook.certificate_keys import follow_keys, revoke_key
    from kernel.clock import SystemClock

    async def run(store: "Store", signed: tuple[str, str]) -> int:
        await revoke_key(store, key, with_second(signed, second))
        with click.progressbar(length=await people_of(store), label="people", file=sys.stderr) as bar:
            return await follow_keys(store, bar.update, SystemClock().now())

    held = or_fail(lambda: as_operator(run, operator, reason, role="hb_owner"))
    click.echo(f"{key} is revoked: nothing that it signed counts any more; people who hold something: {held}")


@keys.command()
@click.argument("key")
@click.argument("number", type=BUDGET)
@SECOND
@OPERATOR
@REASON
def budget(key: str, number: int, second: str | None, operator: str | None, reason: str | None) -> None:
    """Let KEY give NUMBER signatures a day. Two people do it (S26)."""
    from healthbook.certificate_keys import set_key_budget

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_key_budget(store, key, number, with_second(signed, second))

    or_fail(lambda: as_operator(run, operator, reason, role="hb_owner"))
    click.echo(f"{key} gives {number} signatures a day")


@keys.command(name="list")
def list_() -> None:
    """Print every key that signs or signed: algorithm, kid, until when, and how many a day."""
    from healthbook.certificate_keys import list_keys
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> list[str]:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await list_keys(store)

    for line in at_place(lambda place: asyncio.run(run(place))):
        click.echo(line)


@keys.command()
@click.option("--days", type=click.IntRange(1, 3650), default=2, help="How far back; 2 unless set.")
def reconcile(days: int) -> None:
    """Hold the signer's log against the rows that asked for signatures, and against itself.

    Exit 1 when a signature has no row, a row no signature, or the log was changed.
    """
    from healthbook.certificate_keys import reconcile_days, told
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> "Reconciled":
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await reconcile_days(store, days)

    found = at_place(lambda place: asyncio.run(run(place)))
    for line in told(found):
        click.echo(line)
    if found.strays:
        raise SystemExit(1)


def or_fail(run: Callable[[], T]) -> T:
    """Run; what is wrong with a key or a certificate becomes one plain line and exit 2."""
    from healthbook.certificate_keys import KeyCommandError
    from vaccination.signer.authority import CertificateError
    from vaccination.signer.key_files import KeyFileError

    try:
        return run()
    except (KeyCommandError, CertificateError, KeyFileError) as error:
        fail(f"{error}".rstrip(".") + ".")
    except FileExistsError as error:
        fail(f"{error.filename} is there already; keys and certificates are never overwritten.")


COMMANDS: tuple[click.Command, ...] = (keys,)
