"""The operator's side of a recovery."""

import click

from healthbook.recovery.service import recover, take_promoted
from healthbook.wiring import Place, StartError, bring_up_to_date, opened_journal, opened_store
from identity.rotation.service import untried_lookups
from kernel.clock import SystemClock
from store.journal import JournalError
from store.keys import KeyRing


async def recover_place(
    place: Place,
    keys: KeyRing,
    operator: str | None,
    reason: str | None,
    *,
    forced: bool,
    promoted: bool = False,
    unless_unused: bool = False,
) -> str:
    """Recover the database of this installation; what was done, for the operator. Raises StartError.

    promoted: it is a standby that lost nothing; nothing is done but to let it serve. unless_unused: `forced`
    begins no second epoch where nobody signed in since the last, and raises StartError then.
    """
    # A demo needs no name, as for every act (S26).
    signed = (operator or "demo", reason or "demo") if keys.demo else (operator, reason)
    if not signed[0] or not signed[1]:
        raise StartError("This act needs --operator and --reason.")
    names = (signed[0], signed[1])
    await bring_up_to_date(place)
    clock = SystemClock()
    try:
        async with (
            opened_store(place, "hb_owner", keys) as store,
            opened_journal(place.settings, clock) as files,
        ):
            if promoted:
                return _promoted(taken=await take_promoted(store, files, names, clock.now()))
            options = {"forced": forced, "unless_unused": unless_unused}
            done = await recover(store, files, names, clock.now(), tell=_tell, **options)
            async with store.transaction() as tx:
                untried = await untried_lookups(tx, keys)
    except JournalError as error:
        raise StartError(f"The journal does not hold together: {error}. Nothing is served.") from error
    if done is None and forced:
        # Files that were put back after a recovery look like that recovery: only who put them there can tell.
        raise StartError(
            "No epoch began: this database was recovered already, and nobody has signed in since. Where a "
            "copy was put back after that, run it with --restored --again before anything is served."
        )
    if done is None:
        return (
            "Nothing to recover: the database is not behind its journal (--restored starts an epoch anyway)."
        )
    return (
        f"Epoch {done.epoch}: {done.replayed} acts of the journal replayed, {done.logs} logs marked, "
        f"{done.held} grants held until their citizens confirm. Sessions and codes of before are dead."
        f"{''.join(_not_found(version) for version in untried)}"
    )


def _not_found(version: str) -> str:
    return (
        f"\nNumbers and phones stand under look-up key {version}, which nothing is looked up with: nobody "
        "finds these people. Run `healthbook admin rotate-lookup` before anything is served; it needs no "
        "older key."
    )


def _promoted(*, taken: bool) -> str:
    if not taken:
        raise StartError(
            "This database lost something: the journal knows of later acts, or a recovery is under way. "
            "Run `healthbook admin recover` without --promoted."
        )
    return "The promoted standby goes on in the place of the server before; nothing was recovered."


def _tell(marked: int) -> None:
    """On standard error: a country's logs take hours."""
    click.echo(f"{marked} logs marked", err=True)
