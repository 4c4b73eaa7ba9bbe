"""All checks, one after another; one that cannot be made is a finding too."""

from collections.abc import Awaitable, Callable
from typing import Final

from healthbook.doctor import database, installation, outside, proofs, work
from healthbook.doctor.findings import Finding
from healthbook.wiring import Place, opened_store
from kernel.clock import Clock, SystemClock
from store.database import Store, Tx
from store.keys import KeyRing

Look = Callable[[Tx], Awaitable[list[Finding]]]


async def examine(place: Place, keys: KeyRing, clock: Clock | None = None) -> list[Finding]:
    """Everything that is to be mended; empty where nothing is."""
    ours = clock or SystemClock()
    found = _here(place, keys)
    async with opened_store(place, "hb_api", keys) as store:
        for name, look in _in_database(place, keys, ours).items():
            found += await _looked(store, name, look)
    found += await proofs.backups(place.settings, ours.now(), demo=keys.demo)
    if not keys.demo:
        found += await outside.unreachable(place.settings, ours.now())
    return found


def _here(place: Place, keys: KeyRing) -> list[Finding]:
    settings, demo = place.settings, keys.demo
    return [
        *installation.lying_together(settings, demo=demo),
        *installation.open_files(settings, demo=demo),
        *installation.misnamed_keys(settings, demo=demo),
        *installation.full_disks(settings),
        *([] if demo else installation.loose_clock()),
        *outside.unset_providers(settings, demo=demo),
        *outside.trusted_certificates(settings, SystemClock().now()),
    ]


def _in_database(place: Place, keys: KeyRing, clock: Clock) -> dict[str, Look]:
    settings = place.settings

    async def session(tx: Tx) -> list[Finding]:
        held = await database.session_of(tx)
        faults = database.session_faults(settings, held, clock.now())
        return [*faults, *await database.role_faults(tx, held)]

    return {
        "session": session,
        "log settings": database.log_faults,
        "settings": database.unsafe_settings,
        "statement counts": database.statement_counts,
        "migrations": database.migration_faults,
        "journal": lambda tx: proofs.journal_faults(tx, settings, clock),
        "look-up keys": lambda tx: proofs.lookup_faults(tx, keys),
        "unwritten acts": proofs.unwritten_acts,
        "roots": lambda tx: proofs.root_faults(tx, keys, settings, clock.now()),
        "signers": lambda tx: proofs.signer_faults(tx, clock.now()),
        "retention": lambda tx: work.late_retention(tx, clock.now()),
        "timers": lambda tx: work.late_timers(tx, clock.now()),
        "events": work.failing_events,
        "messages": lambda tx: work.stuck_messages(tx, clock.now()),
        "answers": lambda tx: work.late_answers(tx, clock.now()),
        "protections": lambda tx: work.ending_protections(tx, clock.now()),
    }


_UNSEEN: Final = "What nobody looked at may be broken."


async def _looked(store: Store, name: str, look: Look) -> list[Finding]:
    """Each in a transaction of its own: what one check breaks does not hide the next."""
    try:
        async with store.transaction() as tx:
            return await look(tx)
    except Exception as error:
        what = f"The check of {name} failed: {type(error).__name__} {getattr(error, 'sqlstate', '')}".rstrip()
        do = "Mend the other findings first, then look again; if it stays, tell the makers."
        return [Finding(name="not-checked", what=f"{what}.", why=_UNSEEN, do=do)]
