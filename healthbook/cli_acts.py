"""What every command shares: an act on the data needs a named operator and a reason (S26)."""

import asyncio
import getpass
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, TypeVar

import click

from healthbook.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from healthbook.wiring import Place
    from store.database import Store
    from store.keys import KeyRing

T = TypeVar("T")

OPERATOR = click.option("--operator", envvar="HEALTHBOOK_OPERATOR", help="Who does this (a person's name).")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
REASON = click.option("--reason", envvar="HEALTHBOOK_REASON", help="Why; no names or numbers of patients.")


def settings_or_exit() -> Settings:
    """The settings, or exit 2 with the name of the variable that is wrong."""
    try:
        return read_settings()
    except SettingsError as error:
        fail(str(error))


def or_exit(run: Callable[[], T]) -> T:
    """Run; a reason not to start becomes one plain line and exit 2."""
    from healthbook.wiring import StartError
    from store.postgres_binaries import PostgresError

    try:
        return run()
    except (StartError, PostgresError) as error:
        fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        # A full or read-only disk, a file where a directory should be, somebody else's directory.
        fail(f"{error.filename}: {error.strerror}. HEALTHBOOK_DATA names the data directory.")


def end_when_told() -> None:
    """Let SIGTERM end what begins here as Ctrl-C does, what it started included. Without that the first
    process of a container ends by kill -9 alone: to that one the kernel brings no signal that it does not ask
    for."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def at_place(run: Callable[["Place"], T]) -> T:
    """Run with the database found or started, and stopped again where we started it."""
    from healthbook.wiring import open_place

    end_when_told()

    def opened() -> T:
        place = open_place(settings_or_exit())
        try:
            return run(place)
        finally:
            place.stop()

    return or_exit(opened)


def as_operator(
    run: Callable[["Store", tuple[str, str]], Awaitable[T]],
    operator: str | None,
    reason: str | None,
    role: Literal["hb_api", "hb_owner"] = "hb_api",
) -> T:
    """Run an act with a named operator and a reason; a demo needs neither."""
    from healthbook.wiring import check_start, load_keys, opened_store

    async def act(place: "Place", keys: "KeyRing") -> T:
        signed = sign_act(operator, reason, demo=await check_start(place, keys))
        async with opened_store(place, role, keys) as store:
            return await run(store, signed)

    return at_place(lambda place: asyncio.run(act(place, load_keys(place.settings))))


async def people_of(store: "Store") -> int:
    """How long a walk over everybody is."""
    from identity.rotation.service import count_people

    async with store.transaction() as tx:
        return await count_people(tx)


def with_second(signed: tuple[str, str], second: str | None) -> tuple[str, str]:
    """Both names in the row; exit 2 where the second is missing or the same, but in a demo."""
    operator, reason = signed
    if operator.startswith("demo:"):
        return signed
    if not second or second.strip().casefold() == operator.strip().casefold():
        fail("This act needs two people: --with (or HEALTHBOOK_SECOND_OPERATOR) names the other one (S26).")
    return f"{operator} + {second}", reason


def sign_act(operator: str | None, reason: str | None, *, demo: bool) -> tuple[str, str]:
    """Operator and reason; exit 2 where one is missing outside a demo (S26)."""
    if demo:
        return operator or f"demo:{getpass.getuser()}", reason or "demo"
    if not operator or not reason:
        fail("This act needs --operator and --reason (or HEALTHBOOK_OPERATOR and HEALTHBOOK_REASON).")
    return operator, reason


def fail(text: str) -> NoReturn:
    """One line on standard error and exit 2."""
    click.echo(text, err=True)
    raise SystemExit(2)
