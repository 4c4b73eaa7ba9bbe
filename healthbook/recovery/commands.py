"""The operator's side of a recovery."""

import click

from healthbook.recovery.service import recover
from healthbook.wiring import Place, StartError, bring_up_to_date, opened_journal, opened_store
from kernel.clock import SystemClock
from store.journal import JournalError
from store.keys import KeyRing


async def recover_place(
    place: Place, keys: KeyRing, operator: str | None, reason: str | None, *, forced: bool
) -> str:
    """Recover the database of this installation; what was done, for the operator. Raises StartError."""
    # A demo needs no name, as for every act (S26).
    signed = (operator or "demo", reason or "demo") if keys.demo else (operator, reason)
    if not signed[0] or not signed[1]:
        raise StartError("This act needs --operator and --reason.")
    await bring_up_to_date(place)
    clock = SystemClock()
    try:
        async with (
            opened_store(place, "hb_owner", keys) as store,
            opened_journal(place.settings, clock) as files,
        ):
            done = await recover(store, files, (signed[0], signed[1]), clock.now(), forced=forced, tell=_tell)
    except JournalError as error:
        raise StartError(f"The journal does not hold together: {error}. Nothing is served.") from error
    if done is None:
        return (
            "Nothing to recover: the database is not behind its journal (--restored starts an epoch anyway)."
        )
    return (
        f"Epoch {done.epoch}: {done.replayed} acts of the journal replayed, {done.logs} logs marked, "
        f"{done.held} grants held until their citizens confirm. Sessions and codes of before are dead."
    )


def _tell(marked: int) -> None:
    """On standard error: a country's logs take hours."""
    click.echo(f"{marked} logs marked", err=True)
