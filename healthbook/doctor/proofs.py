"""Whether what was done can be proven and taken up again: journal, roots, witness, signers, backups."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, get_args

import msgspec

from audit.roots.proofs import roots_after
from audit.roots.service import SIGNED_EVERY
from audit.roots.signing import holds_root
from healthbook.backups.status import backup_faults
from healthbook.doctor.findings import Finding
from healthbook.root_jobs import EVERY
from healthbook.settings import Settings
from healthbook.wiring import StartError, opened_journal, refuse_restored
from identity.rotation.service import untried_lookups
from kernel.clock import Clock
from store.database import Tx
from store.journal import JournalError, is_waiting, mark_of, position_of
from store.keys import KeyRing
from vaccination.signer.keys import standing_signers
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import SignerPurpose

# A worker that was away for a restart has made up for it by then.
ROOT_LATE: Final = SIGNED_EVERY + 3 * EVERY
WITNESS_LATE: Final = timedelta(hours=2)
SIGNER_SOON: Final = timedelta(days=30)
_WHY_ROOT: Final = "Without roots nobody can prove afterwards that a log was not rewritten (S25)."
_NO_WORKER: Final = (
    "See that a worker runs (`healthbook worker`, or `serve` without --no-worker) and what its log says."
)


async def journal_faults(tx: Tx, settings: Settings, clock: Clock) -> list[Finding]:
    """The journal is there, is this database's, and is written (S12)."""
    why = "Nothing may be served from a database that does not know what was revoked or erased since (S12)."
    try:
        async with opened_journal(settings, clock) as journal:
            await mark_of(journal)
    except JournalError as error:
        do = "Check HEALTHBOOK_JOURNAL, and that the account may write there."
        return [Finding(name="journal-away", what=f"The journal cannot be read: {error}.", why=why, do=do)]
    try:
        await refuse_restored(tx, settings)
    except StartError as error:
        do = "`healthbook admin recover`, with the journal that belongs to this database."
        return [Finding(name="restored", what=str(error), why=why, do=do)]
    return []


async def lookup_faults(tx: Tx, keys: KeyRing) -> list[Finding]:
    """People whom nobody finds: a restored backup is from before their look-up key was destroyed (S15)."""
    return [
        Finding(
            name="lookup-key-gone",
            what=f"Numbers and phones stand under look-up key {version}, which nothing is looked up with.",
            why="These people are not found, cannot sign in by phone, and come twice when they are reported.",
            do="`healthbook admin rotate-lookup` before anything is served: it needs no older key.",
        )
        for version in await untried_lookups(tx, keys)
    ]


async def root_faults(tx: Tx, keys: KeyRing, settings: Settings, now: datetime) -> list[Finding]:
    """The newest root is young, ours, and seen by the witness where there is one (S25)."""
    page = await roots_after(tx, keys, None)
    if not page.roots:
        return [] if await _is_new(tx) else [_root("No root of the access log was ever signed.", _NO_WORKER)]
    newest = page.roots[-1]
    at = msgspec.convert(newest.root.at, datetime)
    found = []
    if now - at > ROOT_LATE:
        found.append(_root(f"The newest root of the access log is of {at:%Y-%m-%d %H:%M}Z.", _NO_WORKER))
    if at - now > timedelta(minutes=1):
        what = f"The newest root of the access log is of {at:%Y-%m-%d %H:%M}Z, which is still to come."
        found.append(
            _root(what, "A clock was wrong then or is now: compare it, and do not sign until it is right.")
        )
    if not holds_root(newest, page.keys):
        what = f"No key of this installation signed root {newest.root.number}."
        found.append(
            _root(what, "Put the audit-root keys of this database back, or find out who wrote that row.")
        )
    if settings.audit_witness_url and not any(one.witnesses for one in page.roots) and now - at < ROOT_LATE:
        oldest = msgspec.convert(page.roots[0].root.at, datetime)
        if now - oldest > WITNESS_LATE:
            found.append(
                _root(
                    "The witness signed none of the last roots.", "Runbook, the log's roots and the witness."
                )
            )
    return found


async def _is_new(tx: Tx) -> bool:
    """Nothing happened yet that a root could cover."""
    return (await position_of(tx)).beat == 0


def _root(what: str, do: str) -> Finding:
    return Finding(name="audit-roots", what=what, why=_WHY_ROOT, do=do)


async def unwritten_acts(tx: Tx) -> list[Finding]:
    """Acts that stand in the database and not in the journal; the worker writes them within seconds."""
    if not await is_waiting(tx):
        return []
    return [
        Finding(
            name="journal-behind",
            what="Acts wait that are not in the journal's files yet.",
            why="A backup that is restored now would bring back what they took away (S12).",
            do=f"{_NO_WORKER} Look again in a minute.",
        )
    ]


async def signer_faults(tx: Tx, now: datetime) -> list[Finding]:
    """Keys of certificates that soon sign no more, without a younger one."""
    found = []
    for purpose in get_args(SignerPurpose):
        held = [one for one in await standing_signers(tx, purpose) if one.retired_at is None]
        if held and (until := _signs_until(held)) - now < SIGNER_SOON:
            found.append(
                Finding(
                    name="signer-ends",
                    what=f"The last key for {purpose} signs until {until:%Y-%m-%d}.",
                    why="From then on nobody gets a certificate; authorities abroad take weeks to list a "
                    "new key.",
                    do="Make and enrol the next one now (runbook, keys for certificates and the signer).",
                )
            )
    return found


def _signs_until(signers: Sequence[DocumentSigner]) -> datetime:
    return max(one.sign_until for one in signers)


async def backups(settings: Settings, now: datetime, *, demo: bool) -> list[Finding]:
    """The repository is there, whole and young."""
    why = "After the loss of a disk everything since the last good backup is gone (S12)."
    do = "`healthbook backup status` says more; the runbook has how backups run."
    if not settings.healthbook_backup:
        if demo:
            return []
        what = "HEALTHBOOK_BACKUP is not set: nothing is backed up by this program."
        do = "Set it with HEALTHBOOK_BACKUP_RECIPIENTS and run `healthbook backup run` (runbook, backups)."
        return [Finding(name="no-backup", what=what, why=why, do=do)]
    return [Finding(name="backup", what=what, why=why, do=do) for what in await backup_faults(settings, now)]
