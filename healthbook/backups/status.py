"""How far back and how far on the repository leads, without an identity: `backup status` and the doctor."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from healthbook.backups.expiry import KEPT_FOR
from healthbook.backups.layout import SEGMENT, Base, HistoryError, NodeStatus, way
from healthbook.backups.vault import Vault, opened_archive
from healthbook.settings import Settings
from healthbook.wiring import StartError
from store.archives import ArchiveError, Kept

# Rounds are seconds apart: after this somebody must look.
LATE_AFTER: Final = timedelta(minutes=10)
BASE_EVERY: Final = timedelta(hours=24)
BASE_LATE_AFTER: Final = timedelta(hours=48)


class NodeReport(Struct, frozen=True, kw_only=True):
    """One server. sealed: bytes of its whole copies and its log; left_at: since when it is none
    of the cluster's; faults: plain sentences."""

    node: str
    safe_until: datetime | None
    oldest: datetime | None
    newest: datetime | None
    bases: int
    sealed: int
    left_at: datetime | None
    faults: list[str]


async def report(vault: Vault, now: datetime) -> list[NodeReport]:
    """Every server that was ever looked at. Raises ArchiveError."""
    return [await _report(vault, status, now) for status in await vault.nodes()]


async def backup_faults(settings: Settings, now: datetime) -> list[str]:
    """What is wrong with the backups of this installation, in plain sentences; none where none are wanted."""
    if not settings.healthbook_backup:
        return []
    try:
        async with opened_archive(settings) as archive:
            found = await report(Vault(archive, [], []), now)
    except (ArchiveError, StartError) as error:
        return [f"The repository of backups cannot be read: {error}."]
    if not found:
        return ["No backup was ever made: start `healthbook backup run`."]
    return [f"{one.node}: {fault}" for one in found for fault in one.faults]


async def _report(vault: Vault, status: NodeStatus, now: datetime) -> NodeReport:
    bases, log = await vault.bases(status.node), await vault.log(status.node)
    faults = await _faults(vault, status, now, bases, log) if status.left_at is None else []
    if status.left_at is not None and now - status.left_at > KEPT_FOR + BASE_EVERY:
        faults.append("It left over 35 days ago: what was erased must be gone from its copies.")
    return NodeReport(
        node=status.node,
        safe_until=status.safe_until,
        oldest=bases[0].ended_at if bases else None,
        newest=bases[-1].ended_at if bases else None,
        bases=len(bases),
        sealed=sum(base.length for base in bases) + sum(kept.length for kept in log.values()),
        left_at=status.left_at,
        faults=faults,
    )


async def _faults(
    vault: Vault, status: NodeStatus, now: datetime, bases: list[Base], log: dict[str, Kept]
) -> list[str]:
    """Of a server that is there."""
    faults = [] if not status.fault else [f"The last round failed ({status.fault})."]
    safe = status.safe_until
    if safe is None or now - safe > LATE_AFTER:
        since = f"since {safe:%Y-%m-%d %H:%M:%S}Z" if safe else "so far"
        faults.append(f"What was committed {since} is in no backup: `healthbook backup run` must run.")
    if not bases or now - bases[-1].ended_at > BASE_LATE_AFTER:
        faults.append("There is no whole copy of the last 48 hours.")
    if bases and now - bases[0].started_at > KEPT_FOR + BASE_EVERY:
        faults.append("A copy is older than 35 days: what was erased must be gone from it.")
    if bases:
        try:
            way(
                bases[-1],
                {name for name in log if SEGMENT.fullmatch(name)},
                await vault.histories(log),
                status.position,
            )
        except HistoryError as error:
            faults.append(f"After the newest whole copy {error}.")
    return faults
