"""Doing again what the journal says was done. Each act is harmless where it stands already, and where the
person or the thing is not there: the backup may be older than both."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from consent.grants.queries import end_practitioner_grant
from consent.rights.erasing import erase_again
from consent.rights.service import shut
from healthbook.recovery import queries
from identity.devices import end_again
from store.database import Tx
from store.journal import JournalKind, Line

REASON: Final = "before-restore"
Again: TypeAlias = Callable[[Tx, Line, datetime], Awaitable[None]]


async def revoke(tx: Tx, line: Line, now: datetime) -> None:
    grant_id = UUID(line.ids["grant_id"])
    practitioner_id = await queries.REVOKE.one(tx, line.patient_id, grant_id, now)
    if practitioner_id is not None:
        await end_practitioner_grant(tx, practitioner_id, line.patient_id, grant_id, now)


async def kill_device(tx: Tx, line: Line, now: datetime) -> None:
    await end_again(tx, line.patient_id, UUID(line.ids["device_id"]), REASON, now)


async def kill_link(tx: Tx, line: Line, now: datetime) -> None:
    await queries.END_LINK.run(tx, line.patient_id, UUID(line.ids["link_id"]), now)


async def block(tx: Tx, line: Line, _now: datetime) -> None:
    """The name is that of the register today: the journal holds ids alone."""
    target, kind = UUID(line.ids["target_id"]), line.ids["kind"]
    named = queries.PRACTITIONER_NAME if kind == "practitioner" else queries.FACILITY_NAME
    name = await named.one(tx, target) or ""
    block_id = UUID(line.ids["block_id"])
    await queries.BLOCK.run(tx, line.patient_id, block_id, kind, target, name, line.at)


async def unblock(tx: Tx, line: Line, now: datetime) -> None:
    await queries.UNBLOCK.run(tx, line.patient_id, UUID(line.ids["block_id"]), now)


async def close(tx: Tx, line: Line, now: datetime) -> None:
    await shut(tx, line.patient_id, "closed", REASON, now)


async def erase(tx: Tx, line: Line, now: datetime) -> None:
    await erase_again(tx, line.patient_id, now)


async def nothing(_tx: Tx, _line: Line, _now: datetime) -> None:
    """Codes are dead anyway; epochs were read before."""


REPLAY: Final[Mapping[JournalKind, Again]] = {
    "revoke": revoke,
    "device-kill": kill_device,
    "link-kill": kill_link,
    "block": block,
    "unblock": unblock,
    "close": close,
    "erase": erase,
    "code-kill": nothing,
    "epoch": nothing,
}
