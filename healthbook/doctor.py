"""`healthbook doctor`: what an operator should mend; it changes nothing (security.md S12, S15, S22)."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from audit.protection.service import ending
from consent.emergency_reviews import service as reviews
from consent.reports import service as reports
from healthbook.recovery import queries
from healthbook.settings import Settings
from healthbook.wiring import Place, StartError, opened_journal, opened_store, refuse_restored
from kernel.clock import SystemClock
from store.database import Tx
from store.journal import JournalError, mark_of, position_of
from store.keys import KeyRing

# What a failing statement would leave in the server's log (store/postgres.py, docker/compose.yaml).
LOG_SETTINGS: Final = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
}

LATE_MAX: Final = 100
_EVER: Final = datetime.min.replace(tzinfo=UTC)


async def examine(place: Place, keys: KeyRing) -> list[str]:
    """Plain sentences; empty where nothing is to be mended."""
    found = lying_together(place.settings, demo=keys.demo)
    async with opened_store(place, "hb_api", keys) as store, store.transaction() as tx:
        found += await log_faults(tx)
        found += await journal_faults(tx, place.settings)
        found += await late_answers(tx, SystemClock().now())
        found += await ending_protections(tx, SystemClock().now())
    return found


def lying_together(settings: Settings, *, demo: bool) -> list[str]:
    """Keys or journal on the volume of the data: a backup would hold them too. A demo has one place, which
    is not judged."""
    if demo:
        return []
    found = []
    if settings.keys.is_relative_to(settings.data):
        found.append("HEALTHBOOK_KEYS lies in the data directory: a backup would hold the keys.")
    if not settings.journal_bucket and settings.journal.is_relative_to(settings.data):
        found.append(
            "HEALTHBOOK_JOURNAL lies in the data directory: a restore would bring the journal back too."
        )
    return found


async def log_faults(tx: Tx) -> list[str]:
    """Settings of the server by which its log would hold rows, keys and parameters (S22)."""
    faults = []
    for name, wanted in LOG_SETTINGS.items():
        told = await queries.SERVER_SETTING.one(tx, name)
        if told not in (wanted, f"{wanted}B"):
            faults.append(f"The server has {name} = {told}; set it to {wanted}.")
    return faults


async def late_answers(tx: Tx, now: datetime) -> list[str]:
    """What facilities owe people and are late with: the lists wait for somebody to look (S24)."""
    counts = {
        "emergency-reviews": len(await reviews.overdue(tx, (_EVER, UUID(int=0)), LATE_MAX, now)),
        "access-reports": len(await reports.overdue_reports(tx, None, LATE_MAX, now)),
    }
    return [
        f"Late on GET /v1/department/{name}: {count} (at most {LATE_MAX} are counted). Tell the department."
        for name, count in counts.items()
        if count
    ]


async def ending_protections(tx: Tx, now: datetime) -> list[str]:
    """Protection ends by itself after a year, and the name is shown from then on (S27)."""
    return [
        f"Protection of practitioner {one.practitioner_id} ends on {one.protected_until:%Y-%m-%d}: "
        "renew it, or let the name be shown."
        for one in await ending(tx, now, LATE_MAX)
    ]


async def journal_faults(tx: Tx, settings: Settings) -> list[str]:
    try:
        async with opened_journal(settings, SystemClock()) as journal:
            mark = await mark_of(journal)
    except JournalError as error:
        return [f"The journal cannot be read: {error}."]
    try:
        await refuse_restored(tx, settings)
    except StartError as error:
        return [str(error)]
    if (await position_of(tx)).seq and mark is None:
        return ["The journal is gone: HEALTHBOOK_JOURNAL names another place, or it was lost."]
    return []
